"""What classifiers add to a posterior."""

import numpy as np
import polars as pl
import pytest
from scipy.special import log_softmax

from curate.labels.evidence import Evidence, Floats
from curate.labels.intake import evidence_from_frame
from curate.labels.listen import classifier_rows, without
from curate.labels.model import fit
from curate.labels.trust import FitSettings, scales

CLASSES = ("a", "b", "c")
SCHEMA = {
    "clip_id": pl.String,
    "instrument": pl.String,
    "kind": pl.String,
    "outcome": pl.String,
    "probs": pl.List(pl.Float64),
}
N_CLIPS = 500


def coded(rows: list[tuple], clip_ids: tuple[str, ...] = ()) -> Evidence:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return evidence_from_frame(frame, CLASSES, clip_ids=clip_ids)


def drawn() -> tuple[list[tuple], Floats, np.ndarray]:
    """Votes of four people who are right for 65 %, a calibrated classifier's log-probabilities, the truth."""
    rng = np.random.default_rng(0)
    log_q = log_softmax(rng.normal(0, 2, (N_CLIPS, 3)), axis=1)
    truth = (rng.random((N_CLIPS, 1)) > np.exp(log_q).cumsum(axis=1)).sum(axis=1)
    rows: list[tuple] = []
    for person in range(4):
        says = np.where(rng.random(N_CLIPS) < 0.65, truth, (truth + rng.integers(1, 3, N_CLIPS)) % 3)
        rows += [(f"c{i:03}", f"p{person}", "human", CLASSES[says[i]], None) for i in range(N_CLIPS)]
    return rows, log_q, truth


def opinions(log_q: Floats, name: str = "net", power: float = 1.0) -> list[tuple]:
    sharpened = np.exp(log_softmax(power * log_q, axis=1)).tolist()
    return [(f"c{i:03}", name, "model", None, probs) for i, probs in enumerate(sharpened)]


def accuracy(probabilities: Floats, truth: np.ndarray) -> float:
    return float((probabilities.argmax(axis=1) == truth).mean())


def test_who_is_a_classifier() -> None:
    half = [0.5, 0.5, 0.0]
    evidence = coded(
        [
            ("c", "net", "model", None, half),
            ("c", "names a class", "model", "a", None),
            ("c", "ann", "human", None, half),
            ("c", "watcher", "vlm", None, half),
        ]
    )
    names = [evidence.instruments[index].name for index in evidence.instrument]
    assert classifier_rows(evidence).tolist() == [name == "net" for name in names]


def test_a_model_that_spreads_its_vote_once_is_a_classifier_on_every_clip() -> None:
    rows = [("c", "net", "model", None, [1.0, 0.0, 0.0]), ("d", "net", "model", None, [0.5, 0.5, 0.0])]
    found = classifier_rows(coded([*rows, ("c", "ann", "human", "a", None)]))
    assert found.sum() == 3  # one option on c, two on d


def test_where_nobody_else_speaks_in_classes_a_classifier_is_a_voter() -> None:
    evidence = coded([("c", "net", "model", None, [0.7, 0.2, 0.1]), ("d", "net", "model", "b", None)])
    assert not classifier_rows(evidence).any()
    posterior = fit(evidence)
    assert posterior.classifiers == ()
    assert posterior.probabilities.argmax(axis=1).tolist() == [0, 1]


def test_without_leaves_everything_but_the_weights() -> None:
    evidence = coded([("c", "net", "model", None, [0.5, 0.5, 0.0]), ("c", "ann", "human", "a", None)])
    rows = classifier_rows(evidence)
    silenced = without(evidence, rows)
    assert silenced.weight.tolist() == np.where(rows, 0.0, evidence.weight).tolist()
    assert silenced.instruments == evidence.instruments
    assert silenced.item is evidence.item


def test_a_classifier_is_worth_hearing() -> None:
    rows, log_q, truth = drawn()
    alone = accuracy(fit(coded(rows)).probabilities, truth)
    together = accuracy(fit(coded(rows + opinions(log_q))).probabilities, truth)
    assert together > alone + 0.05
    assert together > accuracy(log_q, truth) + 0.03


def test_how_sure_it_says_it_is_does_not_matter() -> None:
    rows, log_q, _ = drawn()
    modest, boastful = (fit(coded(rows + opinions(log_q, power=power))).probabilities for power in (1.0, 5.0))
    assert np.abs(modest - boastful).mean() < 0.02
    assert (modest.argmax(axis=1) == boastful.argmax(axis=1)).mean() > 0.98


def test_a_classifier_that_knows_nothing_does_little_harm() -> None:
    rows, log_q, truth = drawn()
    lost = np.random.default_rng(1).permutation(log_q)
    before = fit(coded(rows)).probabilities
    after = fit(coded(rows + opinions(lost, power=3.0))).probabilities
    assert accuracy(log_q, truth) - accuracy(lost, truth) > 0.3
    assert accuracy(after, truth) > accuracy(before, truth) - 0.03


