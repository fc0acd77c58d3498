"""What a release is made of: the tables of a run, and what was decided about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from curate.questionnaire import Questionnaire
from curate.recipe import Recipe

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


@dataclass(frozen=True, slots=True)
class CallTotals:
    """What the answers cost; a token count is None where the server did not tell."""

    calls: int
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None


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
