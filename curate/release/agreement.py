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
    given = clips.filter(pl.col("label_given").is_not_null()).select("clip_id", label="label_given")
    voices = pl.concat([given, votes.select("clip_id", "label")]).filter(pl.col("label").is_in(list(classes)))
    counts = voices.group_by("clip_id", "label").len("n").with_columns(m=pl.col("n").sum().over("clip_id"))
    paired = counts.filter(pl.col("m") > 1)
    n_clips = paired["clip_id"].n_unique()
    totals = paired.group_by("label").agg(pl.col("n").sum())["n"]
    n = int(totals.sum())
    expected = 1 - sum(int(one) * (int(one) - 1) for one in totals) / (n * (n - 1)) if n > 1 else 0.0
    if not expected:
        return {"alpha": None, "n": n_clips}
    # Of the pairs within a clip, weighed so that each voice counts once: those that are the same.
    same = paired.select((pl.col("n") * (pl.col("n") - 1) / (pl.col("m") - 1)).sum()).item() / n
    return {"alpha": round(1 - (1 - same) / expected, 12), "n": n_clips}
