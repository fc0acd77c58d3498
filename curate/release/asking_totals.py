"""What came of context, reasons and conclusions over all clips, and what all of it cost."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from curate.answers.measures.collapse import collapse
from curate.answers.measures.distribution import Floats, Ints
from curate.answers.reasons.reason import is_confirmed
from curate.release.content import HowAsked, Metrics, Tables
from curate.release.tally import plain, ratio
from curate.release.truth import n_true
from curate.vlm.desk.budget import cost_of

_TOKENS = ("tokens_in", "tokens_out", "tokens_cached")


def transcripts(clips: pl.DataFrame, answers: pl.LazyFrame) -> Metrics:
    """Clips that were asked about, and those of them of which it is known what is said."""
    asked = clips.join(
        answers.select("clip_id").unique().collect(engine="streaming"), on="clip_id", how="semi"
    )
    said = asked["transcript"].fill_null("").str.strip_chars() != ""
    return {"clips": asked.height, "with": n_true(said)}


def context_outcomes(context: pl.DataFrame) -> Metrics | None:
    """Gaps between key frames by what was said of them; None where none was described."""
    if not context.height:
        return None
    told = {name: _n(context, "outcome", name) for name in ("said", "refusal", "empty", "failed")}
    return {"clips": context["clip_id"].n_unique(), "gaps": context.height, **told}


def reason_outcomes(reasons: pl.DataFrame, classes: Sequence[str]) -> Metrics | None:
    """Clips by how far reasoning about them went; None where none was reasoned about.

    Returns:
        - clips: all of them.
        - concluded: all three steps were answered and agree with themselves;
          of those confirmed, revised and abstained, by the reflection.
        - inconsistent, refusal, unparsable, failed: as table `reasons` says.
        - alone: the class to which the words alone incline, its share of the
          scores, and what an even share would be; None where that was not asked.
        - cited_shown: share of the times cited in the reasonings at which a
          picture was sent.
    """
    if not reasons.height:
        return None
    concluded = reasons.filter(pl.col("outcome") == "concluded")
    others = ("inconsistent", "refusal", "unparsable", "failed")
    return {
        "clips": reasons.height,
        "concluded": concluded.height,
        "confirmed": concluded.filter(is_confirmed()).height,
        "revised": _n(concluded, "verdict", "revise"),
        "abstained": _n(concluded, "verdict", "abstain"),
        **{name: _n(reasons, "outcome", name) for name in others},
        "alone": _alone(reasons, classes),
        "cited_shown": ratio(int(reasons["n_cited_shown"].sum()), int(reasons["n_cited"].sum())),
    }


def _alone(reasons: pl.DataFrame, classes: Sequence[str]) -> Metrics | None:
    """The class of which a model that is shown nothing is surest, and its share of the scores."""
    said = reasons["scores_alone"].drop_nulls()
    if not len(said):
        return None
    scores = said[0].to_list()
    top = max(range(len(scores)), key=scores.__getitem__)
    return {"class": classes[top], "share": scores[top] / sum(scores), "even": 1 / len(classes)}


def class_shares(tables: Tables, classes: Sequence[str]) -> Metrics:
    """How often each class was concluded, and became the refined label, beside what was to be expected.

    Returns:
        `concluded`: the model's own conclusions, None without any. `refined`:
        refined labels of the clips that came with one. Each with `n` clips,
        `reference`, which says where the expected shares come from, and
        `classes`, as from `curate.answers.measures.collapse.collapse`.
    """
    concluded = tables.reasons.filter(pl.col("label").is_not_null()).select("clip_id", "label")
    labelled = tables.labels.select("clip_id", "label_given", "label_refined").drop_nulls("label_given")
    refined = labelled.select("clip_id", label="label_refined")
    return {
        "concluded": _by_class(concluded, classes, *_reference(concluded, tables, classes)),
        "refined": _by_class(refined, classes, "given", _counts(labelled["label_given"], classes)),
    }


def _reference(concluded: pl.DataFrame, tables: Tables, classes: Sequence[str]) -> tuple[str, Ints | None]:
    """Where expected shares come from: the nearest that there is.

    given, votes: labels that the same clips came with, people's votes on them.
    others: labels that the other clips came with, since clips without a label
    are mostly some of the same kind. equal: every class alike.
    """
    came = tables.clips.filter(pl.col("label_given").is_not_null())
    same = came.join(concluded, on="clip_id", how="semi")
    votes = tables.votes.join(concluded, on="clip_id", how="semi")
    found = (("given", same["label_given"]), ("votes", votes["label"]), ("others", came["label_given"]))
    return next(
        ((name, _counts(labels, classes)) for name, labels in found if labels.count()), ("equal", None)
    )


def _by_class(
    labels: pl.DataFrame, classes: Sequence[str], reference: str, counts: Ints | None
) -> Metrics | None:
    if not labels.height:
        return None
    found = collapse(_one_hot(labels["label"], classes), classes, counts)
    return {
        "n": labels.height,
        "reference": reference,
        "classes": [plain(row) for row in found.iter_rows(named=True)],
    }


def _one_hot(labels: pl.Series, classes: Sequence[str]) -> Floats:
    """(n_clips, n_classes), a 1 a row."""
    return np.stack([(labels == name).to_numpy() for name in classes], axis=1).astype(np.float64)


def _counts(labels: pl.Series, classes: Sequence[str]) -> Ints:
    """(n_classes,)."""
    return np.array([n_true(labels == name) for name in classes], dtype=np.int64)


def cost(calls: pl.DataFrame, how: HowAsked) -> Metrics:
    """What the calls took that the tables rest on, whenever they were made.

    Returns:
        - calls, and tokens where the server told them.
        - cached: share of prompt tokens that were in the prefix cache, by what
          was told of each call; n in tokens.
        - prefix: the same by a server's own count of its prefix cache while
          it was last asked; what others asked meanwhile is in it. None where
          it tells none, and of a model that is no server.
        - usd: US dollars, of the `usd_calls` calls whose tokens are known; None
          without a price.
    """
    told = calls.drop_nulls(["tokens_in", "tokens_cached"])
    return {
        "calls": calls.height,
        **{name: _sum(calls[name]) for name in _TOKENS},
        "cached": ratio(int(told["tokens_cached"].sum()), int(told["tokens_in"].sum())),
        "prefix": _prefix(how),
        **_dollars(calls.drop_nulls(["tokens_in", "tokens_out"]), how),
    }


def _sum(column: pl.Series) -> int | None:
    return int(column.sum()) if column.count() else None


def _prefix(how: HowAsked) -> Metrics | None:
    if how.prefix_queries is None or how.prefix_hits is None:
        return None
    return ratio(how.prefix_hits, how.prefix_queries)


def _dollars(told: pl.DataFrame, how: HowAsked) -> Metrics:
    if how.price is None or not told.height:
        return {"usd": None, "usd_calls": 0}
    sums = [int(told[name].sum()) for name in _TOKENS]
    return {"usd": round(cost_of(how.price, *sums), 6), "usd_calls": told.height}


def _n(table: pl.DataFrame, column: str, value: str) -> int:
    return n_true(table[column] == value)
