"""Work on many clips at once, in a fixed order."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]
"""Called with (done, total) after each item, in the caller's thread."""


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
    with ThreadPoolExecutor(max_workers=workers or os.cpu_count()) as pool:
        for result in pool.map(work, items):
            results.append(result)
            if progress:
                progress(len(results), len(items))
    return results
