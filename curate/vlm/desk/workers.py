"""So many things under way at once, and no more."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def for_each(items: AsyncIterable[T], work: Callable[[T], Awaitable[None]], *, at_once: int) -> None:
    """Do `work` on every item, on several at the same time.

    Items are taken as needed, in their order: the next one is not made before
    there is room for it. The first exception, of work or of making an item,
    cancels everything under way, waits until it has ended, and is raised; a
    cancellation from outside does the same.

    Args:
        items: Taken one at a time.
        work: Done once an item.
        at_once: At most so many items under way; at least 1.
    """
    room = asyncio.Semaphore(at_once)

    async def one(item: T) -> None:
        try:
            await work(item)
        finally:
            room.release()

    try:
        async with asyncio.TaskGroup() as tasks:
            await room.acquire()
            async for item in items:
                tasks.create_task(one(item))
                await room.acquire()
    except BaseExceptionGroup as several:
        # One cause is enough to say; the others are mostly the same one again.
        raise several.exceptions[0] from None
    finally:
        if isinstance(items, AsyncGenerator):
            await items.aclose()
