"""Receipts: which pixels an answer was about."""

import hashlib
import json

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
    rows = frames.select("index", "t_s", "sha256").rows()
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()
