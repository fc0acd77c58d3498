"""Writes docs/recipe.md: every key of a recipe, from the models that read it.

python docs/recipe_keys.py
"""

import inspect
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from curate.recipe import Recipe
from curate.recipe.fields import FOLDER_OR_ID
from curate.sections import Section

PAGE = Path(__file__).parent / "recipe.md"
HEAD = """\
# Every key of a recipe

<!-- Made by: python docs/recipe_keys.py -->

A recipe is one YAML file that holds everything a person decides about a run. Paths in it are relative to
the recipe's own folder, `${NAME}` in a path is filled from the environment, and `curate init` writes a
commented one to start from. A key that is not listed here is refused. What is *needed* has no default.
"""
_COLUMNS = ("key", "what it may be", "default", "what it means")


@dataclass(frozen=True, slots=True)
class Part:
    """One heading of the page."""

    title: str
    depth: int
    text: str
    shape: Any
    """A section, or the union of the variants whose own headings follow."""


def page() -> str:
    """The whole page."""
    return f"{HEAD}\n{tables(Recipe)}"


def tables(model: type[Section]) -> str:
    """A table of the keys of `model`, then one of every section in it, each section once."""
    parts = list(_parts(model, "", 2))
    firsts = {part.shape: part for part in reversed(parts)}
    once = [part for part in parts if firsts[part.shape] is part]
    titles = {shape: _title(shape, parts) for shape in firsts}
    return "\n\n".join([_table(model, titles), *(_block(part, titles) for part in once)]) + "\n"


def _parts(model: type[Section], path: str, depth: int) -> Iterator[Part]:
    """The headings of all that lies in a section, in the order of the file."""
    for key, field in model.model_fields.items():
        shape, title = _inner(field.annotation), f"{path}.{key}".lstrip(".")
        if field.discriminator:
            yield Part(title, depth, _meaning(field), shape)
            for variant in get_args(shape):
                tag = f"{title}, {field.discriminator}: {_tag(variant, str(field.discriminator))}"
                yield from _section(variant, tag, title, depth + 1)
        elif _is_section(shape):
            yield from _section(shape, title, title, depth)


def _section(model: type[Section], title: str, path: str, depth: int) -> Iterator[Part]:
    yield Part(title, depth, inspect.getdoc(model) or "", model)
    yield from _parts(model, path, depth + 1)


def _inner(shape: Any) -> Any:
    """What a list is of, and what a value is that may be null."""
    shape = _beside_null(shape)
    return _inner(get_args(shape)[0]) if get_origin(shape) is tuple else shape


def _beside_null(shape: Any) -> Any:
    others = [choice for choice in get_args(shape) if choice is not type(None)]
    return reduce(or_, others) if _may_be_null(shape) else shape


def _may_be_null(shape: Any) -> bool:
    return type(None) in get_args(shape)


def _tag(variant: type[Section], discriminator: str) -> str:
    return str(get_args(variant.model_fields[discriminator].annotation)[0])


def _is_section(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, Section)


def _title(shape: Any, parts: Sequence[Part]) -> str:
    """Every place in a recipe where a section of this shape stands."""
    return ", ".join(dict.fromkeys(part.title for part in parts if part.shape == shape))


def _block(part: Part, titles: dict[Any, str]) -> str:
    head = f"{'#' * part.depth} {titles[part.shape]}\n\n{part.text}"
    return f"{head}\n\n{_table(part.shape, titles)}" if _is_section(part.shape) else head


