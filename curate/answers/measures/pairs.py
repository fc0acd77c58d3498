"""Sets the answers of controls beside the answers that they are to be compared with."""

import polars as pl

_PLACE = ["clip_id", "item"]


def canary_pairs(answers: pl.DataFrame, partners: pl.DataFrame) -> pl.DataFrame:
    """One clip's words put with another clip's pictures, beside what each clip got by itself.

    Args:
        answers: Rows with `clip_id`, `item`, `variant`, `control`, `source` and
            `told`, the probabilities of the item's options as they were told.
        partners: A row a canary: `clip_id`, whose words were sent; `other`,
            whose pictures were sent; `same_words`, whether both clips' words
            are the same, so that the canary is the very prompt of the other's
            own answer. Two clips with the same pictures are no canary.

    Returns:
        A row a canary that was answered with probabilities, as both clips were
        by themselves: `item`, `same_words`, `exact` (whether all three come
        from log-probabilities, which are comparable to the last digit), `told`,
        and `words` and `pictures`: what the clip whose words, or pictures, were
        sent got by itself.
    """
    told = _told(answers)
    own = told.filter(pl.col("control") == "none").select(*_PLACE, "told", "source")
    canaries = told.filter(pl.col("control") == "canary").join(partners, on="clip_id")
    words = own.rename({"told": "words", "source": "source_words"})
    pictures = own.rename({"clip_id": "other", "told": "pictures", "source": "source_pictures"})
    pairs = canaries.join(words, on=_PLACE).join(pictures, on=["other", "item"])
    return pairs.select(
        "item",
        "same_words",
        _exact("source", "source_words", "source_pictures"),
        "told",
        "words",
        "pictures",
    )


def control_pairs(answers: pl.DataFrame, control: str) -> pl.DataFrame:
    """Each answer of a control beside the clip's own answer.

    Args:
        answers: As for `canary_pairs`.
        control: no_media or shuffled.

    Returns:
        A row an answer of the control, where both came with probabilities:
        `item`, `exact`, `told` and `own`.
    """
    told = _told(answers)
    own = told.filter(pl.col("control") == "none").select(*_PLACE, own="told", source_own="source")
    pairs = told.filter(pl.col("control") == control).join(own, on=_PLACE)
    return pairs.select("item", _exact("source", "source_own"), "told", "own")


def _told(answers: pl.DataFrame) -> pl.DataFrame:
    return answers.filter(pl.col("variant") == "base", pl.col("told").is_not_null()).select(
        *_PLACE, "control", "source", "told"
    )


def _exact(*sources: str) -> pl.Expr:
    return pl.all_horizontal(pl.col(name) == "logprobs" for name in sources).alias("exact")
