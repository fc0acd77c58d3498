"""Pseudonyms for the people who voted: a keyed hash of each name, the same in every version of a release.

Without the key nobody can find a name by hashing all that are likely. The key
stays with the run.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from curate.errors import ReleaseError
from curate.release.content import Tables

_DIGITS = 10
_VOTE = "vote:"
"""Begins the name of a person's instrument."""


def pseudonym(name: str, key: bytes) -> str:
    """Such as "annotator-3f9a1c2207".

    Source:
        HMAC with SHA-256, RFC 2104.
    """
    return f"annotator-{hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:_DIGITS]}"


def pseudonyms(tables: Tables, key: bytes) -> dict[str, str]:
    """The pseudonym of everybody who voted.

    Raises:
        ReleaseError: Two people would have the same one.
    """
    names = tables.votes["annotator"].unique().sort().to_list()
    found = {name: pseudonym(name, key) for name in names}
    if len(set(found.values())) < len(found):
        raise ReleaseError(
            "two annotators have the same pseudonym. Remove annotators.key in the run's folder and run again"
        )
    return found


def pseudonymised(tables: Tables, names: Mapping[str, str]) -> Tables:
    """The tables without a name of anybody who voted.

    Args:
        tables: Of a run.
        names: Pseudonym by name.
    """
    instruments = {f"{_VOTE}{name}": f"{_VOTE}{other}" for name, other in names.items()}
    return replace(
        tables,
        votes=tables.votes.with_columns(pl.col("annotator").replace(names)),
        evidence=_renamed(tables.evidence, instruments),
        instruments=_renamed(tables.instruments, instruments),
        confusions=_renamed(tables.confusions, instruments),
        labels=_renamed_reasons(tables.labels, instruments),
        problems=_told(tables.problems, names),
    )


def _renamed(frame: pl.DataFrame, instruments: Mapping[str, str]) -> pl.DataFrame:
    return frame.with_columns(pl.col("instrument").replace(instruments))


def _renamed_reasons(labels: pl.DataFrame, instruments: Mapping[str, str]) -> pl.DataFrame:
    element = pl.element()
    instrument = element.struct.field("instrument").replace(instruments)
    return labels.with_columns(
        pl.col("why").list.eval(element.struct.with_fields(instrument.alias("instrument")))
    )


def _told(problems: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Findings quote what they found: a name in quotation marks is one of them."""
    quoted = {repr(name): repr(other) for name, other in names.items()}
    if not quoted:
        return problems
    return problems.with_columns(pl.col("what").str.replace_many(list(quoted), list(quoted.values())))
