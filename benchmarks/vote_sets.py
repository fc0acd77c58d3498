"""The real sets of votes that the benchmarks of the statistics are run on.

They are no part of this repository: the folder `evidence` of the test data
folder, which the environment variable CURATE_TEST_DATA names.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from curate.labels import Evidence, evidence_from_frame
from curate.labels.evidence import Floats, Ints

DATA = Path(os.environ.get("CURATE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "evidence"

FAMILIES = {
    "adult_all": "adult",
    "affectnetc25_expression": "affectnetc25",
    "affectnetc25_valence": "affectnetc25",
    "affectnetc25_arousal": "affectnetc25",
}
"""Sets whose votes overlap or that have the same raters; every other set is a family of its own."""

CIRCULAR = "ferplus_gpt4v"
"""Its truth is the majority of these very votes: shown, but it proves nothing."""

GPT4V = ("rafdb", "enterface", "ravdess")
"""The sets of `gpt4v_emotion` with labels as truth that were asked about in more than one way."""


@dataclass(frozen=True, slots=True)
class VoteSet:
    """One set of votes."""

    name: str
    family: str
    kind: Literal["human", "machine"]
    frame: pl.DataFrame
    """Long form: clip_id, instrument, outcome, kind, and count or group where there is one."""
    evidence: Evidence
    counts: Floats
    """Votes as they came, repeated ones counted each time: (n_clips, n_classes)."""
    gold: Ints
    """-1 where unknown: (n_clips,)."""
    groups: Ints
    """The subject or source of each clip; a group of its own where none is known: (n_clips,)."""

    @property
    def tallied(self) -> bool:
        """Whether only the numbers of votes are known, not who gave which."""
        return "count" in self.frame.columns


def read_sets(kind: Literal["human", "machine"] | None = None) -> Iterator[VoteSet]:
    """Every set of people's votes of the index, then every set of several machines' votes."""
    index = pl.read_csv(DATA / "index.csv", infer_schema=False)
    for entry in index.iter_rows(named=True):
        if "human" in entry["kind"] and kind != "machine":
            yield _human(entry)
    for entry in index.iter_rows(named=True):
        if entry["name"] in ("llmbar", "tempcompass_yesno") and kind != "human":
            yield _machines(entry)
    if kind != "human":
        yield from (_gpt4v(name) for name in GPT4V)


def _human(entry: dict[str, str]) -> VoteSet:
    name, classes = entry["name"], entry["classes"].split("|")
    tallied = f"{name}.counts.csv.gz" in entry["files"]
    frame = _tallies(name, classes) if tallied else _votes(entry["files"]).with_columns(kind=pl.lit("human"))
    return _set(name, "human", frame, classes, entry["ordinal"] == "yes", _gold(name))


def _machines(entry: dict[str, str]) -> VoteSet:
    # Prompts and orders of one model are one group.
    frame = _votes(entry["files"]).with_columns(
        pl.col("kind"), group=pl.col("instrument").str.split("|").list.first()
    )
    return _set(entry["name"], "machine", frame, entry["classes"].split("|"), False, _gold(entry["name"]))


def _gpt4v(name: str) -> VoteSet:
    ranked = pl.read_csv(DATA / "gpt4v_emotion.csv.gz", infer_schema=False).filter(
        (pl.col("dataset") == name) & (pl.col("rank") == "1")
    )
    gold = dict(ranked.select("clip_id", "gold").iter_rows())
    classes = sorted(set(gold.values()))
    frame = ranked.filter(pl.col("label").is_in(classes)).select(
        "clip_id", "instrument", outcome="label", kind=pl.lit("vlm"), group=pl.lit("gpt-4v")
    )
    return _set(f"gpt4v_{name}", "machine", frame, classes, False, gold)


def _set(
    name: str,
    kind: Literal["human", "machine"],
    frame: pl.DataFrame,
    classes: list[str],
    ordinal: bool,
    truth: dict[str, str],
) -> VoteSet:
    evidence = evidence_from_frame(frame, classes, ordinal=ordinal)
    codes = {label: code for code, label in enumerate(classes)}
    gold = np.array([codes.get(truth.get(clip, ""), -1) for clip in evidence.clip_ids], dtype=np.int64)
    family = FAMILIES.get(name, "gpt4v" if name.startswith("gpt4v_") else name)
    return VoteSet(
        name, family, kind, frame, evidence, _counts(frame, evidence), gold, _groups(name, evidence)
    )


def _votes(files: str) -> pl.DataFrame:
    [name] = [name for name in files.split() if ".votes.csv" in name]
    frame = pl.read_csv(DATA / name, infer_schema=False)
    return frame.select("clip_id", "instrument", "outcome", *(["kind"] if "kind" in frame.columns else []))


def _tallies(name: str, classes: list[str]) -> pl.DataFrame:
    """Counts of people nobody can tell apart: one instrument for each modality, with one confusion matrix."""
    frame = pl.read_csv(DATA / f"{name}.counts.csv.gz", schema_overrides={"clip_id": pl.String})
    pool = pl.col("modality") if "modality" in frame.columns else pl.lit("people")
    long = frame.with_columns(instrument=pool).unpivot(
        on=classes, index=["clip_id", "instrument"], variable_name="outcome", value_name="count"
    )
    return long.filter(pl.col("count") > 0).with_columns(kind=pl.lit("human"))


def _counts(frame: pl.DataFrame, evidence: Evidence) -> Floats:
    count = pl.col("count").sum() if "count" in frame.columns else pl.len()
    long = frame.group_by("clip_id", "outcome").agg(count.alias("votes"))
    clips = {clip: row for row, clip in enumerate(evidence.clip_ids)}
    codes = {name: code for code, name in enumerate(evidence.classes)}
    counts = np.zeros((evidence.n_items, evidence.n_classes))
    for clip, outcome, votes in long.iter_rows():
        counts[clips[clip], codes[outcome]] = votes
    return counts


def _gold(name: str) -> dict[str, str]:
    path = DATA / f"{name}.gold.csv"
    return dict(pl.read_csv(path, infer_schema=False).iter_rows()) if path.exists() else {}


def _groups(name: str, evidence: Evidence) -> Ints:
    """TempCompass by video, CREMA-D by actor, EmojiHero by participant."""
    ids = pl.Series("clip_id", evidence.clip_ids, dtype=pl.String)
    if name == "tempcompass_yesno":
        named = ids.str.split("/").list.first()
    elif name == "crema_d":
        named = ids.str.slice(0, 4)
    elif name == "emojihero":
        people = pl.read_csv(DATA / "emojihero.meta.csv", infer_schema=False)
        named = ids.replace_strict(dict(people.select("clip_id", "participant").iter_rows()), default="")
    else:
        named = ids
    return named.rank("dense").cast(pl.Int64).to_numpy() - 1
