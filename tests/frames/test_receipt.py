"""Receipts can be computed by anybody."""

import hashlib

import polars as pl

from curate.frames.receipt import receipt

FRAMES = pl.DataFrame({"index": [3, 9], "t_s": [0.12, 0.36], "sha256": ["a" * 64, "b" * 64], "width": [1, 2]})


def test_a_receipt_is_the_digest_of_a_list_in_json() -> None:
    text = f'[[3,0.12,"{"a" * 64}"],[9,0.36,"{"b" * 64}"]]'
    assert receipt(FRAMES) == hashlib.sha256(text.encode()).hexdigest()


def test_order_times_and_pixels_count_and_nothing_else() -> None:
    others = [
        FRAMES.reverse(),
        FRAMES.head(1),
        FRAMES.with_columns(t_s=pl.col("t_s") + 1e-9),
        FRAMES.with_columns(sha256=pl.lit("c" * 64)),
    ]
    assert len({receipt(FRAMES), *(receipt(other) for other in others)}) == 5
    assert receipt(FRAMES.drop("width")) == receipt(FRAMES)


def test_no_picture_has_a_receipt_too() -> None:
    assert receipt(FRAMES.clear()) == hashlib.sha256(b"[]").hexdigest()