def _table(model: type[Section], titles: dict[Any, str]) -> str:
    rows = [
        (f"`{key}`", _kind_of_field(field, titles), _default(field), _meaning(field))
        for key, field in model.model_fields.items()
    ]
    return "\n".join([_row(_COLUMNS), "|---" * len(_COLUMNS) + "|", *map(_row, rows)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _meaning(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*needed*"
    if isinstance(field.default, Section):
        written = [f"`{key}: {_value(value)}`" for key, value in _written(field.default)]
        return ", ".join(written) or "*its own defaults*"
    return f"`{_value(field.default)}`"


def _written(section: Section) -> list[tuple[str, object]]:
    """The keys that are not left to their own defaults."""
    keys = [key for key in type(section).model_fields if key in section.model_fields_set]
    return [(key, getattr(section, key)) for key in keys]


def _value(value: object) -> str:
    """A value as a recipe spells it."""
    return str(value) if value and isinstance(value, str | Path) else json.dumps(value, ensure_ascii=False)


def _kind_of_field(field: FieldInfo, titles: dict[Any, str]) -> str:
    if not field.discriminator:
        return _kind(field.annotation, field.metadata, titles)
    key, null = str(field.discriminator), ", or `null`" if _may_be_null(field.annotation) else ""
    variants = get_args(_beside_null(field.annotation))
    links = [f"[{_tag(variant, key)}]({_anchor(titles[variant])})" for variant in variants]
    return f"section, by its `{key}` {_either(links)}{null}"


def _kind(shape: Any, metadata: Sequence[Any], titles: dict[Any, str]) -> str:
    """What a value may be, in words.

    Raises:
        TypeError: There are no words yet for a value of this type.
    """
    if hasattr(shape, "__metadata__"):  # Annotated, as the entries of a list are
        return _kind(shape.__origin__, _flat(shape.__metadata__), titles)
    if get_origin(shape) is tuple:
        return f"list of {_entries(get_args(shape)[0], metadata, titles)}"
    if get_origin(shape) is Literal:
        return _either([f"`{_value(choice)}`" for choice in get_args(shape)])
    if _may_be_null(shape):
        return f"{_kind(_beside_null(shape), metadata, titles)}, or `null`"
    if _is_section(shape):
        return f"section {_link(titles[shape])}"
    return _plain(shape, metadata)


def _flat(metadata: Sequence[Any]) -> list[Any]:
    """Constraints by themselves: inside an annotation pydantic leaves them in the Field that named them."""
    return [part for kept in metadata for part in (kept.metadata if isinstance(kept, FieldInfo) else [kept])]


def _entries(shape: Any, metadata: Sequence[Any], titles: dict[Any, str]) -> str:
    least = _limit(metadata, "min_length")
    entry = f"sections {_link(titles[shape])}" if _is_section(shape) else _kind(shape, (), titles)
    return entry if least is None else f"at least {least}: {entry}"


def _plain(shape: Any, metadata: Sequence[Any]) -> str:
    if shape is bool:
        return "`true` or `false`"
    if shape in (int, float):
        return f"{'whole ' if shape is int else ''}number{_range(metadata)}"
    if shape is Path:
        return "path"
    if shape is str:
        return FOLDER_OR_ID if FOLDER_OR_ID in metadata else f"text{_spelling(metadata)}"
    raise TypeError(f"{shape} has no words here. Add them to docs/recipe_keys.py")


def _range(metadata: Sequence[Any]) -> str:
    limits = {name: _limit(metadata, name) for name in ("ge", "gt", "le", "lt")}
    if limits["ge"] is not None and limits["le"] is not None:
        return f" from {limits['ge']} to {limits['le']}"
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    said = [f"{words[name]} {limit}" for name, limit in limits.items() if limit is not None]
    return f", {' and '.join(said)}" if said else ""


def _spelling(metadata: Sequence[Any]) -> str:
    least, most = _limit(metadata, "min_length"), _limit(metadata, "max_length")
    pattern = _limit(metadata, "pattern")
    rules = [
        "" if pattern is None else f" that matches `{pattern}`",
        "" if least is None else ", not empty" if least == 1 else f", at least {least} characters",
        "" if most is None else f", at most {most} characters",
    ]
    return "".join(rules)


def _limit(metadata: Sequence[Any], name: str) -> Any:
    """What pydantic holds of one constraint, or None."""
    return next((limit for kept in metadata if (limit := getattr(kept, name, None)) is not None), None)


def _either(choices: Sequence[str]) -> str:
    return f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]


def _link(title: str) -> str:
    return f"[{title}]({_anchor(title)})"


def _anchor(title: str) -> str:
    """The link to a heading, as GitHub makes it."""
    return "#" + re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
