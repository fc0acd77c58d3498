"""A camera that moves, and one that does not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from curate.frames.changes import changes
from curate.frames.steady import departures, halved, is_moving, registered, shifts

N_LOOKS = 60


def scene(shifts_px: NDArray[np.float64], blink: range = range(0)) -> NDArray[np.float32]:
    """A smooth scene seen through a camera at these places, (n, 2); something dark is there for a while."""
    rng = np.random.default_rng(1)
    waves = rng.uniform(0.05, 0.35, (6, 2)) * rng.choice([-1, 1], (6, 2))
    phases, heights = rng.uniform(0, 6.28, 6), rng.uniform(10, 25, 6)
    row, column = np.mgrid[:48, :64].astype(float)
    looks = np.empty((len(shifts_px), 48, 64), dtype=np.float32)
    for i, (down, right) in enumerate(shifts_px):
        y, x = row + down, column + right
        look = 120 + sum(
            h * np.sin(w[0] * y + w[1] * x + p) for w, p, h in zip(waves, phases, heights, strict=True)
        )
        if i in blink:
            look = look - 60 * (np.hypot(y - 24, x - 30) < 3)
        looks[i] = look
    return looks


def in_a_hand(seed: int = 0) -> NDArray[np.float64]:
    """Places of a camera that drifts by a pixel or two, (60, 2) [px]."""
    steps = np.random.default_rng(seed).normal(0, 1, (N_LOOKS, 2))
    smooth = np.stack([np.convolve(steps[:, k], np.hanning(7), "same") for k in (0, 1)], axis=1)
    return np.asarray(1.2 * smooth / smooth.std())


def test_a_camera_in_a_hand_moves_and_noise_does_not() -> None:
    rng = np.random.default_rng(2)
    still = scene(np.zeros((N_LOOKS, 2))) + rng.normal(0, 3, (N_LOOKS, 48, 64)).astype(np.float32)
    assert is_moving(scene(in_a_hand()))
    assert not is_moving(still.astype(np.float32))
    assert not is_moving(np.full((N_LOOKS, 48, 64), 90, dtype=np.float32)), "nothing differs at all"


def test_registered_looks_differ_less() -> None:
    looks = scene(in_a_hand())
    before, after = (np.abs(np.diff(one, axis=0))[:, 6:-6, 6:-6].mean() for one in (looks, registered(looks)))
    assert after < before / 4


def test_shifts_are_told_to_a_fraction_of_a_pixel() -> None:
    places = in_a_hand()
    # A camera that moved down by a pixel shows things a pixel higher: they are moved down again.
    expected = places - np.median(places, axis=0)
    assert np.sqrt(((shifts(scene(places)) - expected) ** 2).mean()) < 0.05


def test_a_look_that_could_not_be_placed_departs_by_no_more_than_others() -> None:
    rng = np.random.default_rng(0)
    base = np.full((9, 24, 24), 100, dtype=np.float32)
    looks = base + rng.normal(0, 1, base.shape).astype(np.float32)
    looks[4] += rng.normal(0, 20, base.shape[1:]).astype(np.float32)
    found = np.abs(departures(looks, base)).mean(axis=(1, 2))
    assert found[4] < 2 * found[3]


def test_what_happens_before_a_moving_camera_is_told() -> None:
    looks = scene(in_a_hand(), blink=range(30, 34))
    found = changes(looks, range(N_LOOKS))
    assert found[0].apex in range(30, 34)
    assert found[0].is_brief


@pytest.mark.parametrize("shape", [(5, 1, 1), (5, 1, 9), (5, 3, 2)])
def test_looks_that_are_too_small_to_halve_or_shift_do_no_harm(shape: tuple[int, int, int]) -> None:
    looks = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    assert halved(looks).shape[0] == 5
    assert not is_moving(halved(looks))
    assert isinstance(changes(looks, range(5)), list)
