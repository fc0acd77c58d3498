"""Does a curated release train a better model? The demo's release, arms at the same compute, unseen subjects.

    python benchmarks/trainer.py [--seeds N] [--jobs N] [--demo FOLDER] [--out FOLDER]

Runs the demo (given labels are wrong on purpose, the truth is known, no subject
of test is in train), trains a student of key points on every arm with every
seed, and compares them on test against the truth: macro-F1 and the rest with
95 % intervals over subjects and seeds. The arms `curriculum-...` each lack one
part of the curriculum: what each part adds.

Exits with 1 if `curriculum` is not above `given` and above `random-split`: if
an interval, over subjects and seeds or over seeds alone, holds zero.
"""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from curate.demo.demonstrate import N_CLIPS, SEED, demonstrate
from train_reference.compare import compare_arms, words
from train_reference.curriculum.arms import ABLATIONS, ARMS
from train_reference.evaluation.comparison import Comparison
from train_reference.settings import read_settings

MEASURE = "macro_f1"


def main() -> int:
    """Print the tables; 1 if the curriculum was not shown to help."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--demo-seed", type=int, default=SEED)
    parser.add_argument("--clips", type=int, default=N_CLIPS)
    parser.add_argument("settings", nargs="*", metavar="key=value", help="of the trainer")
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        demo = Path(folder) / "demo"
        demonstrate(demo, lambda stage, done, total: None, n_clips=asked.clips, seed=asked.demo_seed)
        found = compare_arms(
            str(demo / "run" / "release"),
            read_settings(["modalities=keypoints", "threads=1", *asked.settings]),
            Path(folder) / "compared",
            (*ARMS, *ABLATIONS),
            range(asked.seeds),
            truth=demo / "truth.csv",
            jobs=asked.jobs,
        )
    print(f"demo seed {asked.demo_seed}, {asked.clips} clips")
    print(words(found, "the drawn truth"))
    above = [_is_above(found, other) for other in ("given", "random-split")]
    return int(not all(above))


def _is_above(found: Comparison, other: str) -> bool:
    """Whether both intervals of curriculum minus another arm lie above zero."""
    interval = found.differences["curriculum"][other][MEASURE]
    print(
        f"curriculum minus {other}, {MEASURE}: {interval.mean:+.3f}, 95 % over subjects and seeds "
        f"{interval.low:+.3f} to {interval.high:+.3f}, over seeds alone "
        f"{interval.seeds_low:+.3f} to {interval.seeds_high:+.3f}"
    )
    return interval.low > 0 and interval.seeds_low > 0


if __name__ == "__main__":
    sys.exit(main())
