"""Arms compared at the same compute: the same model, steps and seeds, other labels."""

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train_reference.errors import Problem, TrainError
from train_reference.evaluation import plots
from train_reference.evaluation.comparison import Comparison, compare, table, verdict
from train_reference.settings import Settings
from train_reference.training.material import prepare
from train_reference.training.run import open_accelerator, train

Done = Callable[[str], None]


def compare_arms(
    place: str,
    settings: Settings,
    folder: Path,
    arms: Sequence[str],
    seeds: Sequence[int],
    *,
    truth: Path | None = None,
    jobs: int = 1,
    done: Done = lambda _: None,
) -> Comparison:
    """Train every arm with every seed, compare them on test, and write what came of it.

    Args:
        place: A release, by folder or id.
        settings: Of all arms; `arm` and `seed` are replaced.
        folder: Where trainings and results go; trainings that are there are not done again.
        arms: By name.
        seeds: The same for all arms.
        truth: CSV of what test clips really are; the release's refined labels if left out.
        jobs: Trainings at a time, each in a process of its own.
        done: Called with the name of each training that has ended.

    Raises:
        TrainError: Whatever is wrong with the release, the settings or an arm.
    """
    if not arms or not seeds or len(set(arms)) != len(arms):
        what = f"got arms {', '.join(arms)} and {len(seeds)} seeds; different arms and a seed were expected"
        raise TrainError("compare", [Problem("--arms, --seeds", what)])
    # Sequences are made once, before processes begin to look for them.
    material = prepare(place, settings, folder / "sequences", truth, open_accelerator(settings).device)
    each = [settings.model_copy(update={"arm": arm, "seed": seed}) for arm in arms for seed in seeds]
    one = partial(_trained, place, folder, truth)
    if jobs > 1:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            said = _told(pool.map(one, each), each, done)
    else:
        said = _told(map(one, each), each, done)
    of_arm = {arm: said[place * len(seeds) : (place + 1) * len(seeds)] for place, arm in enumerate(arms)}
    rows = material.test
    found = compare(of_arm, material.truth[rows], material.clips.groups[rows], seeds)
    _write(found, folder, material.truth_is)
    return found


def words(found: Comparison, truth_is: str) -> str:
    """The table, what it was measured against, and what it means."""
    seeds = f"{len(found.seeds)} seed{'s' if len(found.seeds) > 1 else ''}"
    head = f"{found.n_clips} test clips of {found.n_groups} groups, {seeds}, against {truth_is}"
    lines = verdict(found) or ["No arm curriculum was compared with given or random-split."]
    return "\n".join([head, "", table(found), "", *lines])


def _trained(place: str, folder: Path, truth: Path | None, settings: Settings) -> NDArray[np.float32]:
    accelerator = open_accelerator(settings)
    material = prepare(place, settings, folder / "sequences", truth, accelerator.device)
    return train(
        material, settings, folder / settings.arm / f"seed-{settings.seed}", accelerator, lambda _: None
    ).said


def _told(
    said: Iterable[NDArray[np.float32]], each: Sequence[Settings], done: Done
) -> list[NDArray[np.float32]]:
    found = []
    for settings, one in zip(each, said, strict=True):
        done(f"{settings.arm} seed {settings.seed}")
        found.append(one)
    return found


def _write(found: Comparison, folder: Path, truth_is: str) -> None:
    (folder / "comparison.json").write_text(
        json.dumps({"truth": truth_is, **asdict(found)}, indent=1, default=dict), encoding="utf-8"
    )
    (folder / "comparison.txt").write_text(words(found, truth_is) + "\n", encoding="utf-8")
    plots.arms(found, folder / "comparison.png")
