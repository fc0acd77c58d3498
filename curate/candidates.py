"""What of a run a person should look at next: its clips as candidates, and the choice among them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from curate.labels.judge import clip_vectors
from curate.labels.queue import Aim
from curate.recipe import CertificateSplit
from curate.run_folder import Run
from curate.sequences.parts import read_parts
from curate.show.review.choose import (
    Candidates,
    Choice,
    Wish,
    choose,
    expected_look_s,
    reviewer_confusion,
)
from curate.show.review.exports import read_exports
from curate.show.review.ledger import read_ledger


@dataclass(frozen=True, slots=True)
class Asked:
    """What `curate review export` is asked for."""

    size: int = 50
    control: float = 0.2
    towards: Literal["posterior", "certificate"] = "posterior"
    show_labels: bool = False
    """Whether reviewers see what is believed so far; it sways them."""
    leave_out_handed: bool = False
    """Whether clips of earlier exports that nobody has decided yet are left out."""


def choose_next(run: Run, asked: Asked) -> Choice:
    """Choose the next clips of a finished run.

    Raises:
        InputError: The run is not finished.
    """
    clips, ledger, handed = run.read("clips"), read_ledger(run.folder), read_exports(run.folder)
    labels = run.read("labels").join(
        clips.select("clip_id"), on="clip_id", how="right", maintain_order="right"
    )
    posterior = np.array(labels["posterior"].to_list()).reshape(clips.height, -1)
    done = {*run.read("gold")["clip_id"], *ledger["clip_id"]}
    if asked.leave_out_handed:
        done |= {clip_id for export in handed.exports for clip_id in export.clip_ids}
    split = run.recipe.labels.split
    error = split.error if isinstance(split, CertificateSplit) else Aim().error
    candidates = Candidates(
        clip_ids=tuple(clips["clip_id"]),
        classes=run.classes,
        posterior=posterior,
        confusion=reviewer_confusion(len(run.classes)),
        labels=_codes(labels["label_given"], run.classes),
        look_s=_look_s(clips, ledger),
        known=clips["clip_id"].is_in(list(done)).to_numpy(),
        groups=_groups(clips),
        embeddings=_embeddings(run, clips),
    )
    wish = Wish(asked.size, asked.control, Aim(asked.towards, error))
    return choose(candidates, wish, handed.drawn_through)


def _codes(labels: pl.Series, classes: tuple[str, ...]) -> np.ndarray:
    """Class of each label, -1 without: (n_clips,)."""
    place = {name: code for code, name in enumerate(classes)}
    return labels.replace_strict(place, default=-1, return_dtype=pl.Int64).to_numpy()


def _groups(clips: pl.DataFrame) -> np.ndarray | None:
    """A number for each clip, the same for clips of one subject; None where nothing tells: (n_clips,)."""
    if not clips["group"].count():
        return None
    alone = pl.concat_str(pl.lit("\0"), "clip_id")
    return clips.select(pl.coalesce("group", alone).rank("dense")).to_series().to_numpy()


def _look_s(clips: pl.DataFrame, ledger: pl.DataFrame) -> np.ndarray:
    durations = clips.select("clip_id", pl.col("duration_s").fill_null(0.0))
    timed = ledger.drop_nulls("took_s").join(durations, on="clip_id")
    return expected_look_s(
        durations["duration_s"].to_numpy(), timed["took_s"].to_numpy(), timed["duration_s"].to_numpy()
    )


def _embeddings(run: Run, clips: pl.DataFrame) -> np.ndarray | None:
    """What clips look like, where every one of them was embedded."""
    looks = clip_vectors(read_parts(run.parts("embeddings"), "embeddings"))
    place = {clip_id: row for row, clip_id in enumerate(looks.clip_ids)}
    if not looks.clip_ids or not set(clips["clip_id"]) <= place.keys():
        return None
    return looks.vectors[[place[clip_id] for clip_id in clips["clip_id"]]]
