"""Every problem of a recipe and of what it names, at once; no model is called."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from curate.answers.schedule import wording_problems
from curate.clips.check import clip_problems
from curate.errors import Problem, QuestionnaireError, RecipeError
from curate.in_vain import asked_in_vain
from curate.questionnaire import load_questionnaire
from curate.recipe import (
    Answers,
    DatasetClips,
    Evaluation,
    FolderClips,
    OpenAIBackend,
    ReplayBackend,
    Task,
    TransformersBackend,
    VllmBackend,
    load_recipe,
    sound_sections,
)
from curate.release_check import release_problems
from curate.sections import Section
from curate.seeing_check import seeing_problems
from curate.vlm.backends import missing_key


def check(path: Path, environ: Mapping[str, str]) -> list[Problem]:
    """Problems of recipe, questionnaire, model settings, label files and media; empty if there are none.

    A section of the recipe that is wrong does not hide the problems of what
    the other sections name.
    """
    problems, sections = _recipe(path)
    answers, task, clips = sections.get("answers"), sections.get("task"), sections.get("clips")
    evaluation = sections.get("evaluation")
    truth = evaluation.truth if isinstance(evaluation, Evaluation) else None
    if isinstance(answers, Answers):
        problems += _questionnaire(answers)
    problems += asked_in_vain(sections)
    problems += seeing_problems(sections)
    problems += release_problems(sections)
    problems += vlm_problems(sections.get("vlm"), environ)
    if isinstance(clips, FolderClips | DatasetClips):
        problems += clip_problems(clips, task.classes if isinstance(task, Task) else None, truth)
        problems += _nothing_tells(clips, task)
    return problems


def _recipe(path: Path) -> tuple[list[Problem], Mapping[str, Section]]:
    try:
        recipe = load_recipe(path)
    except RecipeError as error:
        return list(error.problems), sound_sections(path)
    return [], {name: getattr(recipe, name) for name in type(recipe).model_fields if name != "name"}


def _questionnaire(answers: Answers) -> list[Problem]:
    path = answers.questionnaire
    try:
        return wording_problems(answers, load_questionnaire(path))
    except QuestionnaireError as error:
        return [Problem(f"{path.name}: {found.where}", found.what, found.fix) for found in error.problems]


def _nothing_tells(clips: FolderClips | DatasetClips, task: Section | None) -> list[Problem]:
    label = clips.labels is not None if isinstance(clips, FolderClips) else clips.label is not None
    if label or clips.votes or clips.classifiers or not isinstance(task, Task) or task.ordinal:
        return []
    what = "names no labels, votes or classifiers, so nothing can tell which clip is of which class"
    return [Problem("clips", what, "Name a file of labels or votes for some of the clips")]


def vlm_problems(vlm: Section | None, environ: Mapping[str, str]) -> list[Problem]:
    """What stands in the way of asking a model, as far as that can be told without asking it."""
    if isinstance(vlm, OpenAIBackend):
        return [problem] if (problem := missing_key(vlm, environ)) else []
    if isinstance(vlm, TransformersBackend) and importlib.util.find_spec("transformers") is None:
        return [Problem("vlm.backend", "transformers is not installed", "pip install torch transformers")]
    if isinstance(vlm, VllmBackend) and importlib.util.find_spec("vllm") is None:
        return [Problem("vlm.backend", "vllm is not installed", "pip install vllm")]
    if isinstance(vlm, ReplayBackend) and not vlm.ledger.is_file():
        return [
            Problem("vlm.ledger", f"{vlm.ledger}: no such file", "Name the ledger.sqlite of an earlier run")
        ]
    return []
