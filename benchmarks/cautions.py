"""How often are warnings without known truth right? Hit and false-alarm rates of every caution.

    python benchmarks/cautions.py

Hundreds of cases, made of every real set of votes that has truth (see
`caution_cases.py`), are fitted; each symptom gets the threshold at which hit
rate less false-alarm rate is largest, every family of sets counting as much as
any other. The rates are those of the left-out family: the threshold never saw
it. A symptom earns its place from `KEEP` on. The votes are not part of this
repository: see `vote_sets.py`.
"""

import sys
from dataclasses import dataclass, fields

import numpy as np
from caution_cases import Case, accuracies, read_cases
from numpy.typing import NDArray

from curate.labels import Evidence, fit
from curate.labels.caution import RULES
from curate.labels.evaluate import majority_accuracy
from curate.labels.evidence import Floats
from curate.labels.symptoms import Symptoms, skills, symptoms

SEEDS = (0, 1)
"""Draws of the cases: some symptoms are worth a warning in one draw and not in another."""

KEEP = 0.25
"""Hit rate less false-alarm rate, on left-out families, from which on a caution is given."""

MOST_FALSE = 0.35
"""False-alarm rate that a caution may have."""

FEWEST_FAMILIES = 1 / 3
"""Share of the families with a bad case in which it must warn of half of them: one family proves nothing."""

