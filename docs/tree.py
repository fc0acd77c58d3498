"""Writes the tree into README.md, a phrase a file, from the first lines of the docstrings.

python docs/tree.py
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- tree -->\n", "<!-- /tree -->\n"
FOLDERS = {
    "curate": (
        "recipe",
        "clips",
        "frames",
        "frames/people",
        "sequences",
        "splits",
        "vlm",
        "vlm/desk",
        "vlm/server",
        "vlm/local",
        "vlm/tokens",
        "answers",
        "answers/reading",
        "answers/measures",
        "answers/reasons",
        "labels",
        "release",
        "release/compare",
        "release/hub",
        "show",
        "show/view",
        "show/view/plugin",
        "show/review",
        "demo",
        "starters",
        "plan",
    ),
    "train_reference": ("data", "features", "models", "curriculum", "evaluation", "training"),
}
"""Of each package, in the order in which data flows."""
BESIDE = (
    ("schemas/", "one pandera schema a table: the only place where a column is declared"),
    ("cards/", "Jinja templates: dataset card, report"),
    ("tests/", "mirrors the tree"),
    ("benchmarks/", "one script a claim made here"),
    ("examples/", "recipes and questionnaires that the tests run"),
    ("docs/", "looking, releases, seeing, sequences, asking, statistics, the trainer, methods, decisions"),
)
_COLUMN = 26


def with_tree(readme: str) -> str:
    """The README with its tree made anew."""
    head, rest = readme.split(BEGIN)
    return f"{head}{BEGIN}```text\n{tree()}\n```\n{END}{rest.split(END)[1]}"


def tree() -> str:
    """Every module of the packages, in the order in which data flows, and what lies beside them."""
    return "\n".join([line for package in FOLDERS for line in _package(package)] + [*_beside()])


def _package(package: str) -> Iterator[str]:
    yield _line(
        0,
        f"{package}/",
        "" if package == "curate" else "the reference trainer: reads releases, imports nothing of curate",
    )
    yield from _modules(ROOT / package, 2)
    for name in FOLDERS[package]:
        folder = ROOT / package / name
        indent = 2 * (1 + name.count("/") + 1)
        yield _line(indent - 2, f"{folder.name}/", _phrase(folder / "__init__.py"))
        yield from _modules(folder, indent)


def _modules(folder: Path, indent: int) -> Iterator[str]:
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py":
            yield _line(indent, path.name, _phrase(path))


def _beside() -> Iterator[str]:
    for name, phrase in BESIDE:
        yield _line(0, name, phrase)


def _phrase(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n")[0].rstrip(".:")


def _line(indent: int, name: str, phrase: str) -> str:
    return (" " * indent + f"{name:<{_COLUMN - indent}}{phrase}").rstrip()


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(with_tree(readme.read_text(encoding="utf-8")), encoding="utf-8")
