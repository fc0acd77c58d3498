"""Every number that the report and the card show, measured in one place.

Where a number cannot be known it is None; a share always comes with its n.
Lists over classes are in class order.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from curate.clips.split_names import SPLIT_NAMES
from curate.release.agreement import agreement
from curate.release.asking_metrics import measure_asking
from curate.release.content import HowAsked, Metrics, Tables
from curate.release.rows import beside
from curate.release.tally import base_answers, mean, tally
from curate.release.truth import against_truth, n_true, proportion

OUTCOMES = ("answered", "unseen", "refusal", "unparsable", "failed")
N_BINS = 20
"""Bars of the reliability histogram, each 0.05 wide."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def measure(
    tables: Tables,
    classes: Sequence[str],
    how: HowAsked,
    *,
    ordinal: bool = False,
    truth: pl.DataFrame | None = None,
    answers: pl.LazyFrame | None = None,
) -> Metrics:
    """Measure a run.

    Args:
        tables: The run's tables.
        classes: Class names, in order.
        how: What the tables do not say of the asking.
        ordinal: Whether the classes are ordered; adds mean distances where the truth is known.
        truth: Columns clip_id and label, known to be right and only measured
            against; clips with gold are left out, for their labels were learned.
        answers: Table answers, read an item at a time; the one in `tables` if left out.

    Returns:
        Nested plain numbers, the same for the same input. `truth` is None
        where no clip has a known label.
    """
    known = tables.gold.head(0) if truth is None else truth.join(tables.gold, on="clip_id", how="anti")
    known = known.select("clip_id", "label")
    answers = tables.answers.lazy() if answers is None else answers
    found = against_truth(tables.labels, tables.votes, classes, known, ordinal=ordinal, source="truth")
    quality = tables.quality.to_dicts()
    return {
        **_headlines(found, quality),
        "classes": list(classes),
        "ordinal": ordinal,
        "counts": _counts(tables, classes),
        "given": _given(tables.labels, classes),
        "pseudo": _pseudo(tables.labels),
        "answers": _answers(tables.clips, answers),
        "items": [_item(tables.instruments, answers, item.id) for item in how.questionnaire.items],
        "annotators": _annotators(tables),
        "agreement": agreement(tables.votes, tables.clips, classes),
        "collapse": _collapse(tables.labels, classes),
        "asking": measure_asking(tables, classes, how, answers),
        "truth": found,
        "quality": quality,
        "certificates": tables.certificates.to_dicts(),
        "cautions": tables.cautions.to_dicts(),
        "cross_check": _cross_check(tables.cross_check),
    }


def _headlines(truth: Metrics | None, quality: list[Metrics]) -> Metrics:
    """The three numbers asked for first; their intervals and counts are under truth, else quality."""
    estimates = {one["measure"]: one["value"] for one in quality if one["class"] is None}
    accuracies = {
        f"accuracy_{name}": truth[f"accuracy_{name}"]["value"] if truth else estimates.get(name)
        for name in ("given", "refined")
    }
    return {**accuracies, "reliability_auroc": truth["reliability_auroc"] if truth else None}


def _cross_check(table: pl.DataFrame) -> Metrics:
    """Given labels that we, cleanlab, or both call wrong, by cleanlab's method; None if it was not run."""
    found: Metrics = {}
    for method in ("confident_learning", "crowdlab"):
        judged = table.filter(pl.col(f"{method}_issue").is_not_null() & pl.col("ours_issue").is_not_null())
        ours, theirs = judged["ours_issue"], judged[f"{method}_issue"]
        found[method] = (
            {
                "clips": judged.height,
                "both": n_true(ours & theirs),
                "only_ours": n_true(ours & ~theirs),
                "only_cleanlab": n_true(~ours & theirs),
                "neither": n_true(~ours & ~theirs),
            }
            if judged.height
            else None
        )
    return found


