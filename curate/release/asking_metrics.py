"""How the answers were had, and what controls and variants say of them.

Where a number cannot be known it is None; a share always comes with its n.
Lists over items are in the questionnaire's order.
"""

from collections.abc import Sequence
from dataclasses import asdict

import polars as pl

from curate.answers.ask import same_words
from curate.answers.measures.controls import control_table, mean_answers
from curate.answers.measures.distribution import Floats
from curate.answers.measures.share import Share
from curate.answers.measures.stability import stability
from curate.answers.measures.verdict import Verdict
from curate.answers.settle import place_prior
from curate.answers.watch import verdict_of
from curate.questionnaire import Item
from curate.release.asking_totals import (
    class_shares,
    context_outcomes,
    cost,
    reason_outcomes,
    transcripts,
)
from curate.release.content import HowAsked, Metrics, Tables
from curate.release.tally import base_answers, is_base, mean, plain

KINDS = ("order", "wording", "repeat")
"""Of variants."""
CONTROLS = ("canary", "no_media", "shuffled")
_COLUMNS = (
    "clip_id",
    "item",
    "variant",
    "control",
    "media_clip_id",
    "outcome",
    "answer",
    "told",
    "probs",
    "expected",
    "spread",
    "source",
    "mask",
    "calls",
)
"""All but receipts, which nothing is counted by."""


def measure_asking(
    tables: Tables, classes: Sequence[str], how: HowAsked, answers: pl.LazyFrame | None = None
) -> Metrics:
    """Measure the asking of a run, apart from what the answers say.

    Args:
        tables: The run's tables.
        classes: Class names, in order.
        how: What the tables do not say.
        answers: Table answers, read an item at a time; the one in `tables` if left out.

    Returns:
        Nested plain numbers:

        - mode, debias: as the recipe says.
        - sources: of the answers that count, how many came with which
          probabilities; source and mask as schemas/answers.yaml says.
        - variants, controls: clips and answers of each kind, and ways of asking.
          Of controls also the most different replies that an item's answers
          rest on: 1 where all clips were asked alike, and answered once.
        - items: see `_item`.
        - verdict: whether answers are about the pictures that were sent.
        - transcripts: clips that were asked about, and those of which what is
          said was sent; None where it was not to be.
        - context, reasons: what came of them; None where they were not asked for.
        - collapse: see `curate.release.asking_totals.class_shares`.
        - cost: of all calls that the tables rest on.
    """
    answers = tables.answers.lazy() if answers is None else answers
    answers = answers.select(_COLUMNS)
    beside = answers.filter(~is_base()).collect(engine="streaming")
    compared = _compared(answers, beside)
    verdict = verdict_of(compared, same_words=same_words(how.answers))
    return {
        "mode": how.answers.mode,
        "debias": how.answers.debias,
        "sources": _sources(base_answers(answers)),
        "variants": _variants(beside),
        "controls": _controls(beside),
        "items": _items(answers, compared, how),
        "verdict": _verdict(verdict),
        "transcripts": transcripts(tables.clips, answers) if how.answers.transcript else None,
        "context": context_outcomes(tables.context),
        "reasons": reason_outcomes(tables.reasons, classes),
        "collapse": class_shares(tables, classes),
        "cost": cost(tables.calls, how),
    }


def _compared(answers: pl.LazyFrame, beside: pl.DataFrame) -> pl.DataFrame:
    """Variants and controls, and the plain answers about the clips that any of them is about or showed."""
    about = pl.concat([beside["clip_id"], beside["media_clip_id"].alias("clip_id")]).drop_nulls().unique()
    # A filter and no join: of rows that it leaves out a file's other columns are never read.
    plain_ones = answers.filter(is_base(), pl.col("clip_id").is_in(about.implode()))
    return pl.concat([plain_ones.collect(engine="streaming"), beside])


def _sources(answers: pl.LazyFrame) -> list[Metrics]:
    """Answers by where their probabilities come from; the most first."""
    told = answers.filter(pl.col("source").is_not_null()).group_by("source", "mask").agg(pl.len().alias("n"))
    ranked = told.sort(["n", "source", "mask"], descending=[True, False, False], nulls_last=True)
    return ranked.collect(engine="streaming").to_dicts()


def _variants(answers: pl.DataFrame) -> Metrics:
    own = answers.filter(pl.col("control") == "none")
    return {kind: _size(own.filter(pl.col("variant").str.starts_with(f"{kind} "))) for kind in KINDS}


def _controls(answers: pl.DataFrame) -> Metrics:
    found = {name: answers.filter(pl.col("control") == name) for name in CONTROLS}
    return {name: {**_size(rows), "most_replies": _most_replies(rows)} for name, rows in found.items()}


