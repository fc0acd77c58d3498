"""Looking at scale: clips into FiftyOne beside its own add_samples, and the report of a million clips.

    python benchmarks/looking.py [--clips N] [--report-clips N]

The first part writes a release of 10,000 clips into FiftyOne as `curate view` does: read, fields, saved
views, all of it. Beside it, FiftyOne's own bulk `add_samples` writes the very same samples into another
dataset; making those samples is not counted. Once without and once with a person's box at four moments of
every clip. It needs FiftyOne and its database (extra view), and works in a database of its own.

The second part measures `curate report` in a process of its own, on a run of 1,000,000 clips with
5,000,000 answers, 4,000,000 moments, 1,000,000 votes and calls.

Exits with 1 if the first takes more than 1.3 times as long, or the report more than 60 s or 1 GB.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from looking_parts.database import own_mongod
from looking_parts.drawn import CLASSES, RECIPE_TEXT, drawn_tables, questionnaire, recipe

from curate.release.compare.edition import Edition
from curate.release.content import HowAsked, ReleaseContent, Tables
from curate.release.dataset import write_release
from curate.release.metrics import measure

_MEASURED = """
import resource, subprocess, sys, time
started_s = time.perf_counter()
subprocess.run([sys.argv[1], "report", sys.argv[2]], check=True, stdout=subprocess.DEVNULL)
print(time.perf_counter() - started_s, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""
MOST_TIMES, MOST_S, MOST_BYTES = 1.3, 60.0, 1_000_000_000


def main() -> int:
    """Print what was measured; 1 if it is more than it may be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--report-clips", type=int, default=1_000_000)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part == "make run":
        return _make_run(asked.folder, asked.report_clips)
    if asked.part is not None:
        return _fiftyone(asked.folder, asked.clips, boxes=asked.part == "boxes")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        missed = [_viewed(Path(folder), asked.clips, part) for part in ("plain", "boxes")]
        missed.append(_reported(Path(folder) / "run", asked.report_clips))
    return int(any(missed))


def _viewed(folder: Path, n_clips: int, part: str) -> bool:
    """Both ways into FiftyOne, in a process whose home and database are its own."""
    home = folder / f"home {part}"
    with own_mongod(home / "database") as address:
        environ = os.environ | {"HOME": str(home), "FIFTYONE_DATABASE_URI": address}
        done = _python(["--part", part, "--clips", str(n_clips), "--folder", str(folder / part)], environ)
    ours_s, theirs_s, made_s, again_s = map(float, done.split()[-4:])
    label = "with boxes" if part == "boxes" else "without boxes"
    print(f"{n_clips:,} clips into FiftyOne, {label}: {ours_s:.1f} s, a second time {again_s:.1f} s")
    print(f"add_samples of the same samples: {theirs_s:.1f} s, and {made_s:.1f} s to make them")
    print(f"{ours_s / theirs_s:.2f} times as long")
    return ours_s > MOST_TIMES * theirs_s


def _reported(run: Path, n_clips: int) -> bool:
    _python(["--part", "make run", "--report-clips", str(n_clips), "--folder", str(run)], dict(os.environ))
    program = str(Path(sys.executable).with_name("curate"))
    # From a process of its own, for a child begins with the largest size that its parent ever had.
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, program, str(run)], check=True, stdout=subprocess.PIPE, text=True
    )
    took_s, n_bytes = (float(number) for number in done.stdout.split())
    size = (run / "report.html").stat().st_size
    told = f"{took_s:.1f} s, {n_bytes / 1e9:.2f} GB resident, {size:,} bytes"
    print(f"report of {n_clips:,} clips: {told}")
    return took_s > MOST_S or n_bytes > MOST_BYTES


def _python(arguments: list[str], environ: dict[str, str]) -> str:
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environ).stdout


def _fiftyone(folder: Path, n_clips: int, *, boxes: bool) -> int:
    release = _release(folder, n_clips, boxes=boxes)
    media = folder.with_suffix(".mp4")
    media.write_bytes(b"a video")
    from curate.show.view.part import load_fiftyone

    fiftyone = load_fiftyone()
    from curate.show.places import Places
    from curate.show.view.dataset import write_datasets
    from curate.show.view.scene import read_scene

    def write() -> float:
        started_s = time.perf_counter()
        scene = read_scene(release)
        files = dict.fromkeys(scene.clips["clip_id"], media)
        write_datasets(release, scene, Places(files, ()), "ours")
        return time.perf_counter() - started_s

    ours_s = write()
    started_s = time.perf_counter()
    samples = [_copy(fiftyone, sample) for sample in fiftyone.load_dataset("ours")]
    made_s = time.perf_counter() - started_s
    other = fiftyone.Dataset("theirs")
    started_s = time.perf_counter()
    other.add_samples(samples, progress=False)
    theirs_s = time.perf_counter() - started_s
    assert len(other) == n_clips
    print(ours_s, theirs_s, made_s, write())
    return 0


def _copy(fiftyone: Any, sample: Any) -> Any:
    """The same sample, of no dataset yet."""
    return fiftyone.Sample.from_dict(sample.to_dict(include_frames=True))


def _release(folder: Path, n_clips: int, *, boxes: bool) -> Edition:
    asked, questions = recipe(), questionnaire()
    made = drawn_tables(n_clips, boxes=boxes)
    metrics = measure(made, CLASSES, HowAsked(questions, asked.answers))
    content = ReleaseContent(
        recipe=asked,
        questionnaire=questions,
        tables=made,
        metrics=metrics,
        media=lambda uri: b"",
        recipe_text=RECIPE_TEXT,
        questionnaire_text="name: large\n",
    )
    write_release(folder, content)
    return Edition(folder)


def _make_run(folder: Path, n_clips: int) -> int:
    """A finished run's folder, as far as a report reads it."""
    folder.mkdir(parents=True)
    made = drawn_tables(n_clips)
    for name in Tables.__slots__:
        getattr(made, name).write_parquet(folder / f"{name}.parquet", row_group_size=100_000)
    made.gold.write_parquet(folder / "gold-truth.parquet")
    (folder / "recipe.json").write_text(recipe().model_dump_json())
    (folder / "recipe.yaml").write_text(RECIPE_TEXT)
    items = [item.model_dump(mode="json", exclude_defaults=True) for item in questionnaire().items]
    (folder / "questionnaire.yaml").write_text(
        json.dumps({"name": "large", "about": "Cues.", "items": items})
    )
    counts = {"clips": {"not_sampled": 0}, "answers": {"left_out": 0, "failed": 0}}
    stages = {
        name: {"key": "", "outputs": {}, "counts": told, "duration_s": 0.0} for name, told in counts.items()
    }
    (folder / "manifest.json").write_text(json.dumps({"stages": stages}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
