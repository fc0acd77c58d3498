"""Learning rate, phases, the place in training, the order of clips: all pure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_reference.settings import Schedule
from train_reference.training.order import epoch_order
from train_reference.training.phases import phases
from train_reference.training.place import Place
from train_reference.training.rate import rate


def test_up_and_down_by_hand() -> None:
    # Ten steps, two of them up: 1/2, 1, then half a cosine over the other eight and one more.
    found = [rate(step, 10, 0.2) for step in range(10)]
    assert found[:3] == [0.5, 1.0, pytest.approx(0.5 * (1 + np.cos(np.pi / 9)))]
    assert found[-1] == pytest.approx(0.5 * (1 + np.cos(8 * np.pi / 9)))


@given(st.integers(1, 500), st.floats(0, 1))
def test_rates_are_positive_and_reach_the_whole(n_steps: int, warm_up: float) -> None:
    found = [rate(step, n_steps, warm_up) for step in range(n_steps)]
    assert all(0 < one <= 1 for one in found)
    top = found.index(max(found))
    assert found[:top] == sorted(found[:top])
    assert found[top:] == sorted(found[top:], reverse=True)


def test_each_alone_and_then_together() -> None:
    schedule = Schedule(batch_size=10, epochs=3, alone_epochs=2)
    found = [(phase.name, phase.n_steps) for phase in phases(["images", "text"], 95, schedule)]
    assert found == [("images alone", 20), ("text alone", 20), ("joint", 30)]
    assert [phase.name for phase in phases(["images"], 95, schedule)] == ["joint"]


def test_the_best_is_by_macro_f1_and_then_by_log_loss() -> None:
    place = Place()
    assert place.looked({"macro_f1": 0.5, "nll": 1.0})
    assert not place.looked({"macro_f1": 0.4, "nll": 0.1})
    assert place.stale_looks == 1
    assert place.looked({"macro_f1": 0.5, "nll": 0.9})
    assert (place.stale_looks, place.best) == (0, {"macro_f1": 0.5, "nll": 0.9})


@given(st.integers(0, 5), st.sampled_from(["natural", "class_balanced", "square_root"]))
def test_an_epoch_is_a_function_of_its_seed(epoch: int, sampler: str) -> None:
    schedule = Schedule.model_validate({"batch_size": 4, "sampler": sampler})
    rows, labels, lengths = np.arange(3, 30), np.arange(40) % 3, np.arange(40)
    first, again = (epoch_order(rows, labels, lengths, schedule, (1, 0, epoch)) for _ in range(2))
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in again]
    drawn = np.concatenate(first)
    assert len(drawn) == len(rows)
    assert set(drawn) <= set(rows)
    if sampler == "natural":
        assert sorted(drawn) == rows.tolist()
