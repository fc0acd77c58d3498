"""Work in threads keeps its order and does not run ahead."""

from collections.abc import Iterator, Sequence
from threading import Event

import pytest

from curate.clips.pool import in_threads


def test_results_come_in_the_order_of_the_items() -> None:
    second_is_done = Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_is_done.wait(timeout=30)
        if item == 1:
            second_is_done.set()
        return item * item

    assert in_threads(work, range(100), workers=2) == [item * item for item in range(100)]


def test_few_items_are_under_way_at_once() -> None:
    given = done = 0

    class Counted(Sequence[int]):
        def __getitem__(self, index: object) -> int:  # type: ignore[override]
            raise AssertionError(index)

        def __len__(self) -> int:
            return 1000

        def __iter__(self) -> Iterator[int]:
            nonlocal given
            for item in range(len(self)):
                given += 1
                assert given - done <= 9  # two workers with four items each, and the next one
                yield item

    def told(so_far: int, total: int) -> None:
        nonlocal done
        done = so_far

    assert len(in_threads(abs, Counted(), told, workers=2)) == 1000


def test_an_error_ends_the_work() -> None:
    started = []

    def work(item: int) -> None:
        started.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match=r"^0$"):
        in_threads(work, range(1000), workers=2)
    assert len(started) <= 8
