"""A run: what was asked for, and the folder that holds what came of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import polars as pl

from curate import tables
from curate.answers.schedule import wording_problems
from curate.errors import InputError, Problem, RecipeError
from curate.files import write_text
from curate.frames.pictures import PictureStore
from curate.questionnaire import Questionnaire, load_questionnaire
from curate.recipe import OpenAIBackend, Recipe, load_recipe
from curate.sequences.store import key_of

_FOLDER_DIGITS = 16

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, how much of it is done, and how much there is in all."""


@dataclass(frozen=True, slots=True)
class Caps:
    """What a run may newly spend; None is no cap."""

    max_calls: int | None = None
    max_tokens: int | None = None
    """Of prompts and replies together."""
    max_cost: float | None = None
    """In US dollars."""


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked for, and where it lives."""

    recipe: Recipe
    questionnaire: Questionnaire
    recipe_text: str
    """The recipe as it was written."""
    questionnaire_text: str
    """The questionnaire as it was written."""
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    """Where the key of a model's server is looked up; nothing else is."""
    limit: int | None = None
    """Only so many clips."""
    caps: Caps = Caps()
    """What may newly be spent."""
    progress: Progress = silent

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in order."""
        return self.recipe.task.classes

    @property
    def release(self) -> Path:
        """Folder of the release."""
        return self.folder / "release"

    @property
    def report(self) -> Path:
        """The report's file."""
        return self.folder / "report.html"

    @property
    def pictures(self) -> PictureStore:
        """The pictures that were sent."""
        return PictureStore(self.folder / "pictures")

    def blurred(self, decided_by: str) -> Path:
        """Folder of media with faces hidden; another way of hiding them has another folder."""
        return self.folder / "kept" / "blurred" / key_of(decided_by)[:_FOLDER_DIGITS]

    @property
    def metrics(self) -> dict[str, Any]:
        """Every number that report and card show."""
        text = (self.folder / "metrics.json").read_text(encoding="utf-8")
        return cast(dict[str, Any], json.loads(text))

    def path(self, stem: str) -> Path:
        """File of a table; a stem such as "problems-frames" is a table `problems`."""
        return self.folder / f"{stem}.parquet"

    def parts(self, name: tables.TableName) -> Path:
        """Folder of a table that is too large for one file."""
        return self.folder / name

    def written(self, stem: str) -> Path:
        """File of a table that a stage wrote.

        Raises:
            InputError: The run has not come so far.
        """
        if not self.path(stem).is_file():
            problem = Problem(self.path(stem).name, "is missing: the run is not finished", "Run it again")
            raise InputError(str(self.folder), [problem])
        return self.path(stem)

    def read(self, stem: str) -> pl.DataFrame:
        """A table that a stage wrote, checked again.

        Raises:
            InputError: The run has not come so far.
        """
        return tables.read(contract(stem), self.written(stem), self.classes)

    def steps(self, stage: str) -> Callable[[int, int], None]:
        """Progress of one stage."""
        return lambda done, total: self.progress(stage, done, total)

    def save(self) -> None:
        """Keep recipe and questionnaire in the folder, so that it can be opened by itself."""
        write_text(self.folder / "recipe.json", self.recipe.model_dump_json(indent=1) + "\n")
        write_text(self.folder / "recipe.yaml", self.recipe_text)
        write_text(self.folder / "questionnaire.yaml", self.questionnaire_text)


def contract(stem: str) -> tables.TableName:
    """The table that a file stem holds."""
    return cast(tables.TableName, stem.partition("-")[0])


def open_run(
    recipe: Path,
    folder: Path | None = None,
    *,
    environ: Mapping[str, str],
    limit: int | None = None,
    caps: Caps = Caps(),
    progress: Progress = silent,
) -> Run:
    """Read a recipe and its questionnaire, and settle where the run lives.

    Args:
        recipe: The recipe's file.
        folder: The run's folder; runs/NAME beside the recipe if left out
            (with a limit, runs/NAME-LIMIT-clips).
        environ: Where the key of a model's server is looked up.
        limit: Only so many clips.
        caps: What may newly be spent.
        progress: Told of every step.

    Raises:
        RecipeError: The recipe has problems.
        QuestionnaireError: The questionnaire has problems.
    """
    read = load_recipe(recipe)
    path = read.answers.questionnaire
    questionnaire = load_questionnaire(path)
    if problems := [*wording_problems(read.answers, questionnaire), *_unpriced(read, caps)]:
        raise RecipeError(str(recipe), problems)
    return Run(
        recipe=read,
        questionnaire=questionnaire,
        recipe_text=recipe.read_text(encoding="utf-8"),
        questionnaire_text=path.read_text(encoding="utf-8"),
        # A sample has a folder of its own: it must not take the place of a whole run.
        folder=folder
        or recipe.parent / "runs" / (read.name if limit is None else f"{read.name}-{limit}-clips"),
        environ=environ,
        limit=limit,
        caps=caps,
        progress=progress,
    )


def _unpriced(recipe: Recipe, caps: Caps) -> list[Problem]:
    if caps.max_cost is None:
        return []
    if not isinstance(recipe.vlm, OpenAIBackend):
        what = "costs nothing a token, so that a cap on cost would never be reached"
        return [Problem(f"vlm.backend {recipe.vlm.backend}", what, "Leave --max-cost out")]
    if recipe.vlm.price is not None:
        return []
    fix = "Add input and output, in US dollars a million tokens"
    return [Problem("vlm.price", "is missing, and a cap on cost needs it", fix)]


def reopen_run(folder: Path) -> Run:
    """Open the folder of an earlier run by itself.

    Raises:
        InputError: The folder holds no run.
    """
    kept = folder / "recipe.json"
    if not kept.is_file():
        problem = Problem(str(kept), "no such file", "Name a folder that curate run or curate demo made")
        raise InputError(str(folder), [problem])
    questionnaire = folder / "questionnaire.yaml"
    return Run(
        recipe=Recipe.model_validate_json(kept.read_text(encoding="utf-8")),
        questionnaire=load_questionnaire(questionnaire),
        recipe_text=(folder / "recipe.yaml").read_text(encoding="utf-8"),
        questionnaire_text=questionnaire.read_text(encoding="utf-8"),
        folder=folder,
    )
