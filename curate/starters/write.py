"""Writes a commented recipe and a questionnaire for one domain."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jinja2

from curate.errors import InputError, Problem
from curate.files import write_text
from curate.resources import resource

Domain = Literal["engagement", "emotion", "hidden-emotion"]


@dataclass(frozen=True, slots=True)
class Start:
    """What a recipe of one domain begins with."""

    question: str
    classes: tuple[str, ...]
    ordinal: bool
    count: int
    brief: str = ""
    """What shows so briefly that sentences on what happens between the pictures may help."""


# More frames are not simply better (arXiv 2604.15280): about one a second for slow cues, more for brief ones.
# That paper's remedy for what is briefer than the gap between two pictures is to put it into words.
STARTS: dict[Domain, Start] = {
    "engagement": Start(
        "How engaged is the person with what is before them?",
        ("not engaged", "barely engaged", "engaged", "highly engaged"),
        ordinal=True,
        count=8,
    ),
    "emotion": Start(
        "Which emotion does the person show?",
        ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
        ordinal=False,
        count=8,
        brief="an expression may last half a second",
    ),
    "hidden-emotion": Start(
        "Does the person hold back a negative or a positive emotion?",
        ("negative", "positive"),
        ordinal=True,
        count=16,
        brief="a held-back emotion shows for a quarter to half a second",
    ),
}


def write_starter(folder: Path, domain: Domain) -> list[Path]:
    """Write recipe.yaml and questionnaire.yaml into `folder`, which is made if need be.

    Raises:
        InputError: One of the two exists already; nothing is overwritten.
    """
    paths = [folder / "recipe.yaml", folder / "questionnaire.yaml"]
    if taken := [path for path in paths if path.exists()]:
        fix = "Choose another folder, or move the file away"
        raise InputError(str(folder), [Problem(str(path), "exists already", fix) for path in taken])
    start = STARTS[domain]
    template = jinja2.Template(
        _text("recipe.yaml.j2"), keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    recipe = template.render(
        domain=domain,
        question=start.question,
        classes=start.classes,
        ordinal=start.ordinal,
        count=start.count,
        brief=start.brief,
    )
    for path, text in zip(paths, (recipe, _text(f"{domain.replace('-', '_')}.yaml")), strict=True):
        write_text(path, text)
    return paths


def _text(name: str) -> str:
    return resource(f"starters/{name}").read_text(encoding="utf-8")
