"""A small world whose truth is known: noisy given labels, and items that a model answered."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

CLASSES = ("low", "middle", "high")
OPTIONS = ("never", "sometimes", "always", "cannot be seen")
FRAME_SCHEMA = {
    "clip_id": pl.String,
    "instrument": pl.String,
    "kind": pl.String,
    "outcome": pl.String,
    "probs": pl.List(pl.Float64),
}


@dataclass(frozen=True)
class World:
    given: pl.DataFrame
    """One noisy label a clip, right for 70 %."""
    items: pl.DataFrame
    """Soft answers to four telling items ("item:0" to "item:3") and one that tells nothing ("item:4")."""
    truth: np.ndarray
    """Codes into CLASSES, in the order of the clip ids."""

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        return {f"item:{number}": OPTIONS for number in range(5)}


def draw_world(n_clips: int = 400, seed: int = 0) -> World:
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n_clips, p=[0.2, 0.5, 0.3])
    given = np.where(rng.random(n_clips) < 0.7, truth, (truth + rng.integers(1, 3, n_clips)) % 3)
    given_rows = [(f"c{i:04}", "given", "given", CLASSES[given[i]], None) for i in range(n_clips)]
    item_rows = []
    for number in range(5):
        leaning = truth if number < 4 else rng.integers(0, 3, n_clips)
        logits = -1.5 * (leaning[:, None] - np.arange(3)) ** 2 + rng.normal(0, 1, (n_clips, 3))
        seen = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        probs = np.hstack([0.95 * seen, np.full((n_clips, 1), 0.05)])
        item_rows += [(f"c{i:04}", f"item:{number}", "vlm", None, probs[i].tolist()) for i in range(n_clips)]
    frames = (pl.DataFrame(rows, schema=FRAME_SCHEMA, orient="row") for rows in (given_rows, item_rows))
    return World(*frames, truth)


@pytest.fixture(scope="session")
def world() -> World:
    return draw_world()


@pytest.fixture(scope="session")
def useless_world() -> World:
    """The same, but each item's answers belong to other clips: they tell nothing."""
    world = draw_world()
    clips = world.given["clip_id"].to_list()
    moved = dict(zip(clips, np.random.default_rng(1).permutation(clips).tolist(), strict=True))
    items = world.items.with_columns(pl.col("clip_id").replace_strict(moved))
    return World(world.given, items, world.truth)
