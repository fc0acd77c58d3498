"""What the README says is so."""

import importlib.util
import re
from pathlib import Path

from typer.main import get_command

from curate.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tree_is_that_of_the_package() -> None:
    spec = importlib.util.spec_from_file_location("tree", ROOT / "docs" / "tree.py")
    assert spec is not None
    assert spec.loader is not None
    tree = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tree)
    for package, listed in tree.FOLDERS.items():
        inits = (ROOT / package).glob("*/**/__init__.py")
        folders = {path.parent.relative_to(ROOT / package).as_posix() for path in inits}
        assert folders == set(listed), "docs/tree.py lists every folder"
    assert tree.with_tree(README) == README, "run: python docs/tree.py"


def test_every_verb_it_names_is_there_and_none_is_left_out() -> None:
    named = set(re.findall(r"^\| `curate (\w+)", README, re.MULTILINE))
    assert named == set(get_command(app).commands)  # type: ignore[attr-defined]


def test_every_file_it_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
