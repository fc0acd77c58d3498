from math import log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck

from train_reference.losses import (
    LossName,
    class_balanced_weights,
    corn,
    corn_probabilities,
    elr,
    make_loss,
    soft_cross_entropy,
    squared_emd,
)

LOGITS = torch.tensor([[log(1.0), log(2.0), log(5.0)]], dtype=torch.float64)  # probabilities 1/8, 2/8, 5/8
numbers = st.lists(st.floats(-5, 5), min_size=4, max_size=4)
shares = st.lists(st.floats(0.01, 1), min_size=4, max_size=4)


def tensor(given: list[float]) -> torch.Tensor:
    return torch.tensor([given], dtype=torch.float64)


def distribution(given: list[float]) -> torch.Tensor:
    return tensor(given) / sum(given)


def test_soft_cross_entropy_by_hand() -> None:
    # - (.5 log 1/8 + .5 log 5/8)
    expected = -0.5 * log(1 / 8) - 0.5 * log(5 / 8)
    assert soft_cross_entropy(LOGITS, tensor([0.5, 0, 0.5])).item() == pytest.approx(expected)


def test_squared_emd_by_hand() -> None:
    # Cumulative 1/8, 3/8, 1 against 0, 1, 1: (1/8)^2 + (5/8)^2 = 26/64.
    assert squared_emd(LOGITS, tensor([0, 1, 0])).item() == pytest.approx(26 / 64)


def test_corn_by_hand() -> None:
    # Of three classes two tasks: is it beyond the first; if so, is it beyond the second. Outputs
    # log 3 and log 1/3 are probabilities 3/4 and 1/4.
    outputs = tensor([log(3), log(1 / 3)])
    # The middle class: yes, then no: - log 3/4 - log 3/4.
    assert corn(outputs, tensor([0, 1, 0])).item() == pytest.approx(-2 * log(3 / 4))
    # The first class: no; the second task is not asked.
    assert corn(outputs, tensor([1, 0, 0])).item() == pytest.approx(-log(1 / 4))
    # Half the first, half the last: half of each, - (log 1/4)/2 - (log 3/4 + log 1/4)/2.
    expected = -0.5 * log(1 / 4) - 0.5 * (log(3 / 4) + log(1 / 4))
    assert corn(outputs, tensor([0.5, 0, 0.5])).item() == pytest.approx(expected)
    # P = 1/4, 3/4 x 3/4, 3/4 x 1/4.
    assert corn_probabilities(outputs)[0].tolist() == pytest.approx([4 / 16, 9 / 16, 3 / 16])


def test_elr_by_hand() -> None:
    # <p, t> = .6 x .5 + .4 x .5 = .5: the loss, and three times log .5.
    found = elr(tensor([2])[0], tensor([0.6, 0.4]), tensor([0.5, 0.5]))
    assert found.item() == pytest.approx(2 + 3 * log(0.5))
    # Nothing was predicted yet: the loss alone.
    assert elr(tensor([2])[0], tensor([0.6, 0.4]), tensor([0, 0])).item() == 2


def test_class_balanced_weights_by_hand() -> None:
    # (1 - .999^1) / .001 = 1 and (1 - .999^2) / .001 = 1.999: weights 1 and 1/1.999 before they
    # are scaled so that one clip of the first and two of the second have a mean of 1.
    weights = class_balanced_weights(torch.tensor([1.0, 2.0]))
    assert (weights[0] / weights[1]).item() == pytest.approx(1.999, abs=1e-3)
    assert (weights[0] + 2 * weights[1]).item() == pytest.approx(3, abs=1e-5)
    assert class_balanced_weights(torch.tensor([0.0, 2.0])).tolist() == pytest.approx([0, 1])


def test_logit_adjustment_by_hand() -> None:
    # Classes as 3 to 1: training sees logits + log 3/4 and log 1/4; equal logits then cost - log 3/4.
    loss = make_loss("soft_cross_entropy", "logit_adjusted", torch.tensor([3.0, 1.0]))
    assert loss(tensor([0, 0]), tensor([1, 0])).item() == pytest.approx(-log(3 / 4))
    # What is predicted is not adjusted: that is how rare classes gain.
    assert loss.probabilities(tensor([0, 0]))[0].tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match="needs a logit a class"):
        make_loss("corn", "logit_adjusted", torch.tensor([3.0, 1.0]))


@pytest.mark.parametrize("name", ["soft_cross_entropy", "corn", "squared_emd"])
@pytest.mark.parametrize("adjust", ["none", "class_balanced"])
def test_gradients_by_finite_differences(name: LossName, adjust: str) -> None:
    torch.manual_seed(0)
    loss = make_loss(name, adjust, torch.tensor([5.0, 2.0, 1.0, 1.0]))  # type: ignore[arg-type]
    logits = torch.randn(3, loss.n_outputs, dtype=torch.float64, requires_grad=True)
    targets = torch.rand(3, 4, dtype=torch.float64).softmax(-1)
    assert gradcheck(lambda given: loss(given, targets), [logits])


def test_gradient_of_elr_by_finite_differences() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    average = torch.rand(3, 4, dtype=torch.float64).softmax(-1)

    def whole(given: torch.Tensor) -> torch.Tensor:
        return elr(soft_cross_entropy(given, average), given.softmax(-1), average)

    assert gradcheck(whole, [logits])


@given(numbers, shares)
def test_cross_entropy_is_least_at_its_target(logits: list[float], target: list[float]) -> None:
    aim = distribution(target)
    assert soft_cross_entropy(tensor(logits), aim).item() >= soft_cross_entropy(aim.log(), aim).item() - 1e-9


@given(numbers, shares, st.floats(-5, 5))
def test_a_constant_added_to_all_logits_changes_nothing(
    logits: list[float], target: list[float], by: float
) -> None:
    for loss in (soft_cross_entropy, squared_emd):
        there = loss(tensor(logits), distribution(target)).item()
        assert loss(tensor(logits) + by, distribution(target)).item() == pytest.approx(there, abs=1e-9)


@given(st.lists(st.floats(-8, 8), min_size=3, max_size=3), shares)
def test_corn_gives_distributions_and_is_least_at_its_target(
    outputs: list[float], target: list[float]
) -> None:
    probabilities = corn_probabilities(tensor(outputs))
    assert probabilities.sum().item() == pytest.approx(1)
    assert (probabilities >= 0).all()
    aim = distribution(target)[0]
    reached = aim.flip(0).cumsum(0).flip(0)
    best = (reached[1:] / reached[:-1]).logit()[None]
    assert corn_probabilities(best)[0].tolist() == pytest.approx(aim.tolist())
    assert corn(tensor(outputs), aim[None]).item() >= corn(best, aim[None]).item() - 1e-9
