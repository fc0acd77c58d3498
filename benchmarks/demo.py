"""The demo from a finished install: how long it takes, and how right its labels are against the truth.

    python benchmarks/demo.py [--clips N]

Ends with one line of figures; exits non-zero when curation does not help.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from curate.demo.demonstrate import N_CLIPS, SEED, demonstrate

ROWS = (
    ("given labels", "accuracy_given"),
    ("majority of votes and given", "accuracy_majority"),
    ("refined labels", "accuracy_refined"),
    ("refined, high reliability", "accuracy_high"),
    ("refined, low reliability", "accuracy_low"),
    ("pseudo-labels, accepted", "accuracy_pseudo_accepted"),
)


def main() -> int:
    """Run the demo in a temporary folder and print what it measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=N_CLIPS)
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    failures = [_one(seed, arguments.clips) for seed in range(SEED, SEED + arguments.seeds)]
    return int(any(failures))


def _one(seed: int, n_clips: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        started_s = time.monotonic()
        run = demonstrate(Path(folder) / "demo", lambda stage, done, total: None, n_clips=n_clips, seed=seed)
        duration_s = time.monotonic() - started_s
        metrics = run.metrics
    return _tell(metrics, duration_s, n_clips, seed)


def _tell(metrics: dict[str, Any], duration_s: float, n_clips: int, seed: int) -> bool:
    truth = metrics["truth"]
    print(f"{'labels':30} {'right':>6} {'95 % interval':>16} {'clips':>6}")
    for name, key in ROWS:
        share = truth[key]
        if share["n"]:
            interval = f"{share['low']:.3f} to {share['high']:.3f}"
            print(f"{name:30} {share['value']:6.3f} {interval:>16} {share['n']:6}")
    given, refined = truth["accuracy_given"]["value"], truth["accuracy_refined"]["value"]
    auroc, ece = truth["reliability_auroc"], truth["ece"]
    print(
        f"demo seed {seed}: {n_clips} clips in {duration_s:.0f} s; given {given:.3f}, refined {refined:.3f}, "
        f"reliability AUROC {auroc:.3f}, ECE {ece:.3f}"
    )
    return not (refined > given and auroc > 0.8)


if __name__ == "__main__":
    sys.exit(main())
