"""Reliability: how likely the given label is right, and which instruments say so."""

import numpy as np
import polars as pl

from curate.labels.evidence import Evidence, Floats, Ints
from curate.labels.model import Posterior

TOP = 6
"""Reasons that are kept for each clip."""

PRIOR, BLEND = "prior", "blend"
"""Names under which the parts that no instrument said are listed among the reasons."""

REASON = pl.Struct({"instrument": pl.String, "outcome": pl.String, "log_odds": pl.Float64})


def given_codes(evidence: Evidence) -> Ints:
    """Class of each clip's given label, -1 where there is none: (n_items,).

    Where the given label is spread over several classes, the one with the
    largest weight, the first of them if several are equal.
    """
    codes = np.full(evidence.n_items, -1, dtype=np.int64)
    for index in evidence.find("given"):
        votes = np.zeros((evidence.n_items, evidence.n_classes))
        mine = evidence.instrument == index
        votes[evidence.item[mine], evidence.option[mine]] = evidence.weight[mine]
        codes = np.where(votes.any(axis=1), votes.argmax(axis=1), codes)
    return codes


def refined_codes(probabilities: Floats, given: Ints) -> Ints:
    """Likeliest class; the given one, then the first, if several are within 1e-9: (n_items,)."""
    best = probabilities.max(axis=1, initial=0) - 1e-9
    kept = (given >= 0) & (_chosen(probabilities, given) >= best)
    first = (probabilities >= best[:, None]).argmax(axis=1)
    codes: Ints = np.where(kept, given, first)
    return codes


def reliability(probabilities: Floats, given: Ints) -> Floats:
    """P(the given label is right | everything, the given label itself included).

    Args:
        probabilities: Posterior, (n_items, n_classes).
        given: Class of the given label, -1 where there is none: (n_items,).

    Returns:
        Between 0 and 1; nan without a given label: (n_items,).
    """
    return np.where(given >= 0, _chosen(probabilities, given), np.nan)


def contributions(evidence: Evidence, posterior: Posterior, favoured: Ints, against: Ints) -> pl.DataFrame:
    """Take the log-odds of one class against another apart, instrument by instrument.

    Args:
        evidence: What `posterior` was fitted to.
        posterior: What came of it.
        favoured: Class that the log-odds are for: (n_items,).
        against: Class that they are against: (n_items,).

    Returns:
        Columns item, instrument, outcome (null for the parts below; of a soft
        answer, its likeliest option), log_odds (natural log). Over the rows of
        an item, log_odds add up to log P(favoured) - log P(against). Two parts
        are nobody's answer: "prior", the share of the classes, and "blend",
        what mixing in the share of votes changed.
    """
    pull = posterior.says[evidence.column, favoured[evidence.item]]
    push = posterior.says[evidence.column, against[evidence.item]]
    answers = pl.DataFrame(
        {
            "item": evidence.item,
            "code": evidence.instrument,
            "option": evidence.column,
            "weight": evidence.weight,
            "log_odds": posterior.scales.rows * evidence.weight * (pull - push),
        }
    )
    said = answers.group_by("item", "code", maintain_order=True).agg(
        pl.col("option").get(pl.col("weight").arg_max()), pl.col("log_odds").sum()
    )
    return pl.concat([_named(evidence, said), *_parts(posterior, favoured, against)]).sort(
        "item", "instrument"
    )


def reasons(evidence: Evidence, posterior: Posterior, given: Ints, refined: Ints) -> pl.Series:
    """The instruments that moved each clip most, as a list of structs per clip.

    Args:
        evidence: What `posterior` was fitted to.
        posterior: What came of it.
        given: Class of the given label, -1 where there is none: (n_items,).
        refined: Class of the refined label: (n_items,).

    Returns:
        At most `TOP` structs (instrument, outcome, log_odds) a clip, largest
        size first, equal ones by name. The log-odds are for the refined label
        against the given one, or against the runner-up if there is no given
        label or both are the same. A clip about which nothing was said has
        "prior" as its only reason.
    """
    against = np.where((given >= 0) & (given != refined), given, _runner_up(posterior.probabilities, refined))
    listed = (
        contributions(evidence, posterior, refined, against)
        .filter((pl.col("log_odds").abs() > 1e-12) | (pl.col("instrument") == PRIOR))
        .sort(pl.col("log_odds").abs().round(9), "instrument", descending=[True, False])
        .group_by("item", maintain_order=True)
        .agg(pl.struct("instrument", "outcome", "log_odds").head(TOP).alias("why"))
    )
    items = pl.DataFrame({"item": np.arange(evidence.n_items)})
    return items.join(listed, on="item", how="left", maintain_order="left")["why"].cast(pl.List(REASON))


def _chosen(probabilities: Floats, codes: Ints) -> Floats:
    chosen: Floats = probabilities[np.arange(len(codes)), np.maximum(codes, 0)]
    return chosen


def _runner_up(probabilities: Floats, refined: Ints) -> Ints:
    others = probabilities.copy()
    others[np.arange(len(refined)), refined] = -1
    second: Ints = others.argmax(axis=1)
    return second


def _named(evidence: Evidence, said: pl.DataFrame) -> pl.DataFrame:
    """Instruments and options by name."""
    names = pl.Series([instrument.name for instrument in evidence.instruments], dtype=pl.String)
    options = pl.Series([o for i in evidence.instruments for o in i.options], dtype=pl.String)
    return said.select(
        "item",
        names.gather(said["code"]).alias("instrument"),
        options.gather(said["option"]).alias("outcome"),
        "log_odds",
    )


def _parts(posterior: Posterior, favoured: Ints, against: Ints) -> list[pl.DataFrame]:
    items = np.arange(len(favoured))
    log_prior, tempered = np.log(posterior.prior), posterior.log_tempered
    prior = posterior.scales.prior * (log_prior[favoured] - log_prior[against])
    final = np.log(_chosen(posterior.probabilities, favoured)) - np.log(
        _chosen(posterior.probabilities, against)
    )
    blend = final - (tempered[items, favoured] - tempered[items, against])
    return [
        pl.DataFrame(
            {"item": items, "instrument": name, "outcome": None, "log_odds": values},
            schema={"item": pl.Int64, "instrument": pl.String, "outcome": pl.String, "log_odds": pl.Float64},
        )
        for name, values in ((PRIOR, prior), (BLEND, blend))
    ]
