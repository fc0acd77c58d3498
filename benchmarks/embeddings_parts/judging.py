"""Labels of real pictures with and without a classifier on a poor stand-in for embeddings."""

import io
import time
import zipfile
from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image
from vote_sets import DATA

from curate.labels import evidence_from_frame, fit
from curate.labels.evaluate import accuracy, calibration_error, log_loss
from curate.labels.evidence import Evidence, Floats, Ints
from curate.labels.judge import ClipVectors, embedding_probabilities

N_PEOPLE = 100
N_EDGE_DIRECTIONS = 9
N_PIXEL_COMPONENTS = 64
CELL_PX = 8


def report_judging(n_clips: int) -> None:
    """Print a line for each kind of noise."""
    images = DATA.parent / "cifar10h_images.zip"
    if not images.is_file():
        print(f"judge: no pictures at {images}: set CURATE_TEST_DATA")
        return
    names, pictures = _pictures(images, n_clips)
    classes, shares = _shares(names)
    gold = np.array([classes.index(name.split("_")[1][:-4]) for name in names], dtype=np.int64)
    looks = ClipVectors("stand-in", tuple(name[:5] for name in names), stand_in(pictures))
    print(f"\njudge: {len(names)} pictures; accuracy / calibration error / log-loss")
    print(f"{'':38} {'classifier alone':>18} {'labels without':>18} {'labels with':>18} {'s':>6}")
    for title, labels, kind in noisy(gold, shares, np.random.default_rng(5)):
        started_s = time.perf_counter()
        judged = _judged(looks, labels, kind, classes)
        took_s = time.perf_counter() - started_s
        found = [
            judged,
            *(fit(_evidence(labels, kind, classes, added)).probabilities for added in (None, judged)),
        ]
        print(
            f"{title:38} " + " ".join(f"{_figures(one, gold):>18}" for one in found) + f" {took_s:6.1f}",
            flush=True,
        )


def noisy(gold: Ints, shares: Floats, rng: np.random.Generator) -> Iterator[tuple[str, Ints, str]]:
    """Title, labels with -1 where there is none (n_clips, n_people), and kind of instrument."""
    n_classes = shares.shape[1]
    for share in (0.1, 0.2, 0.4):
        astray = (gold + rng.integers(1, n_classes, len(gold))) % n_classes
        yield f"given, {share:.0%} wrong at random", _flipped(gold, astray, share, rng), "given"
    yield "given, 30% wrong, next class", _flipped(gold, (gold + 1) % n_classes, 0.3, rng), "given"
    for spam, most in ((0.3, 1), (0.3, 3), (0.5, 3)):
        yield f"people, 1 to {most} votes, {spam:.0%} spammers", _votes(shares, spam, most, rng), "human"