def _counts(tables: Tables, classes: Sequence[str]) -> Metrics:
    clips, problems = tables.clips, tables.problems
    aside = problems.filter(pl.col("action") == "set_aside")
    return {
        "clips": clips.height,
        "labelled": clips["label_given"].count(),
        "unlabelled": clips["label_given"].null_count(),
        "videos": n_true(clips["media"] == "video"),
        "images": n_true(clips["media"] == "image"),
        "groups": clips["group"].drop_nulls().n_unique(),
        "frames": tables.frames.height,
        "votes": tables.votes.height,
        "gold": tables.gold.height,
        "gold_drawn": n_true(tables.gold["at_random"]),
        "duration_s": float(clips["duration_s"].sum()),
        "set_aside": tally(aside["kind"]),
        "problems": problems.height,
        "splits": _split_counts(tables),
        "per_class": {name: _class_counts(tables.labels, name) for name in classes},
    }


def _split_counts(tables: Tables) -> dict[str, dict[str, int]]:
    """What lies in each split; splits without a clip are among them."""
    sides = tables.splits.select("clip_id", "split")
    labels = tables.labels.select("clip_id", "label_given", "reliability_split")
    is_high = pl.col("reliability_split") == "high"
    counts = (
        beside(sides, labels)
        .lazy()
        .group_by("split")
        .agg(
            clips=pl.len(),
            high=is_high.sum(),
            low=(~is_high).sum(),
            unlabelled=pl.col("label_given").null_count(),
        )
    )
    of_groups = tables.clips.lazy().select("clip_id", "group").drop_nulls().join(sides.lazy(), on="clip_id")
    groups = of_groups.group_by("split").agg(groups=pl.col("group").n_unique())
    counts = counts.join(groups, on="split", how="left").with_columns(pl.col("groups").fill_null(0))
    found = {row.pop("split"): row for row in counts.collect(engine="streaming").to_dicts()}
    nothing = dict.fromkeys(("clips", "high", "low", "unlabelled", "groups"), 0)
    return {split: found.get(split, nothing) for split in SPLIT_NAMES}


def _class_counts(labels: pl.DataFrame, name: str) -> dict[str, int]:
    given, pseudo = pl.col("label_given") == name, pl.col("pseudo_label") == name
    wanted = {
        "given": given,
        "refined": pl.col("label_given").is_not_null() & (pl.col("label_refined") == name),
        "high": given & (pl.col("reliability_split") == "high"),
        "low": given & (pl.col("reliability_split") == "low"),
        "pseudo": pseudo,
        "pseudo_accepted": pseudo & pl.col("pseudo_accepted"),
    }
    return labels.select(is_so.sum().alias(key) for key, is_so in wanted.items()).row(0, named=True)


def _given(labels: pl.DataFrame, classes: Sequence[str]) -> Metrics:
    """The given labels as the evidence sees them; shares of clips that came with a label."""
    columns = ("label_given", "label_refined", "reliability", "reliability_split")
    labelled = labels.select(columns).filter(pl.col("label_given").is_not_null())
    n, same = labelled.height, n_true(labelled["label_given"] == labelled["label_refined"])
    reliability = labelled["reliability"].drop_nulls().to_numpy()
    high = n_true(labelled["reliability_split"] == "high")
    return {
        "agreement": proportion(same, n),
        "changed": proportion(n - same, n),
        "high": proportion(high, n),
        "expected_accuracy": float(reliability.mean()) if len(reliability) else None,
        "reliability_histogram": _histogram(reliability),
        "reliability_quantiles": _quantiles(reliability),
        "change_matrix": _change_matrix(labelled, classes),
    }


def _histogram(values: np.ndarray) -> Metrics:
    counts, edges = np.histogram(values, bins=N_BINS, range=(0, 1))
    return {"edges": [round(edge, 10) for edge in edges.tolist()], "counts": counts.tolist()}


