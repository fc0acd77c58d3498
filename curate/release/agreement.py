"""How far people agree with each other, beyond chance."""

from collections.abc import Sequence

import polars as pl

from curate.release.content import Metrics


def agreement(votes: pl.DataFrame, clips: pl.DataFrame, classes: Sequence[str]) -> Metrics:
    """Krippendorff's alpha of votes and given labels, nominal: 1 is full agreement, 0 is chance.

    Args:
        votes: Table votes; of a person who voted twice for a clip both count.
        clips: Table clips; a given label is one more voice.
        classes: Names.

    Returns:
        `alpha`, None where nobody could disagree or agree; `n` clips with two voices and more.

    Source:
        Krippendorff 2011, Computing Krippendorff's alpha-reliability, section C:
        any number of observers, nominal, missing data,
        https://repository.upenn.edu/asc_papers/43
    """
    given = clips.lazy().drop_nulls("label_given").select("clip_id", label="label_given")
    voices = pl.concat([given, votes.lazy().select("clip_id", "label")])
    counts = voices.filter(pl.col("label").is_in(list(classes))).group_by("clip_id", "label").len("n")
    n = pl.col("n").cast(pl.Int64)
    # A million clips: only numbers are kept of each. Where nobody else spoke, the one label is the first.
    by_clip = counts.group_by("clip_id").agg(
        m=n.sum(), same=(n * (n - 1)).sum(), label=pl.col("label").first()
    )
    clips_heard = by_clip.drop("clip_id").collect(engine="streaming")
    alone = _by_label(clips_heard.filter(pl.col("m") == 1).select("label", n="m").lazy())
    paired = clips_heard.filter(pl.col("m") > 1)
    totals = [total - alone.get(label, 0) for label, total in _by_label(counts).items()]
    n_clips, n_voices = paired.height, sum(totals)
    pairs = n_voices * (n_voices - 1)
    expected = 1 - sum(one * (one - 1) for one in totals) / pairs if pairs else 0.0
    if not expected:
        return {"alpha": None, "n": n_clips}
    # Of the pairs within a clip, weighed so that each voice counts once: those that are the same.
    same = paired.select((pl.col("same") / (pl.col("m") - 1)).sum()).item() / n_voices
    return {"alpha": round(1 - (1 - same) / expected, 12), "n": n_clips}


def _by_label(counts: pl.LazyFrame) -> dict[str, int]:
    """Voices by label."""
    return dict(counts.group_by("label").agg(pl.col("n").sum()).collect(engine="streaming").iter_rows())
