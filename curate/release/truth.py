"""How right the labels are, where the truth is known."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.labels.evaluate import auroc, calibration_error, log_loss, macro_f1
from curate.release.content import Metrics

Source = Literal["gold", "truth"]
"""gold: labels that somebody measures against later. truth: what the recipe names to measure against."""
N_BINS = 10
Z_95 = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""


def proportion(k: float, n: int) -> Metrics:
    """A share with its 95 % Wilson interval.

    Args:
        k: Successes; a tie counts as a fraction.
        n: Trials; with none, value and interval are None.

    Source:
        Wilson (1927), Probable inference, JASA 22, equation for p given its
        standard error, https://doi.org/10.1080/01621459.1927.10502953
    """
    if n == 0:
        return {"value": None, "n": 0, "low": None, "high": None}
    share, weight = k / n, Z_95**2 / n
    middle = (share + weight / 2) / (1 + weight)
    half = Z_95 * np.sqrt(share * (1 - share) / n + weight / (4 * n)) / (1 + weight)
    return {
        "value": float(share),
        "n": int(n),
        "low": float(max(0.0, middle - half)),
        "high": float(min(1.0, middle + half)),
    }


def n_true(mask: pl.Series) -> int:
    """How many entries of a Boolean column are true; null is not."""
    return int(mask.sum())


def against_truth(
    labels: pl.DataFrame,
    votes: pl.DataFrame,
    classes: Sequence[str],
    truth: pl.DataFrame,
    *,
    ordinal: bool,
    source: Source,
) -> Metrics | None:
    """Accuracy, ranking and calibration on the clips whose label is known; None if there is none.

    Accuracies of given, majority and refined labels are of the same clips:
    those that came with a label. Clips without one count under pseudo.
    """
    known = labels.join(truth.rename({"label": "truth"}), on="clip_id", how="inner").sort("clip_id")
    if not known.height:
        return None
    labelled = known.filter(pl.col("label_given").is_not_null())
    unlabelled = known.filter(pl.col("label_given").is_null())
    sides = {side: labelled.filter(pl.col("reliability_split") == side) for side in ("high", "low")}
    return {
        "source": source,
        "n": known.height,
        "accuracy_given": _accuracy(labelled, "label_given"),
        "accuracy_majority": _majority_accuracy(votes, labelled),
        "accuracy_refined": _accuracy(labelled, "label_refined"),
        "accuracy_high": _accuracy(sides["high"], "label_refined"),
        "accuracy_low": _accuracy(sides["low"], "label_refined"),
        "accuracy_given_high": _accuracy(sides["high"], "label_given"),
        "accuracy_given_low": _accuracy(sides["low"], "label_given"),
        "accuracy_pseudo": _accuracy(unlabelled, "pseudo_label"),
        "accuracy_pseudo_accepted": _accuracy(unlabelled.filter(pl.col("pseudo_accepted")), "pseudo_label"),
        "repaired": _moved(labelled, before=False, after=True),
        "broken": _moved(labelled, before=True, after=False),
        **_ranking(labelled),
        **_probabilities(known, classes),
        **(_distances(labelled, classes) if ordinal else {}),
    }


def _accuracy(rows: pl.DataFrame, column: str) -> Metrics:
    return proportion(n_true(rows[column] == rows["truth"]), rows.height)


def _majority_accuracy(votes: pl.DataFrame, labelled: pl.DataFrame) -> Metrics:
    """Plurality of the votes and the given label; a k-way tie with the truth in it counts 1/k."""
    given = labelled.select("clip_id", label="label_given")
    votes = votes.select("clip_id", "label").join(given.select("clip_id"), on="clip_id", how="semi")
    tally = pl.concat([given, votes]).group_by("clip_id", "label").len("n")
    top = tally.filter(pl.col("n") == pl.col("n").max().over("clip_id"))
    ties = top.group_by("clip_id").agg("label").join(labelled.select("clip_id", "truth"), on="clip_id")
    hits = ties.select(
        pl.col("label").list.contains(pl.col("truth")) / pl.col("label").list.len()
    ).to_series()
    return proportion(float(np.sort(hits.to_numpy()).sum()), labelled.height)


def _moved(labelled: pl.DataFrame, *, before: bool, after: bool) -> int:
    given = (labelled["label_given"] == labelled["truth"]) == before
    refined = (labelled["label_refined"] == labelled["truth"]) == after
    return n_true(given & refined)


def _ranking(labelled: pl.DataFrame) -> Metrics:
    """Whether low reliability finds the wrong given labels."""
    right = (labelled["label_given"] == labelled["truth"]).to_numpy()
    reliability = labelled["reliability"].to_numpy()
    return {
        "reliability_auroc": _known(auroc(reliability, right)),
        "reliability_bins": _bins(reliability, right),
    }


def _known(value: float) -> float | None:
    """JSON has no nan: what cannot be told is None."""
    return None if np.isnan(value) else value


def _bins(score: NDArray[np.float64], right: NDArray[np.bool_]) -> list[Metrics]:
    """Mean score and share that was right in ten equal bins of the score; empty bins stay, with n = 0."""
    index = np.minimum((score * N_BINS).astype(int), N_BINS - 1)
    return [_bin(number, score[index == number], right[index == number]) for number in range(N_BINS)]


def _bin(number: int, score: NDArray[np.float64], right: NDArray[np.bool_]) -> Metrics:
    return {
        "from": number / N_BINS,
        "to": (number + 1) / N_BINS,
        "mean": float(score.mean()) if len(score) else None,
        "right": proportion(int(right.sum()), len(score)),
    }


def _probabilities(known: pl.DataFrame, classes: Sequence[str]) -> Metrics:
    """Log-loss of the posterior [nat], calibration of its top class; all clips with a known label."""
    posterior = known["posterior"].list.to_array(len(classes)).to_numpy()  # (n_known, n_classes)
    truth, refined = _codes(known["truth"], classes), _codes(known["label_refined"], classes)
    return {
        "log_loss": _known(log_loss(posterior, truth)),
        "ece": _known(calibration_error(posterior, truth)),
        "macro_f1": _known(macro_f1(refined, truth)),
        "calibration_bins": _bins(known["confidence"].to_numpy(), refined == truth),
    }


def _codes(labels: pl.Series, classes: Sequence[str]) -> NDArray[np.int64]:
    """Labels as places in the list of classes, (n_clips,)."""
    place = {name: index for index, name in enumerate(classes)}
    return np.array([place[name] for name in labels], dtype=np.int64)


def _distances(labelled: pl.DataFrame, classes: Sequence[str]) -> Metrics:
    """Mean distance to the truth in steps of the class order."""
    truth = _codes(labelled["truth"], classes)
    return {
        f"distance_{name}": _mean_distance(_codes(labelled[column], classes), truth)
        for name, column in (("given", "label_given"), ("refined", "label_refined"))
    }


def _mean_distance(places: NDArray[np.int64], truth: NDArray[np.int64]) -> float | None:
    return float(np.abs(places - truth).mean()) if len(places) else None
