"""What a release is made of: the tables of a run, and what was decided about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from curate.questionnaire import Questionnaire
from curate.recipe import Answers, Price, Recipe

Metrics = dict[str, Any]
"""Measured facts as nested plain numbers, ready for JSON; `curate.release.metrics` makes them."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one run, each as schemas/ declares it."""

    clips: pl.DataFrame
    labels: pl.DataFrame
    answers: pl.DataFrame
    votes: pl.DataFrame
    gold: pl.DataFrame
    frames: pl.DataFrame
    evidence: pl.DataFrame
    problems: pl.DataFrame
    instruments: pl.DataFrame
    confusions: pl.DataFrame
    cautions: pl.DataFrame
    certificates: pl.DataFrame
    quality: pl.DataFrame
    cross_check: pl.DataFrame
    context: pl.DataFrame
    reasons: pl.DataFrame
    calls: pl.DataFrame


@dataclass(frozen=True, slots=True)
class HowAsked:
    """What the tables do not say of the asking."""

    questionnaire: Questionnaire
    answers: Answers
    """The recipe's section."""
    price: Price | None = None
    """What tokens cost, where the recipe says it."""
    prefix_queries: int | None = None
    """Prompt tokens that the server looked up in its prefix cache, by its own count; None where it
    tells none."""
    prefix_hits: int | None = None
    """Those of them that it found."""


@dataclass(frozen=True, slots=True)
class ReleaseContent:
    """Everything that `write_release` needs."""

    recipe: Recipe
    questionnaire: Questionnaire
    tables: Tables
    metrics: Metrics
    media: Callable[[str], bytes]
    """The media's bytes, by the `uri` of the clips table."""
    models: tuple[str, ...] = ()
    """Models that answered, each as model@revision."""
    recipe_text: str = ""
    """The recipe as it was written."""
    questionnaire_text: str = ""
    """The questionnaire as it was written."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """How the run came about: versions, seeds, hashes; ready for JSON."""

    @property
    def title(self) -> str:
        """The dataset's name for people."""
        return self.recipe.release.title or self.recipe.name
