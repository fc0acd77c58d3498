"""Reads a recipe and makes its paths absolute."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from curate.errors import Problem, RecipeError
from curate.recipe.fields import FOLDER_OR_ID
from curate.recipe.whole import Recipe
from curate.sections import Section, load_yaml

AnySection = TypeVar("AnySection", bound=Section)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def load_recipe(path: Path | str) -> Recipe:
    """Read a recipe and make its paths absolute.

    `${NAME}` in a path is filled from the environment, so that a recipe can be
    shared between machines that keep their media in different places.

    Raises:
        RecipeError: All problems at once, each with its key.
    """
    path = Path(path)
    recipe = load_yaml(path, Recipe, RecipeError)
    missing = sorted(
        {name for text in _path_texts(recipe) for name in _VARIABLE.findall(text)} - set(os.environ)
    )
    if missing:
        problems = [
            Problem(f"${{{name}}}", "is not set in the environment", f"export {name}=…") for name in missing
        ]
        raise RecipeError(str(path), problems)
    return _rooted(recipe, path.resolve().parent)


def _path_texts(section: Section) -> list[str]:
    """Every path of a recipe as it was written."""
    values = [(getattr(section, name), field) for name, field in type(section).model_fields.items()]
    inner = [text for value, _ in values for part in _sections(value) for text in _path_texts(part)]
    return inner + [str(value) for value, field in values if _is_path(value, field)]


def _sections(value: object) -> list[Section]:
    """A value that is a section, or those in a value that is a list."""
    parts = value if isinstance(value, tuple) else (value,)
    return [part for part in parts if isinstance(part, Section)]


def _rooted(section: AnySection, root: Path) -> AnySection:
    """The section with absolute paths; what was left out still counts as left out."""
    values = {name: (getattr(section, name), field) for name, field in type(section).model_fields.items()}
    rooted = {name: _rooted_value(value, field, root) for name, (value, field) in values.items()}
    return section.model_copy(update={name: new for name, new in rooted.items() if new != values[name][0]})


def _rooted_value(value: object, field: FieldInfo, root: Path) -> object:
    if isinstance(value, Section):
        return _rooted(value, root)
    if isinstance(value, tuple):
        return tuple(_rooted_value(part, field, root) for part in value)
    if not _is_path(value, field):
        return value
    place = Path(os.path.normpath(root / os.path.expandvars(str(value))))
    if isinstance(value, Path) or place.exists():
        return type(value)(place) if isinstance(value, str) else place
    return value


def _is_path(value: object, field: FieldInfo) -> bool:
    return isinstance(value, Path) or (isinstance(value, str) and FOLDER_OR_ID in _metadata(field))


def _metadata(field: FieldInfo) -> list[object]:
    """What is said of a field's kind, also where the field may be left out."""
    inner = (getattr(kind, "__metadata__", ()) for kind in get_args(field.annotation))
    return [*field.metadata, *(said for metadata in inner for said in metadata)]


def sound_sections(path: Path) -> dict[str, Section]:
    """The sections of a recipe that are valid by themselves, though the whole may not be.

    So that one wrong key does not hide the problems of the files that the rest names.
    Empty when the file cannot be read as a mapping.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    sections = raw if isinstance(raw, dict) else {}
    found = {name: _sound_section(name, sections) for name in Recipe.model_fields if name != "name"}
    known = {name: section for name, section in found.items() if section is not None}
    return {name: _rooted(section, path.resolve().parent) for name, section in known.items()}


def _sound_section(name: str, sections: dict[str, object]) -> Section | None:
    field = Recipe.model_fields[name]
    if name not in sections:
        return field.default if isinstance(field.default, Section) else None
    shape: Any = Annotated[field.annotation, field]  # the field carries the discriminator of a union
    try:
        section: Section = TypeAdapter(shape).validate_python(sections[name])
        return section
    except ValidationError:
        return None
