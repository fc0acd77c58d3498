"""Windows of one recording that lie so near each other that they show the same moment."""

import polars as pl


def neighbours(clips: pl.DataFrame, gap_s: float) -> pl.DataFrame:
    """Pairs of windows of one recording that overlap, or lie less than `gap_s` apart.

    Args:
        clips: Table clips; one that lacks recording, start_s or end_s has no neighbours.
        gap_s: Time between the end of one window and the start of the next.

    Returns:
        Columns clip_id, other (of which none begins before the first) and apart_s,
        which is negative where they overlap. Each window is paired with every
        later one that begins within reach.
    """
    known = (
        clips.drop_nulls(["recording", "start_s", "end_s"])
        .select("clip_id", "recording", "start_s", "end_s")
        .sort("recording", "start_s", "clip_id")
    )
    later = known.select("recording", other="clip_id", from_s="start_s").with_row_index("later")
    pairs = (
        known.with_row_index("earlier")
        .join(later, on="recording")
        .filter(pl.col("earlier") < pl.col("later"), pl.col("from_s") - pl.col("end_s") < gap_s)
    )
    return pairs.select("clip_id", "other", apart_s=pl.col("from_s") - pl.col("end_s")).sort(
        "clip_id", "other"
    )
