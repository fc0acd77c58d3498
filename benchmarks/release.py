"""Releases at scale: writing, validating and comparing beside pyarrow, which only writes the same tables.

    python benchmarks/release.py [--clips N] [--items N]

A release of 1,000,000 clips without media and 5,000,000 answers is written with a
previous release at hand, of which 2 % of the labels and 1 % of the answers were others:
that writes it, validates it and compares both. Beside it, pyarrow writes the same tables with the same
compression. Each runs in a process of its own; memory is the largest resident size
less what the tables took before. A second part writes 20 and 200 clips of 2 MB of media.

Exits with 1 if writing, validating and comparing take more than 2 times what pyarrow
takes, more than 2 GB (both are missed at present), or if memory grows with the bytes of media.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from partial_table import drawn_clips, partial_table

from curate import tables
from curate.questionnaire import Item, Questionnaire
from curate.recipe import Recipe
from curate.release.compare.edition import Edition
from curate.release.content import HowAsked, ReleaseContent, Tables
from curate.release.dataset import write_release
from curate.release.metrics import measure

CLASSES = ("low", "middle", "high")
MOST_TIMES, MOST_BYTES = 2.0, 2_000_000_000
CHANGED = 0.02


def main() -> int:
    """Print what was measured; 1 if it is more than it may be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=5, help="answers a clip")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        return _part(asked.part, asked.clips, asked.items, asked.folder)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        return _whole(asked.clips, asked.items, Path(folder))


def _whole(n_clips: int, n_items: int, folder: Path) -> int:
    for part in ("make first", "make second", "first"):
        _measured(part, n_clips, n_items, folder)
    arrow_s, _ = _measured("pyarrow", n_clips, n_items, folder)
    same_s, _ = _measured("pyarrow same", n_clips, n_items, folder)
    held_bytes = _measured("hold", n_clips, n_items, folder)[1]
    ours_s, n_bytes = _measured("second", n_clips, n_items, folder)
    print(f"{n_clips:,} clips, {n_clips * n_items:,} answers")
    print(f"pyarrow writes the tables:                 {arrow_s:6.1f} s")
    print(f"... with our settings, and reads them back: {same_s:6.1f} s")
    times = ours_s / arrow_s
    print(f"curate writes, validates and compares them: {ours_s:6.1f} s, {times:.2f} times as long")
    held = f"{held_bytes / 1e9:.2f} GB of it to hold the run's tables"
    print(f"largest resident size:                     {n_bytes / 1e9:6.2f} GB, {held}")
    few, many = (_measured("media", n, n_items, folder)[1] for n in (20, 200))
    print(f"media: 40 MB with {few / 1e6:.0f} MB resident, 400 MB with {many / 1e6:.0f} MB")
    grows = many - few > 100_000_000
    return int(ours_s > MOST_TIMES * arrow_s or n_bytes > MOST_BYTES or grows)


def _measured(part: str, n_clips: int, n_items: int, folder: Path) -> tuple[float, int]:
    """Seconds and bytes that a process of its own tells."""
    arguments = ["--part", part, "--clips", str(n_clips), "--items", str(n_items), "--folder", str(folder)]
    done = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    seconds, n_bytes = done.stdout.split()[-2:]
    return float(seconds), int(n_bytes)


