"""Receipts: which pixels an answer was about."""

import hashlib
import json
from collections.abc import Iterable

import polars as pl


def receipt(frames: pl.DataFrame) -> str:
    """sha256, as hex, over the indices, times and digests of the pictures sent.

    Args:
        frames: Rows of table frames in the order in which they are sent. No
            rows is the receipt of an answer given without a picture.

    Returns:
        The digest of the JSON list [[index, t_s, sha256], …] without spaces, so
        that anybody can compute it from a published table.
    """
    return receipt_of(frames.select("index", "t_s", "sha256").iter_rows())


def receipt_of(pictures: Iterable[tuple[int, float, str]]) -> str:
    """`receipt` of pictures as (index, t_s, sha256), in the order in which they are sent.

    A run makes one for every call: a DataFrame for each would cost more than
    the digest does.
    """
    return hashlib.sha256(json.dumps(list(pictures), separators=(",", ":")).encode()).hexdigest()
