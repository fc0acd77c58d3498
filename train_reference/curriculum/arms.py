"""Arms of a comparison: the same model and steps, other labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from train_reference.data.clips import NO_LABEL, Clips
from train_reference.errors import Problem, TrainError

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Arm:
    """What is learned from. Arrays are of all clips of the release; only `rows` are trained on."""

    name: str
    rows: Rows
    """Clips of train that are learned from."""
    targets: NDArray[np.float32]
    """Shape (n_clips, n_classes): hard or soft labels; zeros elsewhere."""
    labels: NDArray[np.int64]
    """Shape (n_clips,): the class that samplers count a clip as."""
    weights: NDArray[np.float32]
    """Shape (n_clips,): of a clip in the loss."""
    is_high: NDArray[np.bool_]
    """Stage one."""
    order_by: NDArray[np.float32]
    """Shape (n_clips,): reliability, or a pseudo-label's confidence, in 0 to 1; the surest come first."""
    learns_given: bool
    """Whether it knows nothing but given labels: the best weights are then chosen on those as well."""
    is_paced: bool = False
    is_refined: bool = False
    is_regularised: bool = False

    @property
    def class_counts(self) -> NDArray[np.float64]:
        """Shape (n_classes,): what its labels add up to."""
        return np.asarray(self.targets[self.rows].sum(axis=0, dtype=np.float64))


ARMS = ("given", "refined-hard", "high-only", "random-split", "soft", "curriculum", "elr")
ABLATIONS = (
    "curriculum-no-pacing",
    "curriculum-no-refinement",
    "curriculum-no-pseudo",
    "curriculum-hard",
    "curriculum-random-split",
)


def make_arm(name: str, clips: Clips, seed: int) -> Arm:
    """An arm by name.

    - `given`: given labels.
    - `refined-hard`: refined labels.
    - `high-only`: refined labels of the high-reliability split alone.
    - `random-split`: given labels of a random subset of the size and class mix of the high split.
    - `soft`: soft labels.
    - `curriculum`: soft labels, high split first, targets refined, accepted pseudo-labels as well.
    - `elr`: given labels with early-learning regularisation, a peer that is robust to noise.
    - `curriculum-…`: without one of its parts; `-random-split` with reliabilities shuffled within each class.

    Args:
        name: One of `ARMS` or `ABLATIONS`.
        clips: All of the release.
        seed: Of the random subsets.

    Raises:
        TrainError: No such arm, or the release lacks what it learns from.
    """
    if name not in _MAKERS:
        what = f"{name} is no arm; there are {', '.join(_MAKERS)}"
        raise TrainError("settings", [Problem("arm", what)])
    made = replace(_MAKERS[name](clips, np.random.default_rng(seed)), name=name)
    if not len(made.rows):
        raise TrainError("release", [_nothing_to_learn(name)])
    return made


def _given(clips: Clips, _: np.random.Generator) -> Arm:
    return _of_labels(clips, clips.given, learns_given=True)


def _elr(clips: Clips, rng: np.random.Generator) -> Arm:
    return replace(_given(clips, rng), is_regularised=True)


def _refined(clips: Clips, _: np.random.Generator) -> Arm:
    return _of_labels(clips, clips.label)


def _high_only(clips: Clips, rng: np.random.Generator) -> Arm:
    arm = _refined(clips, rng)
    return replace(arm, rows=arm.rows[arm.is_high[arm.rows]])


def _random_split(clips: Clips, rng: np.random.Generator) -> Arm:
    arm = _given(clips, rng)
    is_high = _like_high(clips, arm.rows, rng)
    return replace(arm, rows=arm.rows[is_high[arm.rows]])


def _soft(clips: Clips, _: np.random.Generator) -> Arm:
    is_known = np.isfinite(clips.soft).all(axis=1) & (clips.label != NO_LABEL)
    return _arm(clips, is_known, np.nan_to_num(clips.soft), clips.label)


def _curriculum(clips: Clips, rng: np.random.Generator) -> Arm:
    """Soft labels, and accepted pseudo-labels in the low split by their confidence."""
    arm = _soft(clips, rng)
    pseudo = np.flatnonzero(clips.pseudo_accepted & (clips.splits == "train") & (clips.pseudo != NO_LABEL))
    targets, labels, weights = arm.targets.copy(), arm.labels.copy(), arm.weights.copy()
    order_by, is_high = arm.order_by.copy(), arm.is_high.copy()
    soft, hard = clips.soft[pseudo], _one_hot(clips.pseudo[pseudo], len(clips.classes))
    targets[pseudo] = np.where(np.isfinite(soft).all(axis=1, keepdims=True), np.nan_to_num(soft), hard)
    labels[pseudo], weights[pseudo] = clips.pseudo[pseudo], clips.pseudo_confidence[pseudo]
    order_by[pseudo], is_high[pseudo] = clips.pseudo_confidence[pseudo], False
    return Arm(
        arm.name,
        np.union1d(arm.rows, pseudo),
        targets,
        labels,
        weights,
        is_high,
        order_by,
        learns_given=False,
        is_paced=bool(is_high[arm.rows].any()),
        is_refined=True,
    )


