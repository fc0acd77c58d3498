from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest

from curate.labels import Evidence, evidence_from_frame, fit
from curate.labels.caution import RULES, Rule, cautions, fires
from curate.labels.symptoms import Symptoms, symptoms

SOUND = Symptoms(off_majority=0.0, single_votes=0.0, unskilled=0.2, correlation=0.0)


def crowd(n_people: int, right: float, kind: str = "human", n_clips: int = 300) -> Evidence:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, n_clips)
    rows = [
        (f"c{clip:03}", f"p{person}", "xyz"[truth[clip] if lucky else rng.integers(0, 3)], kind)
        for clip in range(n_clips)
        for person, lucky in enumerate(rng.random(n_people) < right)
    ]
    frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "outcome", "kind"], orient="row")
    return evidence_from_frame(frame, ["x", "y", "z"])


def codes(evidence: Evidence, n_gold: int = 0) -> list[str]:
    return [caution.code for caution in cautions(evidence, fit(evidence).probabilities, n_gold)]


def test_machines_alone_are_uncertified_until_there_is_gold() -> None:
    machines = crowd(5, 0.9, kind="vlm")
    assert codes(machines)[0] == "uncertified"
    assert "uncertified" not in codes(machines, n_gold=1)
    assert "uncertified" not in codes(crowd(5, 0.9))


def test_one_person_among_machines_is_not_machines_alone() -> None:
    machines = crowd(5, 0.9, kind="vlm")
    person = replace(machines.instruments[0], kind="human")
    assert "uncertified" not in codes(replace(machines, instruments=(person, *machines.instruments[1:])))


def test_a_sound_crowd_gets_no_serious_caution() -> None:
    evidence = crowd(7, 0.9)
    found = cautions(evidence, fit(evidence).probabilities)
    assert [caution.code for caution in found if caution.severity == "serious"] == []


def test_labels_that_are_not_what_most_say_are_told() -> None:
    evidence = crowd(5, 0.9)
    against = fit(evidence).probabilities[:, ::-1]  # two classes: everything the other way round
    assert "off_majority" in [caution.code for caution in cautions(evidence, against)]
    assert "off_majority" not in codes(evidence)


def test_single_votes_are_told_with_their_share() -> None:
    evidence = crowd(1, 0.8)
    [found] = [c for c in cautions(evidence, fit(evidence).probabilities) if c.code == "single_votes"]
    assert (found.value, found.severity) == (1.0, "note")
    assert found.text == (
        "100% of the clips have only one vote, which leaves nothing to tell good voters from bad. "
        "Ask for a second vote on some clips"
    )


def test_serious_ones_come_first() -> None:
    evidence = crowd(1, 0.1, kind="model")
    found = cautions(evidence, fit(evidence).probabilities)
    assert len(found) >= 2
    severities = [caution.severity for caution in found]
    assert severities == sorted(severities, key=["serious", "note"].index)


def test_without_clips_there_is_nothing_to_warn_of() -> None:
    empty = pl.DataFrame(
        schema={"clip_id": pl.String, "instrument": pl.String, "outcome": pl.String, "kind": pl.String}
    )
    evidence = evidence_from_frame(empty, ["x", "y"])
    assert cautions(evidence, np.zeros((0, 2))) == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_fires_from_its_threshold_on(rule: Rule) -> None:
    assert rule.symptom in {field.name for field in fields(Symptoms)}
    assert not fires(rule, SOUND)
    assert fires(rule, replace(SOUND, **{rule.symptom: rule.threshold}))
    assert not fires(rule, replace(SOUND, **{rule.symptom: float("nan")}))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_is_told_is_what_was_measured(rule: Rule) -> None:
    evidence = crowd(3, 0.4)
    probabilities = fit(evidence).probabilities
    measured = getattr(symptoms(evidence, probabilities), rule.symptom)
    found = [caution for caution in cautions(evidence, probabilities) if caution.code == rule.code]
    assert bool(found) == (measured >= rule.threshold)
    for caution in found:
        assert (caution.value, caution.threshold) == (measured, rule.threshold)
