"""Arms compared at the same compute: means over seeds, intervals over subjects and seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from train_reference.evaluation.metrics import LESS_IS_BETTER, MEASURES, Values

N_DRAWS = 2000
_LOWER, _UPPER = 0.025, 0.975
_BIASED = frozenset({"ece"})
"""Measures that noise makes larger, and drawing clips again adds noise: their intervals are reflected at what
was measured (the basic bootstrap), which takes that off; percentiles would lie above it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over seeds with two 95 % intervals."""

    mean: float
    low: float
    """With other subjects and other seeds: both are drawn again."""
    high: float
    seeds_low: float
    """With other seeds, on the same clips; NaN of a single seed."""
    seeds_high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside, with other subjects and seeds."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it."""

    n_clips: int
    n_groups: int
    seeds: tuple[int, ...]
    measured: Mapping[str, Mapping[str, Interval]]
    """By arm, then by measure."""
    differences: Mapping[str, Mapping[str, Mapping[str, Interval]]]
    """By arm, then by the arm that is subtracted, then by measure."""


def compare(
    said: Mapping[str, Sequence[NDArray[np.float32]]],
    truth: NDArray[np.int64],
    groups: NDArray[np.str_],
    seeds: Sequence[int],
    beside: Sequence[str] = ("given", "random-split", "curriculum"),
) -> Comparison:
    """Compare arms on the same test clips.

    Whole groups are drawn with replacement, and seeds as well; a difference is
    taken within a draw and a seed, so that what both arms share falls out.

    Args:
        said: By arm, for each seed, probabilities of shape (n_clips, n_classes).
        truth: Shape (n_clips,).
        groups: Shape (n_clips,): subjects or sources.
        seeds: The same for all arms.
        beside: Arms that every other arm is compared with, where they are there.

    Source:
        Field & Welsh (2007), Bootstrapping clustered data, section 3: the cluster bootstrap;
        over seeds, Student's t.
    """
    rng = np.random.default_rng(0)
    weights = np.concatenate([np.ones((1, len(truth))), _group_weights(groups, rng)])
    drawn = rng.integers(len(seeds), size=(N_DRAWS, len(seeds)))
    values = {
        arm: {
            name: np.stack([measure(one, truth, weights) for one in several])
            for name, measure in MEASURES.items()
        }
        for arm, several in said.items()
    }  # each (n_seeds, 1 + n_draws)
    measured = {
        arm: {name: _interval(one, drawn, name) for name, one in row.items()} for arm, row in values.items()
    }
    differences = {
        arm: {
            other: {
                name: _interval(values[arm][name] - values[other][name], drawn, name) for name in MEASURES
            }
            for other in beside
            if other in values and other != arm
        }
        for arm in values
    }
    return Comparison(len(truth), len(np.unique(groups)), tuple(seeds), measured, differences)


def verdict(comparison: Comparison, arm: str = "curriculum", measure: str = "macro_f1") -> list[str]:
    """In plain words, whether an arm is better than those it is compared with."""
    rows = comparison.differences.get(arm, {})
    return [
        f"{arm} against {other}: {_judged(row[measure], measure)} ({measure} {_cell(row[measure], '+')})"
        for other, row in rows.items()
    ]


def table(comparison: Comparison) -> str:
    """Arms below each other, measures side by side, each with its interval; then the differences."""
    lines = _rows("arm", comparison.measured, "")
    for other in dict.fromkeys(name for row in comparison.differences.values() for name in row):
        of_other = {arm: rows[other] for arm, rows in comparison.differences.items() if other in rows}
        lines += ["", *_rows(f"minus {other}", of_other, "+")]
    return "\n".join(lines)


def _rows(title: str, rows: Mapping[str, Mapping[str, Interval]], sign: str) -> list[str]:
    head = f"{title:26}" + "".join(f"{name:>26}" for name in MEASURES)
    return [
        head,
        *(
            f"{arm:26}" + "".join(f"{_cell(row[name], sign):>26}" for name in MEASURES)
            for arm, row in rows.items()
        ),
    ]


def _group_weights(groups: NDArray[np.str_], rng: np.random.Generator) -> NDArray[np.float64]:
    """How often each clip is drawn, shape (n_draws, n_clips), as often as its group is."""
    _, which = np.unique(groups, return_inverse=True)
    n_groups = int(which.max()) + 1
    times = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=N_DRAWS)
    return np.asarray(times[:, which], dtype=np.float64)


def _interval(values: Values, drawn: NDArray[np.int64], measure: str) -> Interval:
    """From a measure of shape (n_seeds, 1 + n_draws), the first as it is."""
    plain, n_seeds = values[:, 0], len(values)
    draws = values[drawn, 1 + np.arange(len(drawn))[:, None]].mean(axis=1)
    low, high = np.quantile(draws, [_LOWER, _UPPER])
    half = (
        float(t.ppf(_UPPER, n_seeds - 1) * plain.std(ddof=1) / np.sqrt(n_seeds))
        if n_seeds > 1
        else float("nan")
    )
    mean = float(plain.mean())
    if measure in _BIASED:
        low, high = 2 * mean - high, 2 * mean - low
    return Interval(mean, float(low), float(high), mean - half, mean + half)


def _judged(found: Interval, measure: str) -> str:
    if not found.excludes_zero:
        return "no difference that subjects and seeds could not explain: curation was not shown to help"
    is_better = (found.mean < 0) == (measure in LESS_IS_BETTER)
    return "better" if is_better else "WORSE: curation hurt"


def _cell(found: Interval, sign: str) -> str:
    return f"{found.mean:{sign}.3f} ({found.low:{sign}.3f} to {found.high:{sign}.3f})"
