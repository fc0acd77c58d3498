"""What the labels must obey whatever the evidence: laws, tried on small random evidence of every kind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from curate.labels.adaptive import adaptive_thresholds
from curate.labels.evidence import UNSEEN, Evidence, Floats
from curate.labels.gold import learn_from_gold
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
from curate.labels.posterior import Posterior, assemble
from curate.labels.pseudo import pseudo_labels
from curate.labels.reliability import contributions, given_codes, refined_codes, reliability
from curate.labels.soft import soft_labels
from curate.labels.split import HIGH, split_by_threshold

NAMES = ("a", "b", "c", "d")
CLIPS = tuple(f"c{number}" for number in range(8))
PEOPLE = ("ann", "bob", "eve")
SCALE = ("never", "often", UNSEEN)
SCHEMA = {
    "clip_id": pl.String,
    "instrument": pl.String,
    "kind": pl.String,
    "group": pl.String,
    "outcome": pl.String,
    "probs": pl.List(pl.Float64),
    "count": pl.Float64,
}
Row = tuple[str, str, str, str, str | None, list[float] | None, float | None]
LAWFUL = settings(max_examples=25, deadline=None)


@dataclass(frozen=True)
class Case:
    """A table of answers, and what is known of it."""

    frame: pl.DataFrame
    classes: tuple[str, ...]
    ordinal: bool = False
    lean: int = 0

    def evidence(self, frame: pl.DataFrame | None = None, clip_ids: Sequence[str] = ()) -> Evidence:
        return evidence_from_frame(
            self.frame if frame is None else frame,
            self.classes,
            ordinal=self.ordinal,
            options={"item": SCALE, "soft": self.classes, "net": self.classes},
            directions={"item": self.lean} if self.lean else None,
            clip_ids=clip_ids,
        )


def probs(size: int) -> st.SearchStrategy[list[float]]:
    weights = st.lists(st.integers(1, 9), min_size=size, max_size=size)
    return weights.map(lambda drawn: [weight / sum(drawn) for weight in drawn])


def answers(classes: tuple[str, ...], clips: Sequence[str], *, net: bool) -> st.SearchStrategy[Row]:
    """One answer: of a given label, people, a tally, machines, an item, or a classifier."""
    clip, outcome, none = st.sampled_from(clips), st.sampled_from(classes), st.none()
    some = st.one_of(outcome, none, st.just(UNSEEN))
    soft, scale = probs(len(classes)), probs(len(SCALE))

    def rows(name: str, kind: str, group: str, *parts: st.SearchStrategy) -> st.SearchStrategy[Row]:
        return st.tuples(clip, st.just(name), st.just(kind), st.just(group), *parts)

    kinds = [
        rows("given", "given", "given", outcome, none, none),
        *(rows(name, "human", "people", some, none, none) for name in PEOPLE),
        rows("tally", "human", "crowd", outcome, none, st.integers(1, 5).map(float)),
        *(rows(name, "model", "family", outcome, none, none) for name in ("m1", "m2")),
        rows("soft", "vlm", "vlm", none, soft, none),
        rows("item", "vlm", "item", st.sampled_from(SCALE), none, none),
        rows("item", "vlm", "item", none, scale, none),
    ]
    return st.one_of(*kinds, rows("net", "model", "net", none, soft, none)) if net else st.one_of(*kinds)


@st.composite
def cases(draw: st.DrawFn, *, ordinal: bool | None = False, net: bool = True) -> Case:
    classes = NAMES[: draw(st.integers(2, 4))]
    clips = CLIPS[: draw(st.integers(3, 8))]
    # Somebody must say what the classes mean, and a row each keeps the table from being empty.
    first = [
        (clip, "ann", "human", "people", draw(st.sampled_from(classes)), None, None) for clip in clips[:2]
    ]
    rows = draw(st.lists(answers(classes, clips, net=net), min_size=3, max_size=24))
    frame = pl.DataFrame(first + rows, schema=SCHEMA, orient="row")
    ordered = draw(st.booleans()) if ordinal is None else ordinal
    return Case(frame, classes, ordered, draw(st.sampled_from([-1, 0, 1])) if ordered else 0)


def beliefs(evidence: Evidence) -> dict[str, list[float]]:
    return dict(zip(evidence.clip_ids, fit(evidence).probabilities.tolist(), strict=True))


def assert_same(left: dict[str, list[float]], right: dict[str, list[float]]) -> None:
    assert left.keys() == right.keys()
    for clip in left:
        assert left[clip] == pytest.approx(right[clip], abs=1e-7)


def permuted(frame: pl.DataFrame, order: Sequence[int]) -> pl.DataFrame:
    """Probabilities over the classes, in another order of the classes."""
    over_classes = pl.col("instrument").is_in(["soft", "net"])
    return frame.with_columns(
        probs=pl.when(over_classes).then(pl.col("probs").list.gather(list(order))).otherwise(pl.col("probs"))
    )


@LAWFUL
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_classes_does_not_matter(case: Case, rnd: Random) -> None:
    order = rnd.sample(range(len(case.classes)), len(case.classes))
    other = Case(permuted(case.frame, order), tuple(case.classes[place] for place in order))
    expected = {clip: [row[place] for place in order] for clip, row in beliefs(case.evidence()).items()}
    assert_same(beliefs(other.evidence()), expected)


@LAWFUL
@given(cases(ordinal=True))
def test_ordered_classes_upside_down_are_mirrored(case: Case) -> None:
    order = range(len(case.classes))[::-1]
    other = Case(permuted(case.frame, order), case.classes[::-1], True, -case.lean)
    expected = {clip: row[::-1] for clip, row in beliefs(case.evidence()).items()}
    assert_same(beliefs(other.evidence()), expected)


@LAWFUL
@given(cases(ordinal=None), st.randoms(use_true_random=False))
def test_order_of_rows_and_names_of_instruments_do_not_matter(case: Case, rnd: Random) -> None:
    names = [*PEOPLE, "m1", "m2", "tally"]
    new = {name: f"{place}" for name, place in zip(names, rnd.sample(range(6), 6), strict=True)}
    shuffled = case.frame[rnd.sample(range(case.frame.height), case.frame.height)]
    renamed = shuffled.with_columns(pl.col("instrument").replace(new))
    assert_same(beliefs(case.evidence(renamed)), beliefs(case.evidence()))


@LAWFUL
@given(cases(ordinal=None))
def test_clips_with_the_same_answers_are_believed_alike(case: Case) -> None:
    copies = case.frame.with_columns(pl.col("clip_id") + " again")
    found = beliefs(case.evidence(pl.concat([case.frame, copies])))
    for clip in case.frame["clip_id"].unique():
        assert found[f"{clip} again"] == pytest.approx(found[clip], abs=1e-12)


@LAWFUL
@given(cases(ordinal=None), st.sampled_from([None, UNSEEN]), st.sampled_from(["human", "vlm"]))
def test_an_instrument_that_says_nothing_changes_nothing(case: Case, outcome: str | None, kind: str) -> None:
    clips = case.frame["clip_id"].unique().sort()
    silent = pl.DataFrame(
        [(clip, "silent", kind, "people", outcome, None, None) for clip in clips], schema=SCHEMA, orient="row"
    )
    assert_same(beliefs(case.evidence(pl.concat([case.frame, silent]))), beliefs(case.evidence()))


@LAWFUL
@given(cases(ordinal=None))
def test_a_clip_of_which_nothing_is_said_gets_the_prior_and_changes_no_other(case: Case) -> None:
    evidence = case.evidence(clip_ids=["silent"])
    posterior = fit(evidence)
    found = dict(zip(evidence.clip_ids, posterior.probabilities.tolist(), strict=True))
    assert found.pop("silent") == pytest.approx(posterior.prior, abs=1e-9)
    # A clip of abstentions alone is in the evidence either way.
    assert_same(found, beliefs(case.evidence()))


def reckoned(evidence: Evidence, posterior: Posterior) -> Floats:
    """Probabilities from other answers, with everything that was learned left as it is."""
    found = assemble(
        evidence,
        posterior.scales,
        posterior.says,
        posterior.confusions,
        posterior.share,
        posterior.prior,
        posterior.classifiers,
    )
    return found.probabilities


@LAWFUL
@given(cases(ordinal=None), st.data())
def test_more_of_an_answer_never_lowers_the_class_that_it_speaks_for_most(case: Case, data) -> None:
    evidence = case.evidence()
    posterior = fit(evidence)
    row = data.draw(st.integers(0, len(evidence.item) - 1))
    more = evidence.weight.copy()
    more[row] += data.draw(st.floats(0.1, 5))
    item, says = evidence.item[row], posterior.says[evidence.column[row]]
    before, after = posterior.probabilities[item], reckoned(replace(evidence, weight=more), posterior)[item]
    assert after[says.argmax()] >= before[says.argmax()] - 1e-12
    assert after[says.argmin()] <= before[says.argmin()] + 1e-12


@LAWFUL
@given(cases(ordinal=None), st.data())
def test_a_vote_moved_towards_a_class_never_lowers_it(case: Case, data) -> None:
    """Unless the instrument is contrary: names the class less often where it is the right one."""
    evidence = case.evidence()
    posterior = fit(evidence)
    same = (np.diff(evidence.item) == 0) & (np.diff(evidence.instrument) == 0)
    divided = np.flatnonzero(same & evidence.is_class_valued[evidence.instrument[1:]])
    assume(len(divided))
    source = int(data.draw(st.sampled_from(divided.tolist())))
    target = source + 1
    if data.draw(st.booleans()):
        source, target = target, source
    item, named = evidence.item[target], evidence.option[target]
    gain = posterior.says[evidence.column[target]] - posterior.says[evidence.column[source]]
    assume(gain[named] >= gain.max() - 1e-12)
    moved = evidence.weight.copy()
    moved[target] += 0.9 * moved[source]
    moved[source] *= 0.1
    after = reckoned(replace(evidence, weight=moved), posterior)[item]
    assert after[named] >= posterior.probabilities[item, named] - 1e-12


@LAWFUL
@given(cases(ordinal=None), st.data())
def test_probabilities_are_probabilities_and_reasons_add_up_also_with_gold(case: Case, data) -> None:
    evidence = case.evidence()
    code = st.integers(0, evidence.n_classes - 1)
    codes = st.lists(code, min_size=evidence.n_items, max_size=evidence.n_items).map(np.array)
    gold = np.where(np.arange(evidence.n_items) < data.draw(st.integers(1, 3)), data.draw(codes), -1)
    favoured, against = data.draw(codes), data.draw(codes)
    posterior = fit(evidence)
    for found in (posterior, learn_from_gold(evidence, posterior, gold).posterior):
        likely = found.probabilities
        assert np.isfinite(likely).all()
        assert ((likely > 0) & (likely <= 1)).all()
        assert likely.sum(axis=1) == pytest.approx(np.ones(evidence.n_items))
        sure = reliability(likely, given_codes(evidence))
        assert (np.isnan(sure) | ((sure >= 0) & (sure <= 1))).all()
        clips = np.arange(evidence.n_items)
        odds = np.log(likely[clips, favoured] / likely[clips, against])
        parts = contributions(evidence, found, favoured, against).group_by("item").agg(pl.sum("log_odds"))
        assert parts.sort("item")["log_odds"].to_numpy() == pytest.approx(odds, abs=1e-8)


posteriors = (
    st.integers(2, 4).flatmap(lambda size: st.lists(probs(size), min_size=1, max_size=8)).map(np.array)
)
thresholds = st.floats(0, 1)


@given(posteriors)
def test_soft_labels_add_up_to_one_and_keep_the_likeliest_class(likely: Floats) -> None:
    soft = soft_labels(likely)
    assert soft.sum(axis=1) == pytest.approx(np.ones(len(likely)), abs=1e-6)
    assert soft == pytest.approx(likely, abs=1e-6)


@given(posteriors, thresholds, thresholds)
def test_a_higher_threshold_accepts_no_further_pseudo_label(likely: Floats, one: float, other: float) -> None:
    unknown, spoken = np.full(len(likely), -1), np.ones(len(likely), dtype=bool)
    strict, lax = (pseudo_labels(likely, unknown, spoken, t) for t in (max(one, other), min(one, other)))
    assert not (strict.accepted & ~lax.accepted).any()
    assert (strict.label == lax.label).all()


@given(posteriors, thresholds, thresholds)
def test_a_higher_base_lowers_no_adaptive_threshold(likely: Floats, one: float, other: float) -> None:
    strict = adaptive_thresholds(likely, max(one, other))
    assert (strict >= adaptive_thresholds(likely, min(one, other))).all()
    assert strict.max() == pytest.approx(max(one, other))


@given(posteriors, thresholds, thresholds)
def test_a_higher_threshold_makes_no_clip_high(likely: Floats, one: float, other: float) -> None:
    sure = reliability(likely, refined_codes(likely, np.full(len(likely), -1)))
    strict, lax = (split_by_threshold(sure, t) == HIGH for t in (max(one, other), min(one, other)))
    assert not (strict & ~lax).any()
