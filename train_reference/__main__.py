"""The command line: `python -m train_reference RELEASE [key=value …]`, and `compare`."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from train_reference.compare import compare_arms
from train_reference.curriculum.arms import ABLATIONS, ARMS
from train_reference.errors import TrainError
from train_reference.settings import read_settings
from train_reference.training.material import prepare
from train_reference.training.run import RESULT, SUMMARY, open_accelerator, train

_DEFAULT_ARMS = ("given", "high-only", "random-split", "refined-hard", "soft", "curriculum", "elr")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train or compare; 0, or 1 with one message where a user can put something right."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if arguments[:1] == ["compare"]:
            return _compare(_comparing().parse_intermixed_args(arguments[1:]))
        return _train(_training().parse_intermixed_args(arguments))
    except TrainError as error:
        Console(stderr=True, soft_wrap=True).print(f"error: {error}", markup=False, highlight=False)
        return 1


def _train(asked: argparse.Namespace) -> int:
    settings = read_settings(asked.settings)
    accelerator = open_accelerator(settings)
    with accelerator.main_process_first():  # the others find its sequences made
        material = prepare(asked.release, settings, asked.out / "sequences", asked.truth, accelerator.device)
    modalities = ", ".join(material.sequences)
    console = _console(quiet=not accelerator.is_main_process)
    console.print(f"arm {settings.arm}, {modalities}, on {accelerator.device}", highlight=False)
    with _bar(console) as bar:
        task = bar.add_task("training", total=1.0)

        def told(row: Mapping[str, Any]) -> None:
            what = (
                f"{row['phase']}, step {row['step']}: loss {row['loss']:.3f}, macro-F1 {row['macro_f1']:.3f}"
            )
            bar.update(task, description=what, completed=row["progress"])

        train(material, settings, asked.out, accelerator, told)
    if accelerator.is_main_process:
        print((asked.out / SUMMARY).read_text(encoding="utf-8"))  # noqa: T201
        print(f"\nmodel: {asked.out}, measures: {asked.out / RESULT}")  # noqa: T201
    return 0


def _compare(asked: argparse.Namespace) -> int:
    settings, console = read_settings(asked.settings), _console(quiet=False)
    arms = asked.arms.split(",")
    with _bar(console) as bar:
        task = bar.add_task("trainings", total=len(arms) * asked.seeds)
        compare_arms(
            asked.release,
            settings,
            asked.out,
            arms,
            range(asked.seeds),
            truth=asked.truth,
            jobs=asked.jobs,
            done=lambda name: bar.update(task, description=name, advance=1),
        )
    print((asked.out / "comparison.txt").read_text(encoding="utf-8"))  # noqa: T201
    print(f"details: {asked.out / 'comparison.json'}, picture: {asked.out / 'comparison.png'}")  # noqa: T201
    return 0


def _training() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m train_reference",
        description="Train a model on a release of curate. `compare` in place of RELEASE compares arms.",
        epilog=f"Arms: {', '.join(ARMS)}; ablations: {', '.join(ABLATIONS)}. Settings: docs/trainer.md.",
    )
    return _shared(parser, "trained")


def _comparing() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m train_reference compare",
        description="Train several arms at the same compute and compare them.",
    )
    parser.add_argument("--arms", default=",".join(_DEFAULT_ARMS), help="names with commas between them")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each arm")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    return _shared(parser, "compared")


def _shared(parser: argparse.ArgumentParser, out: str) -> argparse.ArgumentParser:
    parser.add_argument("release", help="folder of a release, or its id on the Hub")
    parser.add_argument(
        "settings", nargs="*", metavar="key=value", help="such as arm=soft or schedule.epochs=10"
    )
    parser.add_argument(
        "--out", type=Path, default=Path(out), help="folder for what comes of it (%(default)s)"
    )
    parser.add_argument(
        "--truth", type=Path, help="CSV of what test clips really are: clip_id or name, and label"
    )
    return parser


def _console(*, quiet: bool) -> Console:
    return Console(stderr=True, soft_wrap=True, quiet=quiet)


def _bar(console: Console) -> Progress:
    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console)


if __name__ == "__main__":
    sys.exit(main())
