import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from curate.sequences.person import box_of, main_person


def person(x: float, y: float, size: float = 100, sure: float = 0.9) -> NDArray[np.float32]:
    """Someone whose points fill a square round (x, y)."""
    points = np.zeros((137, 3), np.float32)
    points[:, :2] = np.random.default_rng(0).uniform(-0.5, 0.5, (137, 2)) * size + (x, y)
    points[:, 2] = sure
    return points


def times(n: int) -> list[float]:
    return [i / 25 for i in range(n)]


def test_the_larger_person_is_followed_though_a_smaller_one_passes_close_by() -> None:
    main = [person(300 + i, 200, 150) for i in range(20)]
    other = [person(50 + 25 * i, 210, 60) for i in range(20)]
    found = main_person([np.stack(pair) for pair in zip(other, main, strict=True)], times(20))
    assert np.array_equal(found, np.stack(main))


def test_someone_alone_in_every_frame_is_kept_through_leaps_and_gaps() -> None:
    alone = [person(100, 100), person(900, 700), person(110, 100), person(110, 100, 10)]
    people = [
        alone[0][None],
        alone[1][None],
        np.zeros((0, 137, 3), np.float32),
        alone[2][None],
        alone[3][None],
    ]
    found = main_person(people, times(5))
    assert np.array_equal(found[[0, 1, 3, 4]], np.stack(alone))
    assert (found[2] == 0).all()


def test_who_was_seen_beside_the_main_person_never_stands_in_for_them() -> None:
    main, other = person(300, 200, 150), person(800, 200, 60)
    found = main_person([np.stack([main, other]), other[None], np.stack([other, main])], times(3))
    assert np.array_equal(found[0], main)
    assert (found[1] == 0).all()


def test_nobody_anywhere() -> None:
    ghost = person(10, 10, sure=0)[None]
    assert (main_person([ghost, np.zeros((0, 137, 3), np.float32)], times(2)) == 0).all()
    assert box_of(ghost[0]) is None


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(1, 6))
def test_the_order_of_people_does_not_matter(rnd: object, n_people: int, n_frames: int) -> None:
    rng = np.random.default_rng(rnd.getrandbits(32))  # type: ignore[attr-defined]
    spots = rng.uniform(0, 1000, (n_people, 3))
    frames = [np.stack([person(x + i, y, 20 + size / 10) for x, y, size in spots]) for i in range(n_frames)]
    shuffled = [frame[rng.permutation(n_people)] for frame in frames]
    assert np.array_equal(main_person(frames, times(n_frames)), main_person(shuffled, times(n_frames)))