def _size(answers: pl.DataFrame) -> Metrics:
    return {
        "clips": answers["clip_id"].n_unique(),
        "answers": answers.height,
        "ways": answers["variant"].n_unique(),
    }


def _most_replies(answers: pl.DataFrame) -> int:
    """Of the item with the most; several draws that make one answer are one reply."""
    replied = answers.filter(pl.col("calls").list.len() > 0)
    found = replied.group_by("item").agg(pl.col("calls").list.sort().list.join(" ").n_unique())
    return max(found["calls"], default=0)


def _items(answers: pl.LazyFrame, compared: pl.DataFrame, how: HowAsked) -> list[Metrics]:
    steady, partners = stability(compared), _partners(compared, how)
    controls = control_table(compared, partners, steady, mean_answers(answers))
    base = base_answers(answers)
    return [
        _item(
            item,
            base.filter(pl.col("item") == item.id),
            compared.filter(pl.col("item") == item.id),
            (steady, controls),
            how,
        )
        for item in how.questionnaire.items
    ]


def _partners(answers: pl.DataFrame, how: HowAsked) -> pl.DataFrame:
    """Whose pictures each canary showed, as `curate.answers.measures.pairs.canary_pairs` wants it."""
    canaries = answers.filter(pl.col("control") == "canary")
    alike = pl.lit(same_words(how.answers))
    return canaries.select("clip_id", other="media_clip_id", same_words=alike).unique()


def _item(
    item: Item,
    base: pl.LazyFrame,
    compared: pl.DataFrame,
    tables_of_all: tuple[pl.DataFrame, pl.DataFrame],
    how: HowAsked,
) -> Metrics:
    """One item of the questionnaire.

    Args:
        item: Of the questionnaire.
        base: Its answers that count.
        compared: As from `_compared`, those to the item.
        tables_of_all: Stability and controls, of all items.
        how: What the tables do not say.

    Returns:
        - sources: as for all items together.
        - expected, spread: means over the answers that have them, in option
          steps; None of a nominal item.
        - stability: by kind of variant, as from `curate.answers.measures.stability`.
        - controls: by control, as from `curate.answers.measures.controls`; `top` is the
          likeliest option without pictures, in the item's own words.
        - position_prior: what each place in the list gains by itself, and the
          clips that tell it.
    """
    steady, controls = tables_of_all
    prior = place_prior(compared, item) if how.answers.debias == "position" else None
    moments = base.select("expected", "spread").collect(engine="streaming")
    return {
        "id": item.id,
        "sources": _sources(base),
        "expected": _mean_with_n(moments["expected"]),
        "spread": _mean_with_n(moments["spread"]),
        "stability": {kind: _row(steady, item, kind=kind) for kind in KINDS},
        "controls": {name: _control(controls, item, name) for name in CONTROLS},
        "position_prior": _position_prior(compared, item, prior),
    }


def _mean_with_n(column: pl.Series) -> Metrics:
    return plain({"value": mean(column), "n": column.count()})


def _row(table: pl.DataFrame, item: Item, **where: str) -> Metrics | None:
    """The row of an item, without the columns by which it is found; None if there is none."""
    found = table.filter(pl.col("item") == item.id, **where).drop("item", *where)
    return plain(found.row(0, named=True)) if found.height else None


def _control(compared: pl.DataFrame, item: Item, name: str) -> Metrics | None:
    found = _row(compared, item, control=name)
    if found is None:
        return None
    return found | {"top": None if found["top"] is None else item.all_options[found["top"]]}


def _position_prior(rows: pl.DataFrame, item: Item, prior: Floats | None) -> Metrics | None:
    """None where nothing was to be taken off, or where no clip tells it."""
    n_clips = _n_in_all_orders(rows, len(item.all_options))
    if prior is None or not n_clips:
        return None
    return {"n_clips": n_clips, "prior": [round(share, 12) for share in prior.tolist()]}


def _n_in_all_orders(rows: pl.DataFrame, n_options: int) -> int:
    """Clips that were asked in every cyclic order, with log-probabilities: those that a prior rests on."""
    listed = (pl.col("variant") == "base") | pl.col("variant").str.starts_with("order ")
    exact = rows.filter(pl.col("control") == "none", pl.col("source") == "logprobs", listed)
    return exact.group_by("clip_id").len().filter(pl.col("len") == n_options).height


def _verdict(found: Verdict) -> Metrics:
    return {
        "verdict": found.verdict,
        "reason": found.reason,
        "n_asked": found.n_asked,
        "same_reply": _share(found.same_reply),
        "followed": _share(found.followed),
    }


def _share(found: Share) -> Metrics:
    """With its interval; of nothing, no number is known."""
    if not found.total:
        return {"count": 0, "n": 0, "value": None, "low": None, "high": None}
    told = asdict(found)
    return plain({"n": told.pop("total"), **told})
