import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.answers.reasons.alone import NOTHING, Alone, conclude_alone, without_leaning
from curate.recipe import Task
from curate.vlm.canned import CannedClient
from curate.vlm.client import Pace
from curate.vlm.desk.asking import Desk
from curate.vlm.desk.ledger import Ledger

TASK = Task(classes=("sad", "neutral", "glad"), question="What does the person feel?")
scores = st.tuples(*[st.floats(0, 100)] * 3).filter(lambda row: sum(row) > 1)


def concluded(path: Path, said: str) -> tuple[Alone, CannedClient]:
    client = CannedClient(lambda prompt: said)

    async def asked() -> Alone:
        with Ledger(path / "ledger.sqlite") as ledger:
            return await conclude_alone(
                TASK, Desk(client, ledger, pace=Pace(1), rng=np.random.default_rng(0))
            )

    return asyncio.run(asked()), client


def test_nothing_is_shown_and_the_classes_are_named(tmp_path: Path) -> None:
    said = {"reasoning": "Nothing to go by.", "scores": {"A": 20, "B": 60, "C": 20}, "label": "B"}
    found, client = concluded(tmp_path, json.dumps(said))
    (prompt,) = client.asked
    assert prompt.pictures == ()
    assert NOTHING in prompt.text
    assert "B) neutral" in prompt.text
    assert found.scores == (20, 60, 20)
    assert found.call is not None


def test_what_cannot_be_read_takes_nothing_off(tmp_path: Path) -> None:
    found, _ = concluded(tmp_path, "I cannot judge that.")
    assert found.scores is None
    assert found.call is not None
    assert without_leaning((0.2, 0.5, 0.3), found) == (0.2, 0.5, 0.3)


def test_what_is_concluded_of_nothing_says_nothing() -> None:
    # q = (.2 + .1/3, .6 + .1/3, .2 + .1/3) / 1.1: what is left of the same shares is nearly even.
    found = without_leaning((0.2, 0.6, 0.2), Alone((20, 60, 20)))
    assert found == pytest.approx((0.3219, 0.3562, 0.3219), abs=1e-3)


@given(scores, scores)
def test_probabilities_stay_such_and_an_even_leaning_changes_nothing(
    said: tuple[float, ...], alone: tuple[float, ...]
) -> None:
    probs = tuple(score / sum(said) for score in said)
    found = without_leaning(probs, Alone(alone))
    assert sum(found) == pytest.approx(1)
    assert all(0 <= prob <= 1 for prob in found)
    assert without_leaning(probs, Alone((5.0, 5.0, 5.0))) == pytest.approx(probs)
