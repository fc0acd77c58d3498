"""What the verbs say on a terminal, and how they end when they are interrupted."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def resumable() -> Iterator[None]:
    """Says, when a run is interrupted, that it can be gone on with."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("stopped: nothing that was answered is lost; the same command goes on from here", err=True)
        raise typer.Exit(130) from None  # what shells expect of a program that was interrupted


def tell(lines: Iterable[str]) -> None:
    """Print line by line, as they come."""
    for line in lines:
        typer.echo(line)