OUTCOMES = {
    "worse than the majority": "accuracy below the majority's by more than .02",
    "worse than one instrument": "accuracy below that of one instrument on half the clips or more, by .05",
    "surer than right": "mean confidence above accuracy by more than .10",
    "not as sure as right": "mean confidence below accuracy by more than .10",
    "any": "any of these",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """Symptoms and outcomes of one case."""

    case: Case
    values: dict[str, float]
    bad: dict[str, bool]


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a symptom warned, on families that its threshold never saw."""

    hits: int
    bad: int
    false_alarms: int
    good: int
    families_hit: int
    """Families in which it warned of at least half of the bad cases."""
    families_bad: int
    """Families with a bad case."""

    @property
    def gain(self) -> float:
        """Hit rate less false-alarm rate."""
        return self.hits / max(self.bad, 1) - self.false_alarms / max(self.good, 1)


def main() -> int:
    """Print the tables; 1 if a shipped caution has not earned its place."""
    measured = [measure(case, np.random.default_rng(0)) for seed in SEEDS for case in read_cases(seed)]
    families = np.array([one.case.family for one in measured])
    print(f"{len(measured)} cases of {len(set(families.tolist()))} families")
    for outcome, meaning in OUTCOMES.items():
        bad = np.array([one.bad[outcome] for one in measured])
        print(f"  {outcome}: {bad.sum()} cases of {len(set(families[bad].tolist()))} families ({meaning})")
    print_machines(measured)
    print_all(measured, families)
    return print_shipped(measured, families)


def measure(case: Case, rng: np.random.Generator) -> Measured:
    """Fit one case and compare with its truth."""
    probabilities = fit(case.evidence).probabilities
    found = symptoms(case.evidence, probabilities)
    values = {field.name: getattr(found, field.name) for field in fields(Symptoms)}
    values |= tried(case.evidence, probabilities, found.correlation, rng)
    return Measured(case, values, outcomes(case, probabilities))


def outcomes(case: Case, probabilities: Floats) -> dict[str, bool]:
    """What went wrong, by the truth."""
    known = case.gold >= 0
    accuracy = majority_accuracy(probabilities, case.gold)
    gap = float(probabilities[known].max(axis=1).mean()) - accuracy
    bad = {
        "worse than the majority": accuracy
        < majority_accuracy(case.evidence.class_votes(), case.gold) - 0.02,
        "worse than one instrument": best_instrument_gain(case, probabilities) > 0.05,
        "surer than right": gap > 0.10,
        "not as sure as right": gap < -0.10,
    }
    return bad | {"any": any(bad.values())}


def best_instrument_gain(case: Case, probabilities: Floats) -> float:
    """Accuracy of the best instrument less ours, on the clips it spoke about (half of them or more)."""
    evidence, gold = case.evidence, case.gold
    if (evidence.weight > 1).any():
        return 0.0
    right = probabilities.argmax(axis=1) == gold
    accuracy, votes = accuracies(evidence, gold)
    ours = np.bincount(evidence.instrument, evidence.weight * right[evidence.item], len(votes))
    wide = votes >= max(50, (gold >= 0).sum() / 2)
    return float((accuracy - ours / np.maximum(votes, 1e-9))[wide].max(initial=0.0))


def tried(
    evidence: Evidence, probabilities: Floats, correlation: float, rng: np.random.Generator
) -> dict[str, float]:
    """Symptoms that are not part of curate: the table tells why."""
    votes, labels = evidence.class_votes(), probabilities.argmax(axis=1)
    n_clips, n_classes = votes.shape
    share = np.bincount(labels, minlength=n_classes) / n_clips
    agreed = votes[np.arange(n_clips), labels] / np.maximum(votes.sum(axis=1), 1e-9)
    restarted = plain_dawid_skene(evidence, probabilities)
    accuracy, kappa, weight = skills(evidence, probabilities)
    wide, share_of_votes = weight >= n_clips / 2, weight / weight.sum()
    per_clip = votes.sum(axis=1)[votes.any(axis=1)].mean()
    return {
        "votes of weak instruments": float(share_of_votes[kappa < 0.2].sum()),
        "votes of contrary instruments": float(share_of_votes[kappa < 0].sum()),
        "skills differ": float(np.sqrt(share_of_votes @ (kappa - share_of_votes @ kappa) ** 2)),
        "votes vary together": correlation * max(per_clip - 1, 1) + 1,
        "one stands out": float(accuracy[wide].max(initial=0) - share_of_votes @ accuracy),
        "doubt": float(1 - probabilities.max(axis=1).mean()),
        "a class grows": float((share - votes.sum(axis=0) / votes.sum()).max()),
        "largest class": float(share.max()),
        "class almost empty": float(-share.min() * n_classes),
        "surer than votes agree": float((probabilities.max(axis=1) - agreed).mean()),
        "less sure than votes agree": float((agreed - probabilities.max(axis=1)).mean()),
        "few votes": float(-votes.sum() / n_clips),
        "low alpha": -alpha(votes),
        "restart changes labels": float((restarted.argmax(axis=1) != labels).mean()),
        "restart is surer": float((restarted.max(axis=1) - probabilities.max(axis=1)).mean()),
        "halves disagree": halves_disagree(evidence, rng),
    }


def alpha(votes: Floats) -> float:
    """Krippendorff's alpha of the votes; 0 where it is not defined."""
    votes = votes[votes.sum(axis=1) >= 2 - 1e-9]
    per_clip, per_class = votes.sum(axis=1), votes.sum(axis=0)
    total = per_clip.sum()
    if np.count_nonzero(per_class) < 2:
        return 0.0
    observed = 1 - ((votes * (votes - 1)).sum(axis=1) / (per_clip - 1)).sum() / total
    expected = 1 - (per_class * (per_class - 1)).sum() / (total * (total - 1))
    return float(1 - observed / expected)


def plain_dawid_skene(evidence: Evidence, probabilities: Floats, steps: int = 20) -> Floats:
    """Dawid and Skene's EM without any of our precautions, started from our posterior."""
    said, first = evidence.matrix(), evidence.offsets[:-1]
    sizes, belief = np.diff(evidence.offsets), probabilities
    for _ in range(steps):
        counts = said.T @ belief + 0.1
        table = counts / np.repeat(np.add.reduceat(counts, first, axis=0), sizes, axis=0)
        score = said @ np.log(table) + np.log(belief.mean(axis=0) + 1e-9)
        belief = np.exp(score - score.max(axis=1, keepdims=True))
        belief /= belief.sum(axis=1, keepdims=True)
    return belief


def halves_disagree(evidence: Evidence, rng: np.random.Generator, n_splits: int = 3) -> float:
    """Share of clips that fits on two halves of the instruments label differently; nan without halves."""
    n_instruments, shares = len(evidence.instruments), []
    for _ in range(n_splits if n_instruments >= 2 else 0):
        half = (rng.permutation(n_instruments) < n_instruments // 2)[evidence.instrument]
        parts = [evidence.of_rows(rows) for rows in (half, ~half)]
        spoken = [np.bincount(part.item, minlength=evidence.n_items) > 0 for part in parts]
        both = spoken[0] & spoken[1]
        if both.sum() >= 20:
            one, other = (fit(part).probabilities[both].argmax(axis=1) for part in parts)
            shares.append(float((one != other).mean()))
    return float(np.mean(shares)) if shares else float("nan")


def print_machines(measured: list[Measured]) -> None:
    """Why evidence of machines alone is always uncertified."""
    for kind in ("machine", "human"):
        bad = [one.bad["any"] for one in measured if one.case.kind == kind]
        print(f"  something went wrong in {np.mean(bad):.0%} of {len(bad)} cases of {kind} votes")


def print_all(measured: list[Measured], families: NDArray[np.str_]) -> None:
    """Every symptom against every outcome: hit rate / false-alarm rate on left-out families."""
    print(f"\n{'hit rate / false alarms':28}", *(f"{outcome:>26}" for outcome in OUTCOMES))
    for name in measured[0].values:
        cells = []
        for outcome in OUTCOMES:
            rate = left_out_rate(*arrays(measured, name, outcome), families)
            mark = "*" if earns(rate) else " "
            cells.append(
                f"{rate.hits / max(rate.bad, 1):.2f} / {rate.false_alarms / max(rate.good, 1):.2f}{mark}"
            )
        print(f"{name:28}", *(f"{cell:>26}" for cell in cells))
    print(f"* earns its place: {KEEP} apart, at most {MOST_FALSE} false alarms, a third of the families")


def print_shipped(measured: list[Measured], families: NDArray[np.str_]) -> int:
    """The cautions that curate gives, as the table of docs/statistics.md."""
    columns = (
        "caution",
        "warns of",
        "hits",
        "in families",
        "false alarms",
        "threshold, best here",
        "sets as they are",
    )
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    whole = list({one.case.name: one for one in measured if one.case.name.endswith("as it is")}.values())
    lost = []
    for rule in RULES:
        values, bad = arrays(measured, rule.symptom, rule.warns_of)
        rate, best = left_out_rate(values, bad, families), best_threshold(values, bad, families)
        alarms = sum(one.values[rule.symptom] >= rule.threshold for one in whole)
        hits = f"{rate.hits / max(rate.bad, 1):.2f} ({rate.hits} of {rate.bad})"
        false = f"{rate.false_alarms / max(rate.good, 1):.2f} ({rate.false_alarms} of {rate.good})"
        where = f"{rate.families_hit} of {rate.families_bad}"
        print(f"| {rule.code} | {rule.warns_of} | {hits} | {where} | {false} |", end=" ")
        print(f"{rule.threshold:g}, {best:.3g} | {alarms} of {len(whole)} alarm |")
        lost += [] if earns(rate) else [rule.code]
    print(
        "\n" + (f"no longer earn their place: {', '.join(lost)}" if lost else "all of them earn their place")
    )
    return int(bool(lost))


def arrays(measured: list[Measured], name: str, outcome: str) -> tuple[Floats, NDArray[np.bool_]]:
    """One symptom and one outcome over all cases."""
    values = np.array([one.values[name] for one in measured])
    return values, np.array([one.bad[outcome] for one in measured])


def left_out_rate(values: Floats, bad: NDArray[np.bool_], families: NDArray[np.str_]) -> Rate:
    """Alarms by thresholds that never saw the family that they judge; nan never alarms."""
    alarm = np.zeros(len(values), dtype=bool)
    for family in np.unique(families):
        mine = families == family
        alarm[mine] = values[mine] >= best_threshold(values[~mine], bad[~mine], families[~mine])
    hit = [alarm[bad & (families == family)].mean() >= 0.5 for family in np.unique(families[bad])]
    counts = [int(cases.sum()) for cases in (alarm & bad, bad, alarm & ~bad, ~bad)]
    return Rate(*counts, families_hit=sum(hit), families_bad=len(hit))


def best_threshold(values: Floats, bad: NDArray[np.bool_], families: NDArray[np.str_]) -> float:
    """Where hit rate less false-alarm rate is largest, each family weighing the same."""
    _, family, sizes = np.unique(families, return_inverse=True, return_counts=True)
    weight = 1 / sizes[family]
    candidates = np.unique(np.nanquantile(values, np.linspace(0.02, 0.98, 60)))
    alarm = values >= candidates[:, None]  # (n_candidates, n_cases)
    hits = (alarm * weight * bad).sum(axis=1) / max((weight * bad).sum(), 1e-9)
    false = (alarm * weight * ~bad).sum(axis=1) / (weight * ~bad).sum()
    return float(candidates[np.argmax(hits - false)])


def earns(rate: Rate) -> bool:
    """Whether a symptom is worth a warning."""
    wide = rate.families_hit >= FEWEST_FAMILIES * rate.families_bad
    return wide and rate.gain >= KEEP and rate.false_alarms <= MOST_FALSE * rate.good


if __name__ == "__main__":
    sys.exit(main())