def _quantiles(values: np.ndarray) -> Metrics:
    return {str(q): float(np.quantile(values, q)) if len(values) else None for q in QUANTILES}


def _change_matrix(labelled: pl.DataFrame, classes: Sequence[str]) -> list[list[int]]:
    """Clips by given (rows) and refined label (columns), (n_classes, n_classes)."""
    pairs = labelled.group_by("label_given", "label_refined").len().iter_rows()
    counts = {(given, refined): n for given, refined, n in pairs}
    return [[counts.get((given, refined), 0) for refined in classes] for given in classes]


def _pseudo(labels: pl.DataFrame) -> Metrics:
    columns = ("pseudo_label", "pseudo_confidence", "pseudo_accepted")
    made = labels.select(columns).drop_nulls("pseudo_label")
    accepted = n_true(made["pseudo_accepted"])
    return {
        "made": made.height,
        "accepted": accepted,
        "refused": made.height - accepted,
        "mean_confidence": mean(made["pseudo_confidence"]),
    }


def _answers(clips: pl.DataFrame, answers: pl.LazyFrame) -> Metrics:
    """The questionnaire as a whole; controls and variants are not counted."""
    base = base_answers(answers)
    counts = base.group_by("outcome").len().collect(engine="streaming")
    sources = base.drop_nulls("source").group_by("source").len().sort("source").collect(engine="streaming")
    is_answered = pl.col("outcome") == "answered"
    asked, told = (
        rows.select(pl.col("clip_id").n_unique()).collect(engine="streaming").item()
        for rows in (base, base.filter(is_answered))
    )
    return {
        **_outcomes(dict(counts.iter_rows())),
        "clips_asked": asked,
        "clips_without_answer": asked - told,
        "clips_not_asked": clips.height - asked,
        "sources": dict(sources.iter_rows()),
    }


def _outcomes(found: Mapping[str, int]) -> Metrics:
    counts = {outcome: found.get(outcome, 0) for outcome in OUTCOMES}
    n = sum(counts.values())
    # Shares of nothing are unknown, not zero.
    shares = {f"share_{name}": count / n if n else None for name, count in counts.items()}
    return {"asked": n, **counts, **shares}


def _item(instruments: pl.DataFrame, answers: pl.LazyFrame, item: str) -> Metrics:
    mine = base_answers(answers).filter(pl.col("item") == item)
    found = mine.select("outcome", top=pl.col("probs").list.max()).collect(engine="streaming")
    return {
        "id": item,
        **_outcomes(tally(found["outcome"])),
        "mean_top_probability": mean(found["top"]),
        "worth_bits": _instrument(instruments, f"item:{item}").get("worth_bits"),
    }


def _instrument(instruments: pl.DataFrame, name: str) -> Metrics:
    rows = instruments.filter(pl.col("instrument") == name).to_dicts()
    return rows[0] if rows else {}


def _annotators(tables: Tables) -> list[Metrics]:
    people = tables.instruments.filter(
        pl.col("instrument").str.starts_with("vote:") | (pl.col("instrument") == "given")
    )
    columns = ("instrument", "n_clips", "coverage", "accuracy", "worth_bits")
    return people.select(columns).sort("instrument").to_dicts()


def _collapse(labels: pl.DataFrame, classes: Sequence[str]) -> Metrics:
    """Largest share of one class, refined beside given: a model that sees one class everywhere shows here."""
    labelled = labels.select("label_given", "label_refined").drop_nulls("label_given")
    largest = {column: _largest(labelled[column], classes) for column in ("label_given", "label_refined")}
    return {"given": largest["label_given"], "refined": largest["label_refined"]}


def _largest(column: pl.Series, classes: Sequence[str]) -> Metrics | None:
    counts = {name: n_true(column == name) for name in classes}
    if not column.count():
        return None
    top = max(classes, key=lambda name: counts[name])
    return {"class": top, "share": counts[top] / len(column)}
