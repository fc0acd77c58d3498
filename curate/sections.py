"""Files that people write: read as YAML, checked all at once, told about in plain words."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from curate.errors import Problem, ProblemsError

Model = TypeVar("Model", bound=BaseModel)


class Section(BaseModel):
    """A part of a file that people write: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def load_yaml(path: Path, model: type[Model], error_class: type[ProblemsError]) -> Model:
    """Read one YAML file as `model`.

    Raises:
        ProblemsError: As `error_class`, with every problem of the file at once.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problem = Problem(str(path), "no such file", "Check the path, or make one with curate init")
        raise error_class(str(path), [problem]) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        found = " ".join(str(error).split())  # YAML's own words take several lines
        problem = Problem("file", f"cannot be read as YAML: {found}")
        raise error_class(str(path), [problem]) from error
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise error_class(str(path), problems_of(error, model)) from error


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Pydantic's list of errors as problems a person can act on, in file order."""
    details = error.errors(include_url=False)
    # A list whose entries are wrong is also reported as too short: said once is enough.
    broken = {found["loc"][:depth] for found in details for depth in range(len(found["loc"]))}
    return [_problem(found, model) for found in details if found["loc"] not in broken or not found["loc"]]


def _problem(details: ErrorDetails, model: type[BaseModel]) -> Problem:
    where, holders = _place(model, details["loc"])
    if details["type"] == "extra_forbidden":
        keys = sorted({key for holder in holders for key in holder.model_fields})
        near = difflib.get_close_matches(str(details["loc"][-1]), keys, n=1)
        return Problem(
            where, "unknown key", f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(keys)}"
        )
    if details["type"] == "missing":
        return Problem(where, "missing, and there is no default", "Add it")
    if details["type"] == "value_error":
        return Problem(where, details["msg"].removeprefix("Value error, "))
    return Problem(where, f"got {_short(details['input'])}. {details['msg']}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _place(model: type[BaseModel], loc: Sequence[str | int]) -> tuple[str, list[type[BaseModel]]]:
    """Where a problem is as the file spells it, and the models that its last key could belong to.

    Pydantic puts the tag of a tagged union into the path; no key of that name
    is in the file, so it is left out here.
    """
    written: list[str] = []
    holders, inner = [model], [model]
    for part in loc:
        fields = [
            holder.model_fields[str(part)].annotation for holder in inner if str(part) in holder.model_fields
        ]
        tagged = [holder for holder in inner if part in _tags(holder)]
        if not fields and tagged and len(inner) > 1:
            inner = tagged
            continue
        written.append(str(part))
        holders = inner
        inner = [found for field in fields for found in _models_in(field)] if fields else inner
    return ".".join(written) or "file", holders


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _models_in(argument)]


def _tags(model: type[BaseModel]) -> set[str]:
    """What a model's Literal fields may be."""
    return {str(tag) for field in model.model_fields.values() for tag in get_args(field.annotation)}