def stand_in(pictures: NDArray[np.float64]) -> Floats:
    """Directions of edges and mean colours of cells, and principal components of pixels.

    Args:
        pictures: (n, side, side, 3), from 0 to 1.
    """
    n, side = pictures.shape[:2]
    cells = (n, side // CELL_PX, CELL_PX, side // CELL_PX, CELL_PX)
    down, across = np.gradient(pictures.mean(axis=-1), axis=(1, 2))
    strength, angle = np.hypot(down, across), np.mod(np.arctan2(down, across), np.pi) / np.pi
    direction = (angle * N_EDGE_DIRECTIONS).astype(np.int64) % N_EDGE_DIRECTIONS
    masked = (np.where(direction == k, strength, 0) for k in range(N_EDGE_DIRECTIONS))
    edges = np.stack([one.reshape(cells).sum(axis=(2, 4)) for one in masked], axis=-1)
    edges /= np.linalg.norm(edges, axis=-1, keepdims=True) + 0.1
    colours = pictures.reshape(*cells, 3).mean(axis=(2, 4))
    flat = pictures.reshape(n, -1) - pictures.reshape(n, -1).mean(axis=0)
    components = np.linalg.svd(flat[:2000], full_matrices=False)[2][:N_PIXEL_COMPONENTS]
    return np.hstack([edges.reshape(n, -1), colours.reshape(n, -1), flat @ components.T])


def _pictures(images: object, n_clips: int) -> tuple[list[str], NDArray[np.float64]]:
    """Some at random: names "00000_cat.jpg", and pixels (n_clips, 32, 32, 3)."""
    with zipfile.ZipFile(str(images)) as opened:
        names = sorted(name for name in opened.namelist() if name.endswith(".jpg"))
        chosen = np.random.default_rng(0).choice(len(names), min(n_clips, len(names)), replace=False)
        names = [names[place] for place in np.sort(chosen)]
        pixels = [np.asarray(Image.open(io.BytesIO(opened.read(name))).convert("RGB")) for name in names]
    return names, np.stack(pixels) / 255


def _shares(names: list[str]) -> tuple[list[str], Floats]:
    """Classes, and the real people's votes on each picture as shares: (n_clips, n_classes)."""
    counts = pl.read_csv(DATA / "cifar10h.counts.csv.gz", schema_overrides={"clip_id": pl.String})
    classes = counts.columns[1:]
    wanted = pl.DataFrame({"clip_id": [name[:5] for name in names]})
    votes = wanted.join(counts, on="clip_id", maintain_order="left").select(classes).to_numpy()
    return classes, votes / votes.sum(axis=1, keepdims=True)


def _flipped(gold: Ints, wrong: Ints, share: float, rng: np.random.Generator) -> Ints:
    return np.where(rng.random(len(gold)) < share, wrong, gold)[:, None]


def _votes(shares: Floats, spam: float, most: int, rng: np.random.Generator) -> Ints:
    n_clips, n_classes = shares.shape
    spams = rng.random(N_PEOPLE) < spam
    votes = np.full((n_clips, N_PEOPLE), -1)
    for clip, n_votes in enumerate(rng.integers(1, most + 1, n_clips)):
        people = rng.choice(N_PEOPLE, n_votes, replace=False)
        honest = rng.choice(n_classes, n_votes, p=shares[clip])
        votes[clip, people] = np.where(spams[people], rng.integers(0, n_classes, n_votes), honest)
    return votes


def _judged(looks: ClipVectors, labels: Ints, kind: str, classes: list[str]) -> Floats:
    """What the classifier says, taught by the labels: (n_clips, n_classes)."""
    given = [classes[code] if kind == "given" else None for code in labels[:, 0]]
    clips = pl.DataFrame(
        {"clip_id": looks.clip_ids, "group": None, "label_given": given},
        schema={"clip_id": pl.String, "group": pl.String, "label_given": pl.String},
    )
    cast = np.argwhere(labels >= 0) if kind == "human" else np.empty((0, 2), dtype=np.int64)
    votes = pl.DataFrame(
        {
            "clip_id": [looks.clip_ids[clip] for clip, _ in cast],
            "label": [classes[labels[clip, person]] for clip, person in cast],
        },
        schema={"clip_id": pl.String, "label": pl.String},
    )
    found = embedding_probabilities(looks, clips, votes, tuple(classes))
    return np.array(found["probs"].to_list())


def _evidence(labels: Ints, kind: str, classes: list[str], judged: Floats | None) -> Evidence:
    clip, person = np.nonzero(labels >= 0)
    frame = pl.DataFrame(
        {
            "clip_id": [f"{number:05}" for number in clip],
            "instrument": ["given" if kind == "given" else f"person {number:03}" for number in person],
            "outcome": [classes[code] for code in labels[clip, person]],
            "kind": kind,
        }
    )
    if judged is not None:
        ids = [f"{number:05}" for number in range(len(judged))]
        said = {"clip_id": ids, "instrument": "classifier", "probs": judged.tolist(), "kind": "model"}
        frame = pl.concat([frame, pl.DataFrame(said)], how="diagonal")
    return evidence_from_frame(frame, classes)


def _figures(probabilities: Floats, gold: Ints) -> str:
    right, error = accuracy(probabilities.argmax(axis=1), gold), calibration_error(probabilities, gold)
    return f"{right:.4f}/{error:.3f}/{log_loss(probabilities, gold):5.3f}"
