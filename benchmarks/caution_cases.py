"""Cases for `cautions.py`: the real sets of votes, and what could have come of them.

Each set is also taken with fewer votes, fewer instruments, worse ones, single
models or prompts, with spam, contrary people and groups that share errors.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from vote_sets import CIRCULAR, VoteSet, read_sets

from curate.labels import Evidence
from curate.labels.evidence import Floats, Ints

N_CLIPS = 800
"""Clips that a case has at most."""

DOUBLED = "adult_all"
"""Its clips with truth are those of `adult`."""


@dataclass(frozen=True, slots=True)
class Case:
    """A body of evidence whose truth is known."""

    family: str
    kind: str
    name: str
    evidence: Evidence
    gold: Ints


def read_cases(seed: int = 0) -> Iterator[Case]:
    """Every case of every set that has gold and is not circular."""
    for votes in read_sets():
        if votes.name in (CIRCULAR, DOUBLED) or not (votes.gold >= 0).any():
            continue
        rng = np.random.default_rng(seed)
        for name, evidence, gold in _variants(votes, rng):
            if len(evidence.item):
                yield Case(votes.family, votes.kind, f"{votes.name} {name}", evidence, gold)


Variant = tuple[str, Evidence, Ints]


def _variants(votes: VoteSet, rng: np.random.Generator) -> Iterator[Variant]:
    known = np.flatnonzero(votes.gold >= 0)
    known = rng.choice(known, min(len(known), N_CLIPS), replace=False)
    evidence, gold = _of_clips(votes.evidence, votes.gold, known)
    yield "as it is", evidence, gold
    for n_votes in (1, 2, 3, 5) * 2:
        yield f"{n_votes} votes", _thinned(evidence, n_votes, rng), gold
    for _ in range(2):
        some = rng.choice(len(gold), min(150, len(gold)), replace=False)
        yield "150 clips", *_of_clips(evidence, gold, some)
    if votes.tallied or votes.kind == "machine":
        yield from _singles(evidence, gold)
    if votes.kind == "machine":
        yield from _models(evidence, gold, rng)
    if len(evidence.instruments) >= 3 and not votes.tallied:
        yield from _fewer_instruments(evidence, gold, rng)
        yield from _spoiled(evidence, gold, rng)


def _singles(evidence: Evidence, gold: Ints) -> Iterator[Variant]:
    """Each instrument alone, where there are not too many."""
    for index in range(min(len(evidence.instruments), 10)):
        yield "one instrument", _of_instruments(evidence, np.array([index])), gold


def _models(evidence: Evidence, gold: Ints, rng: np.random.Generator) -> Iterator[Variant]:
    """Each model with all its prompts, and a few models together."""
    owner = np.array([instrument.group for instrument in evidence.instruments])
    models = sorted(set(owner.tolist()))
    for model in models if len(models) > 1 else []:
        yield "one model", _of_instruments(evidence, np.flatnonzero(owner == model)), gold
    for n_models in (2, 3, 5) * 2 if len(models) > 2 else ():
        some = rng.choice(models, min(n_models, len(models)), replace=False)
        yield f"{n_models} models", _of_instruments(evidence, np.flatnonzero(np.isin(owner, some))), gold


def _fewer_instruments(evidence: Evidence, gold: Ints, rng: np.random.Generator) -> Iterator[Variant]:
    """Some instruments by lot, the worst ones, the best ones."""
    n_instruments = len(evidence.instruments)
    for share in (0.5, 0.25, 0.1) * 3:
        some = rng.choice(n_instruments, max(2, int(np.ceil(share * n_instruments))), replace=False)
        yield f"{share:.0%} of the instruments", _of_instruments(evidence, some), gold
    ranked = np.argsort(accuracies(evidence, gold)[0], kind="stable")
    for share in (0.5, 0.33):
        yield "the worst", _of_instruments(evidence, ranked[: max(2, int(share * n_instruments))]), gold
    yield "the best", _of_instruments(evidence, ranked[-max(2, n_instruments // 2) :]), gold


def _spoiled(evidence: Evidence, gold: Ints, rng: np.random.Generator) -> Iterator[Variant]:
    """Some instruments answer by lot, always the same, always something else, or share errors."""
    n_classes, rows = evidence.n_classes, len(evidence.item)
    for share in (0.2, 0.4, 0.6):
        bad = (rng.random(len(evidence.instruments)) < share)[evidence.instrument]
        by_lot = rng.integers(0, n_classes, rows)
        favourite = rng.integers(0, n_classes, len(evidence.instruments))[evidence.instrument]
        rumour = rng.integers(0, n_classes, evidence.n_items)[evidence.item]
        heard = (rng.random(evidence.n_items) < 0.3)[evidence.item]
        yield f"{share:.0%} by lot", _answering(evidence, bad, by_lot), gold
        yield f"{share:.0%} always the same", _answering(evidence, bad, favourite), gold
        if share < 0.5:
            yield f"{share:.0%} contrary", _answering(evidence, bad, (evidence.option + 1) % n_classes), gold
            yield f"{share:.0%} share errors", _answering(evidence, bad & heard, rumour), gold


def accuracies(evidence: Evidence, gold: Ints) -> tuple[Floats, Floats]:
    """Share of right votes of each instrument, and number of its votes on clips with gold."""
    weight = evidence.weight * (gold[evidence.item] >= 0)
    n_instruments = len(evidence.instruments)
    votes = np.bincount(evidence.instrument, weight, n_instruments)
    right = np.bincount(evidence.instrument, weight * (evidence.option == gold[evidence.item]), n_instruments)
    return right / np.maximum(votes, 1e-9), votes


def _of_clips(evidence: Evidence, gold: Ints, clips: Ints) -> tuple[Evidence, Ints]:
    clips = np.sort(clips)
    place = np.full(evidence.n_items, -1)
    place[clips] = np.arange(len(clips))
    kept = evidence.of_rows(place[evidence.item] >= 0)
    names = tuple(evidence.clip_ids[clip] for clip in clips)
    return replace(kept, item=place[kept.item], clip_ids=names), gold[clips]


def _of_instruments(evidence: Evidence, instruments: Ints) -> Evidence:
    instruments = np.sort(instruments)
    place = np.full(len(evidence.instruments), -1)
    place[instruments] = np.arange(len(instruments))
    kept = evidence.of_rows(place[evidence.instrument] >= 0)
    names = tuple(evidence.instruments[index] for index in instruments)
    return replace(kept, instrument=place[kept.instrument], instruments=names)


def _thinned(evidence: Evidence, n_votes: int, rng: np.random.Generator) -> Evidence:
    """At most so many votes on each clip, by lot."""
    if (evidence.weight > 1).any():
        return _thinned_tally(evidence, n_votes, rng)
    order = rng.permutation(len(evidence.item))
    order = order[np.argsort(evidence.item[order], kind="stable")]
    place = np.arange(len(order)) - np.searchsorted(evidence.item[order], evidence.item[order])
    return evidence.of_rows(np.sort(order[place < n_votes]))


def _thinned_tally(evidence: Evidence, n_votes: int, rng: np.random.Generator) -> Evidence:
    left = np.zeros(len(evidence.weight))
    for rows in np.split(np.arange(len(left)), np.flatnonzero(np.diff(evidence.item)) + 1):
        tally = evidence.weight[rows].astype(np.int64)
        left[rows] = rng.multivariate_hypergeometric(tally, min(n_votes, tally.sum()))
    return replace(evidence, weight=left).of_rows(left > 0)


def _answering(evidence: Evidence, bad: np.ndarray, instead: Ints) -> Evidence:
    """The same with other answers in some rows; equal answers become one row again."""
    option = np.where(bad, instead, evidence.option)
    keys = np.stack([evidence.item, evidence.instrument, option])
    unique, place = np.unique(keys, axis=1, return_inverse=True)
    weight = np.bincount(place.ravel(), evidence.weight)
    return replace(evidence, item=unique[0], instrument=unique[1], option=unique[2], weight=weight)
