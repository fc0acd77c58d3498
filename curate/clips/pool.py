"""Work on many clips at once, in a fixed order."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]
"""Called with (done, total) after each item, in the caller's thread."""

_WAITING_PER_WORKER = 4
"""Enough that no thread waits behind one slow item; few, as a million pending items would fill memory."""


def in_threads(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    progress: Progress | None = None,
    workers: int | None = None,
) -> list[Result]:
    """`[work(item) for item in items]`, one thread a core.

    Hashing, decoding and encoding all let go of Python's lock, so that threads
    use every core without a second process's memory and start-up.

    Args:
        work: What to do with one item; what it raises is raised here.
        items: The items.
        progress: Told after each result.
        workers: How many at once; the number of cores if left out.

    Returns:
        Results in the order of `items`, whatever order they were ready in.
    """
    results: list[Result] = []
    for result in one_by_one(work, items, workers):
        results.append(result)
        if progress:
            progress(len(results), len(items))
    return results


def one_by_one(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Generator[Result, None, None]:
    """The results of `in_threads`, each as soon as it and those before it are there.

    Items are taken a few ahead of the results that are asked for. When the iterator
    is closed, work that has begun is finished and no more is begun.
    """
    threads = workers or os.cpu_count() or 1
    with ThreadPoolExecutor(max_workers=threads) as pool:
        yield from _in_order(pool, work, items, threads * _WAITING_PER_WORKER)


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], window: int
) -> Iterator[Result]:
    """Results by item, with at most `window` items handed to the pool and not yet given back."""
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            if len(waiting) == window:
                yield waiting.popleft().result()
            waiting.append(pool.submit(work, item))
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