def test_two_that_are_the_same_count_as_four_thirds_of_one() -> None:
    # Each of two counts as 1 / (1 + 1/2) = 2/3; from the same words on the same votes both say the same.
    rows, log_q, _ = drawn()
    posterior = fit(coded(rows + opinions(log_q) + opinions(log_q, "twin")))
    first, second = posterior.classifiers
    assert first.logs == pytest.approx(second.logs)
    assert {first.instrument, second.instrument} == {0, 5}  # net, p0 to p3, twin


def test_where_it_is_silent_nothing_is_added() -> None:
    rows, log_q, _ = drawn()
    posterior = fit(coded(rows + opinions(log_q)[:400]))
    [word] = posterior.classifiers
    assert word.logs[:400].any(axis=1).all()
    assert not word.logs[400:].any()


def test_its_rows_say_nothing_else_and_its_confusions_are_what_it_was_seen_to_say() -> None:
    rows, log_q, _ = drawn()
    evidence = coded(rows + opinions(log_q))
    posterior = fit(evidence)
    assert not posterior.says[:3].any()  # "net" is the first by name
    # One clip is added to each class, spread evenly over the three options.
    seen = np.exp(log_q).T @ posterior.probabilities + 1 / 3
    assert posterior.confusions[:3] == pytest.approx(seen / seen.sum(axis=0), abs=1e-9)


def test_the_parts_give_the_probabilities() -> None:
    rows, log_q, _ = drawn()
    evidence = coded(rows + opinions(log_q))
    posterior = fit(evidence)
    logs = evidence.matrix(posterior.scales.rows) @ posterior.says + posterior.classifiers[0].logs
    logs += posterior.scales.prior[:, None] * np.log(posterior.prior)
    assert posterior.probabilities == pytest.approx(np.exp(log_softmax(logs, axis=1)))


def test_a_vote_in_parts_is_one_vote_although_its_parts_may_add_up_to_a_little_less() -> None:
    # 1 + .01 + .13 + .86 is 2, and 1 + .13 + .86 + .01 is 2 - 2e-16: the classes in another order.
    parts = [0.01, 0.13, 0.86]
    orders = ([0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1])
    rows = [("c", "ann", "human", "a", None), ("d", "ann", "human", "b", None)]
    beliefs = []
    for order in orders:
        soft = [(clip, "bob", "human", None, [parts[k] for k in order]) for clip in "cd"]
        net = [(clip, "net", "model", None, [[0.6, 0.3, 0.1][k] for k in order]) for clip in "cd"]
        frame = pl.DataFrame(rows + soft + net, schema=SCHEMA, orient="row")
        found = fit(evidence_from_frame(frame, [CLASSES[k] for k in order])).probabilities
        beliefs.append(found[:, np.argsort(order)])
    for belief in beliefs:
        assert belief == pytest.approx(beliefs[0], abs=1e-7)


def _three(rows: list[tuple[str, str, str, str | None, list[float] | None]]) -> Evidence:
    schema = {"clip_id": pl.String, "instrument": pl.String, "kind": pl.String, "outcome": pl.String}
    frame = pl.DataFrame(rows, schema={**schema, "probs": pl.List(pl.Float64)}, orient="row")
    return evidence_from_frame(frame, ["a", "b"])


def test_a_model_that_repeats_an_answer_is_still_a_voter() -> None:
    rows = [("c", "m", "model", "a", None), ("c", "m", "model", "b", None), ("c", "p", "human", "a", None)]
    assert not classifier_rows(_three(rows)).any()


def test_classifiers_of_different_clips_do_not_weaken_each_other() -> None:
    """The same probabilities under one name or two, one for each half of the clips: much the same labels."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    people = [
        (f"c{i:03}", f"p{person}", "human", "ab"[truth[i] ^ (rng.random() < 0.3)], None)
        for i in range(200)
        for person in range(3)
    ]
    sure = np.where(rng.random(200) < 0.9, 0.9, 0.1)
    share = np.where(truth == 0, sure, 1 - sure)

    def judged(names: list[str]) -> list[tuple[str, str, str, None, list[float]]]:
        return [
            (f"c{i:03}", names[i % len(names)], "model", None, [float(share[i]), float(1 - share[i])])
            for i in range(200)
        ]

    one, two = (fit(_three([*people, *judged(names)])).probabilities for names in (["m"], ["m", "n"]))
    assert np.abs(one - two).mean() < 0.05  # each half has fewer clips to learn its trust from


def test_a_muted_classifier_does_not_weaken_other_machines() -> None:
    rows = [("c", "v", "vlm", "a", None), ("c", "w", "vlm", "a", None), ("c", "p", "human", "b", None)]
    evidence = _three([*rows, ("c", "m", "model", None, [0.5, 0.5])])
    muted = without(evidence, classifier_rows(evidence))
    anchored = np.array([True])
    kept = ~classifier_rows(evidence)
    assert scales(muted, FitSettings(), anchored).rows[kept] == pytest.approx(
        scales(_three(rows), FitSettings(), anchored).rows
    )
