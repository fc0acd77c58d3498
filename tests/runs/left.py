"""What a run leaves behind, for tests to look at."""

import json
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl

from curate.manifest import Manifest


def replies(folder: Path) -> int:
    """How many the ledger holds."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as base:
        return int(base.execute("SELECT count(*) FROM calls").fetchone()[0])


def new_calls(folder: Path) -> int:
    """That the last run made."""
    return Manifest.load(folder).stages["answers"].counts["new_calls"]


def asking(folder: Path) -> Any:
    """What was measured of the asking."""
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["asking"]


def report(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def card(folder: Path) -> str:
    return (folder / "release" / "README.md").read_text(encoding="utf-8")


def first_lines(folder: Path, n: int = 4) -> tuple[str, str]:
    """Of the report, and of the card below its title."""
    below_title = card(folder).split("\n# ", 1)[1]
    return " ".join(Page(report(folder)).lines[:n]), "\n".join(below_title.split("\n")[:n])


def unpacked(path: Path) -> str:
    """A file's content as text, a table's with every value, a ledger's with all that it holds."""
    if path.suffix == ".parquet":
        return repr(pl.read_parquet(path).to_dicts())
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as base:
            return "\n".join(base.iterdump())
    return path.read_bytes().decode("utf-8", errors="replace")


class Page(HTMLParser):
    """What a page shows, and the tags that it is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.lines: list[str] = []
        self.feed(page.split("<body", 1)[1].partition(">")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.lines += [" ".join(data.split())] if data.strip() else []