def _part(part: str, n_clips: int, n_items: int, folder: Path) -> int:
    """One measurement; tables are made in processes of their own, and read as a run's are."""
    if part.startswith("make "):
        _keep(folder / f"tables {part[5:]}", _tables(n_clips, n_items, changed=part == "make second"))
    started_s = time.perf_counter()
    match part:
        case "first" | "second":
            place = folder / f"tables {part}"
            content = _released(_read(place), _questionnaire(n_items))
            content = replace(content, stored={"answers": place / "answers.parquet"})
            earlier = Edition(folder / "first") if part == "second" else None
            started_s = time.perf_counter()
            write_release(folder / part, replace(content, previous=earlier))
        case "media":
            content = _with_media(
                _released(_tables(n_clips, n_items, changed=False), _questionnaire(n_items))
            )
            write_release(folder / f"media-{n_clips}", content)
        case "hold":
            _read(folder / "tables second")
        case "pyarrow":
            started_s = _write_plainly(folder)
        case "pyarrow same":
            ours = {"use_content_defined_chunking": True, "write_page_checksum": True}
            started_s = _write_plainly(folder, **ours)
            for path in (folder / "plain").iterdir():
                pq.read_table(path)
    took_s = time.perf_counter() - started_s
    print(took_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    return 0


def _keep(folder: Path, made: Tables) -> None:
    folder.mkdir()
    for name in Tables.__slots__:
        getattr(made, name).write_parquet(folder / f"{name}.parquet", row_group_size=100_000)


def _read(folder: Path) -> Tables:
    """The tables as a run hands them on: answers stay in their file."""
    files = {name: folder / f"{name}.parquet" for name in Tables.__slots__}
    read = {name: pl.read_parquet(path) for name, path in files.items() if name != "answers"}
    return Tables(**read, answers=tables.empty("answers"))


def _write_plainly(folder: Path, **settings: bool) -> float:
    """Write the tables of the first release again, each as it is read; when writing began."""
    files = sorted((folder / "first").rglob("*.parquet"))
    read = [(path, pq.read_table(path)) for path in files]
    plain = folder / "plain"
    plain.mkdir(exist_ok=True)
    started_s = time.perf_counter()
    for number, (_, table) in enumerate(read):
        pq.write_table(table, plain / f"{number}.parquet", compression="zstd", **settings)
    return started_s


def _tables(n_clips: int, n_items: int, *, changed: bool) -> Tables:
    rng = np.random.default_rng(0)
    ids = pl.Series("clip_id", [f"{number:016x}" for number in range(n_clips)])
    given = rng.integers(3, size=n_clips)
    posterior = rng.dirichlet([1.0, 1.0, 1.0], n_clips)
    if changed:
        other = rng.random(n_clips) < CHANGED
        posterior[other] = posterior[other][:, [2, 0, 1]]
    refined = posterior.argmax(axis=1)
    names = np.array(CLASSES)
    reliability = posterior[np.arange(n_clips), given]
    splits = np.array(["train", "validation", "test"])[rng.choice(3, n_clips, p=[0.8, 0.1, 0.1])]
    questionnaire = _questionnaire(n_items)
    clips = drawn_clips(ids, names[given], splits, rng)
    why = [
        [
            {"instrument": "given", "outcome": CLASSES[code], "log_odds": 0.5},
            {"instrument": "rest", "log_odds": 0.1},
        ]
        for code in range(3)
    ]
    labels = partial_table(
        "labels",
        clip_id=ids,
        label_given=names[given],
        posterior=posterior,
        soft_label=posterior.astype(np.float32),
        label_refined=names[refined],
        confidence=posterior.max(axis=1),
        expected_value=posterior @ np.arange(3),
        spread=rng.random(n_clips),
        reliability=reliability,
        reliability_split=np.where(reliability >= 0.5, "high", "low"),
        why=[why[code] for code in given],
    )
    made = {
        "clips": clips,
        "labels": labels,
        "answers": _answers(ids, questionnaire, changed=changed),
        "evidence": partial_table(
            "evidence",
            clip_id=ids,
            instrument=["given"] * n_clips,
            kind=["given"] * n_clips,
            outcome=names[given],
        ),
        "splits": partial_table("splits", clip_id=ids, split=splits, unit=ids.rename("unit")),
    }
    every = {name: made.get(name, tables.empty(name)) for name in Tables.__slots__}  # type: ignore[arg-type]
    return Tables(**every)


def _answers(ids: pl.Series, questionnaire: Questionnaire, *, changed: bool) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    n_items, n = len(questionnaire.items), len(ids) * len(questionnaire.items)
    probs = rng.dirichlet([1.0, 1.0, 1.0, 0.2], n)
    options = np.array(questionnaire.items[0].all_options)
    if changed:
        probs[::100] = probs[::100, ::-1]
    top = probs.argmax(axis=1)
    return partial_table(
        "answers",
        clip_id=ids.gather(np.repeat(np.arange(len(ids)), n_items)),
        item=np.tile([item.id for item in questionnaire.items], len(ids)),
        variant=["base"] * n,
        control=["none"] * n,
        outcome=np.where(top == 3, "unseen", "answered"),
        answer=options[top],
        told=probs,
        probs=probs,
        expected=rng.random(n),
        spread=rng.random(n),
        source=["logprobs"] * n,
        mask=["after_mask"] * n,
        receipt=["0" * 64] * n,
        calls=[[]] * n,
    )


def _questionnaire(n_items: int) -> Questionnaire:
    items = [
        Item(
            id=f"item_{number}",
            ask=f"Question {number}?",
            options=("no", "some", "yes"),
            why="It goes with it.",
        )
        for number in range(n_items)
    ]
    return Questionnaire(name="bench", about="Cues.", items=tuple(items))


def _released(made: Tables, questionnaire: Questionnaire) -> ReleaseContent:
    recipe = Recipe.model_validate(
        {
            "name": "bench",
            "task": {"classes": CLASSES},
            "clips": {"source": "folder", "path": "clips"},
            "vlm": {"backend": "openai", "model": "none"},
            "release": {"licence": "cc0-1.0", "media": "none"},
        }
    )
    few = made.only(made.clips["clip_id"].head(500).to_list())
    metrics = measure(few, CLASSES, HowAsked(questionnaire, recipe.answers))
    metrics["counts"] |= {"clips": made.clips.height}
    return ReleaseContent(
        recipe=recipe,
        questionnaire=questionnaire,
        tables=made,
        metrics=metrics,
        media=lambda uri: b"",
        recipe_text="name: bench\n",
        questionnaire_text="name: bench\n",
    )


def _with_media(content: ReleaseContent) -> ReleaseContent:
    """The same with 2 MB of media a clip, made when they are asked for."""
    import hashlib

    def media(uri: str) -> bytes:
        return np.random.default_rng(int(uri.removesuffix(".mp4"))).bytes(2_000_000)

    digests = [hashlib.sha256(media(uri)).hexdigest() for uri in content.tables.clips["uri"]]
    clips = content.tables.clips.with_columns(pl.Series("sha256", digests))
    embedded = content.recipe.release.model_copy(update={"media": "embed"})
    return replace(
        content,
        tables=replace(content.tables, clips=clips),
        media=media,
        recipe=content.recipe.model_copy(update={"release": embedded}),
    )


if __name__ == "__main__":
    sys.exit(main())