def _no_pacing(clips: Clips, rng: np.random.Generator) -> Arm:
    return replace(_curriculum(clips, rng), is_paced=False)


def _no_refinement(clips: Clips, rng: np.random.Generator) -> Arm:
    return replace(_curriculum(clips, rng), is_refined=False)


def _no_pseudo(clips: Clips, rng: np.random.Generator) -> Arm:
    arm = _curriculum(clips, rng)
    return replace(arm, rows=arm.rows[clips.label[arm.rows] != NO_LABEL])


def _hard(clips: Clips, rng: np.random.Generator) -> Arm:
    arm = _curriculum(clips, rng)
    return replace(arm, targets=_one_hot(arm.labels, len(clips.classes)))


def _shuffled(clips: Clips, rng: np.random.Generator) -> Arm:
    """Reliabilities, and with them the split, go to other clips of the same class."""
    arm = _curriculum(clips, rng)
    order_by, is_high = arm.order_by.copy(), arm.is_high.copy()
    labels = np.where(clips.label == NO_LABEL, NO_LABEL, arm.labels)[arm.rows]
    for label in np.unique(labels[labels != NO_LABEL]):
        rows = arm.rows[labels == label]
        others = rng.permutation(rows)
        order_by[rows], is_high[rows] = arm.order_by[others], arm.is_high[others]
    return replace(arm, order_by=order_by, is_high=is_high)


_MAKERS: Mapping[str, Callable[[Clips, np.random.Generator], Arm]] = {
    "given": _given,
    "refined-hard": _refined,
    "high-only": _high_only,
    "random-split": _random_split,
    "soft": _soft,
    "curriculum": _curriculum,
    "elr": _elr,
    "curriculum-no-pacing": _no_pacing,
    "curriculum-no-refinement": _no_refinement,
    "curriculum-no-pseudo": _no_pseudo,
    "curriculum-hard": _hard,
    "curriculum-random-split": _shuffled,
}


def _of_labels(clips: Clips, labels: NDArray[np.int64], *, learns_given: bool = False) -> Arm:
    hard = _one_hot(labels, len(clips.classes))
    return _arm(clips, labels != NO_LABEL, hard, labels, learns_given=learns_given)


def _arm(
    clips: Clips,
    is_known: NDArray[np.bool_],
    targets: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    learns_given: bool = False,
) -> Arm:
    return Arm(
        "",
        np.flatnonzero(is_known & (clips.splits == "train")),
        np.asarray(targets, dtype=np.float32),
        labels,
        np.ones(len(clips), dtype=np.float32),
        clips.is_high.copy(),
        np.nan_to_num(clips.reliability, nan=0.0),
        learns_given=learns_given,
    )


def _like_high(clips: Clips, rows: Rows, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Random clips, as many of each given class as the high split has."""
    found = np.zeros(len(clips), dtype=np.bool_)
    for label in np.unique(clips.given[rows]):
        of_class = rows[clips.given[rows] == label]
        found[rng.choice(of_class, size=int(clips.is_high[of_class].sum()), replace=False)] = True
    return found


def _one_hot(labels: NDArray[np.int64], n_classes: int) -> NDArray[np.float32]:
    """Shape (n_clips, n_classes); zeros where there is no label."""
    return np.asarray(labels[:, None] == np.arange(n_classes), dtype=np.float32)


def _nothing_to_learn(name: str) -> Problem:
    column, fix = {
        "given": ("label_given", "Choose arm=refined-hard or arm=soft: this release has no given labels"),
        "elr": ("label_given", "Choose arm=refined-hard or arm=soft: this release has no given labels"),
        "random-split": ("reliability_split", "No clip of train is of high reliability: choose arm=given"),
        "high-only": ("reliability_split", "No clip of train is of high reliability: choose arm=soft"),
        "refined-hard": ("label", "This release has no refined labels: choose arm=given"),
    }.get(
        name, ("soft_label", "This release has no soft labels: publish it again, or choose arm=refined-hard")
    )
    return Problem(column, f"no clip of train has what arm {name} learns from", fix)
