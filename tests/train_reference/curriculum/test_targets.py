from collections.abc import Callable

import pytest
import torch

from train_reference.curriculum.arms import make_arm
from train_reference.curriculum.targets import Targets
from train_reference.data.clips import Clips
from train_reference.settings import Curriculum

CPU = torch.device("cpu")


def targets_of(make_clips: Callable[..., Clips], arm: str = "curriculum") -> Targets:
    clips = make_clips([0, 1], [0, 1], [0.9, 0.2])  # soft labels .9, .05, .05 and .05, .9, .05
    return Targets(make_arm(arm, clips, 0), Curriculum(most=0.5, decay=0.5), CPU)


def test_the_blend_grows_with_time_and_doubt(make_clips: Callable[..., Clips]) -> None:
    targets, rows = targets_of(make_clips), torch.tensor([0, 1])
    assert targets.of(rows, 1.0).tolist() == [
        pytest.approx([0.9, 0.05, 0.05]),
        pytest.approx([0.05, 0.9, 0.05]),
    ]
    targets.update(rows, torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]))
    # Weight of the prediction at progress .5: .5 x .5 x (1 - .9) = .025, and .5 x .5 x (1 - .2) = .2.
    found = targets.of(rows, 0.5)
    assert found[0].tolist() == pytest.approx([0.975 * 0.9, 0.975 * 0.05, 0.975 * 0.05 + 0.025])
    assert found[1].tolist() == pytest.approx([0.8 * 0.05, 0.8 * 0.9, 0.8 * 0.05 + 0.2])
    assert targets.of(rows, 0.0)[1].tolist() == pytest.approx([0.05, 0.9, 0.05])
    assert found.sum(dim=1).tolist() == pytest.approx([1, 1])


def test_the_average_forgets_and_is_right_from_the_first_on(make_clips: Callable[..., Clips]) -> None:
    targets, row = targets_of(make_clips), torch.tensor([0])
    assert targets.average(row).tolist() == [[0, 0, 0]]
    targets.update(row, torch.tensor([[1.0, 0.0, 0.0]]))
    assert targets.average(row).tolist() == [pytest.approx([1, 0, 0])]
    targets.update(row, torch.tensor([[0.0, 1.0, 0.0]]))
    # (.5 x .5 x first + .5 x second) / (.25 + .5): a third and two thirds.
    assert targets.average(row).tolist() == [pytest.approx([1 / 3, 2 / 3, 0])]


def test_other_arms_keep_their_targets(make_clips: Callable[..., Clips]) -> None:
    targets, rows = targets_of(make_clips, "soft"), torch.tensor([1])
    targets.update(rows, torch.tensor([[0.0, 0.0, 1.0]]))
    assert targets.of(rows, 1.0).tolist() == [pytest.approx([0.05, 0.9, 0.05])]


def test_they_are_taken_up_again(make_clips: Callable[..., Clips]) -> None:
    before, after, rows = targets_of(make_clips), targets_of(make_clips), torch.tensor([0, 1])
    before.update(rows, torch.tensor([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]))
    after.load(before.tensors())
    assert torch.equal(after.of(rows, 0.7), before.of(rows, 0.7))
