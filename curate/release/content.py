"""What a release is made of: the tables of a run, and what was decided about them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from curate.errors import ReleaseError
from curate.questionnaire import Questionnaire
from curate.recipe import Answers, Price, Recipe
from curate.release.compare.edition import Edition
from curate.sequences.shapes import SequenceName
from curate.tables import TableName

Metrics = dict[str, Any]
"""Measured facts as nested plain numbers, ready for JSON; `curate.release.metrics` makes them."""


LONG_TABLES: tuple[TableName, ...] = ("answers", "votes")
"""Tables that are configs of their own."""
PROVENANCE_TABLES: tuple[TableName, ...] = (
    "problems",
    "frames",
    "evidence",
    "labels",
    "instruments",
    "confusions",
    "cautions",
    "certificates",
    "quality",
    "cross_check",
    "context",
    "reasons",
    "calls",
    "ties",
    "leakage",
)
"""Tables that say how the rest came about."""


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
    splits: pl.DataFrame
    ties: pl.DataFrame
    leakage: pl.DataFrame

    def only(self, clip_ids: Collection[str]) -> "Tables":
        """The same without a row about any other clip."""
        mine = pl.col("clip_id").is_in(list(clip_ids))
        every = {part.name: getattr(self, part.name) for part in fields(self)}
        about = {name: frame.filter(mine) for name, frame in every.items() if "clip_id" in frame.columns}
        return replace(self, **about)


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


@dataclass(frozen=True, slots=True, eq=False)
class FurtherModel:
    """What another model answered about the same clips, in a run of its own."""

    model: str
    """As model@revision."""
    answers: pl.DataFrame
    """Table answers."""
    calls: pl.DataFrame
    """Table calls."""
    questionnaire: Questionnaire
    questionnaire_text: str
    """As it was written."""


@dataclass(frozen=True, slots=True)
class StandIn:
    """Media that are released in place of a clip's own."""

    file: Path
    sha256: str

    def read(self) -> bytes:
        """The bytes.

        Raises:
            ReleaseError: The file is gone.
        """
        if not self.file.is_file():
            raise ReleaseError(f"{self.file}: is gone. Run again")
        return self.file.read_bytes()


@dataclass(frozen=True, slots=True)
class ReleaseContent:
    """Everything that `write_release` needs."""

    recipe: Recipe
    questionnaire: Questionnaire
    tables: Tables
    metrics: Metrics
    media: Callable[[str], bytes]
    """The media's bytes, by the `uri` of the clips table."""
    stand_ins: Mapping[str, StandIn] = field(default_factory=dict)
    """What is released in place of a clip's own media, by clip id."""
    sequences: Mapping[SequenceName, Path] = field(default_factory=dict)
    """Folders of parts of the tables that have all frames of a clip in a row."""
    models: tuple[str, ...] = ()
    """Models that answered, each as model@revision."""
    recipe_text: str = ""
    """The recipe as it was written."""
    questionnaire_text: str = ""
    """The questionnaire as it was written."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """How the run came about: versions, seeds, hashes; ready for JSON."""

    stored: Mapping[TableName, Path] = field(default_factory=dict)
    """Files of tables that need not be in `tables`, being larger than all else together: they are read
    where they lie, a part at a time."""
    further: tuple[FurtherModel, ...] = ()
    """Other models' answers that were weighed as well."""
    previous: Edition | None = None
    """The release before this one."""

    def scan(self, name: Literal["answers", "frames"]) -> pl.LazyFrame:
        """A table, wherever it is; where it is stored, some rows may be of clips that are not released."""
        place, kept = self.stored.get(name), getattr(self.tables, name)
        return kept.lazy() if place is None else pl.scan_parquet(place)

    @property
    def title(self) -> str:
        """The dataset's name for people."""
        return self.recipe.release.title or self.recipe.name
