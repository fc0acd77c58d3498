"""What controls say of a whole run: whether answers are about the pictures that were sent."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from curate.answers.measures.share import Share, counted, lower_bound, upper_bound
from curate.answers.measures.stability import same_top

SAME = 1e-4
"""Largest difference of log-probabilities between replies that count as the same reply. The same
prompt in another batch of 32-bit floats moves by less, replies about two clips differ by far more
(`benchmarks/debias.py`)."""

MUTE = 0.9
"""Share of same replies from which on an item counts as one that the model does not look up in
the pictures."""

COINCIDENCE = 0.2
"""Replies about different pictures that may be the same by chance, among items that do look.
With weights of 16 bits the letters' scores take few values, and some do meet."""

WORDS_ALONE = 0.1
"""An answer follows the words alone if it is nearer to their own answer than this share of its
distance to the pictures' own: a transcript may well decide most answers, but not whole ones."""

LEAST_MOVED = 0.3
"""Answers that something beside the words has moved, at the least, where words and pictures
speak for different ones."""

ALARM = 1e-3
"""How likely a false alarm is, at most, at the borders above."""

PROOF = 1e-2
"""How likely answers are called sound, at most, that follow pictures and words alike."""

_TINY = 1e-300
"""Stands for a probability of 0, so that a logarithm is finite."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether answers are about the pictures that were sent."""

    verdict: Literal["sound", "wrong_media", "cannot_tell", "not_asked"]
    reason: str
    """Why, as a sentence without a full stop."""
    n_asked: int
    """Answers with another clip's pictures, or none, that can be compared."""
    same_reply: Share
    """Replies that are the same to the last digit although the pictures are not; of those with
    probabilities that are not all 0 or 1."""
    followed: Share
    """Answers that follow the pictures, of those with another clip's that follow them or the words."""


def media_verdict(canaries: pl.DataFrame, no_media: pl.DataFrame) -> Verdict:
    """Judge the server by its answers to controls.

    Three things can be seen. A reply that is the same to the last digit though
    other pictures were sent did not depend on them. An answer to one clip's
    words with another's pictures is nearer to what the one, or what the other,
    got by itself. Answers without probabilities tell this only where the two
    clips' own answers differ.

    A model may ignore the pictures in some items and be sound. So replies must
    be the same in every item, or too often in items where some are not; and
    answers must follow the words alone in all items together and the pictures
    in none.

    Args:
        canaries: As from `curate.answers.measures.pairs.canary_pairs`.
        no_media: As from `curate.answers.measures.pairs.control_pairs`.

    Returns:
        wrong_media: answers do not depend on the pictures that were sent,
        whatever the cause. sound: they follow them. cannot_tell: neither was
        shown, as with few answers, or when all answers are alike. not_asked:
        there is no canary to compare.

    Source:
        Ours. Bounds are Clopper and Pearson's.
    """
    n_asked = canaries.height + no_media.height
    same, followed = _same_replies(canaries, no_media), _followed(canaries)
    shares = n_asked, _share(same, "same"), _share(followed, "pictures")
    if _replies_repeat(same):
        return Verdict("wrong_media", _repeats_reason(shares[1]), *shares)
    if canaries.is_empty():
        return Verdict("not_asked", "no answer to a question with another clip's pictures", *shares)
    follows = _follows_pictures(followed)
    if not follows and _follows_words(followed):
        return Verdict("wrong_media", _words_reason(shares[2]), *shares)
    if follows:
        reason = f"{_of(shares[2])} answers with another clip's pictures followed the pictures"
        return Verdict("sound", reason, *shares)
    return Verdict("cannot_tell", _unsure_reason(shares[1], shares[2]), *shares)


def _same_replies(canaries: pl.DataFrame, no_media: pl.DataFrame) -> pl.DataFrame:
    """Whether each reply is the same as one about other pictures: `item`, `same`."""
    both = pl.concat(
        [canaries.select("item", "exact", "told", other="words"), no_media.rename({"own": "other"})]
    )
    graded = both.filter("exact", _graded("told"), _graded("other"))
    return graded.select("item", same=_apart("told", "other") <= SAME)


def _followed(canaries: pl.DataFrame) -> pl.DataFrame:
    """Whether each answer follows the pictures or else the words: `item`, `same_words`, `pictures`, `alone`.

    By the smaller distance, or by the likeliest option where an answer has no
    probabilities. Answers that follow neither or both are left out. `alone`:
    whether it follows the words alone.
    """
    by_distance = pl.all_horizontal("exact", *map(_graded, ("told", "words", "pictures")))
    to_words = pl.when(by_distance).then(_apart("told", "words")).otherwise(_unlike("told", "words"))
    to_pictures = pl.when(by_distance).then(_apart("told", "pictures")).otherwise(_unlike("told", "pictures"))
    away = canaries.select("item", "same_words", words=to_words, pictures=to_pictures)
    decided = away.filter((pl.col("words") - pl.col("pictures")).abs() > SAME)
    return decided.select(
        "item",
        "same_words",
        pictures=pl.col("words") > pl.col("pictures"),
        alone=pl.col("words") <= WORDS_ALONE * pl.col("pictures"),
    )


def _graded(column: str) -> pl.Expr:
    """Whether probabilities are more than a single 1."""
    return (pl.col(column).list.eval(pl.element() > 0)).list.sum() >= 2


def _apart(one: str, other: str) -> pl.Expr:
    """Largest absolute difference of the log-probabilities of an option.

    Not of the probabilities: a model that is certain of everything has
    different ones only far behind the point.
    """
    logs = (pl.col(name).list.eval(pl.element().clip(_TINY).log()) for name in (one, other))
    return (next(logs) - next(logs)).list.eval(pl.element().abs()).list.max()


def _unlike(one: str, other: str) -> pl.Expr:
    return (~same_top(one, other)).cast(pl.Float64)


def _replies_repeat(same: pl.DataFrame) -> bool:
    """Whether replies are the same in every item, or too often in items where some are not."""
    items = same.group_by("item").agg(pl.len().alias("total"), pl.col("same").sum().alias("count"))
    looking = items.filter(pl.col("count") < MUTE * pl.col("total"))
    judged = items if looking.is_empty() else looking
    return lower_bound(int(judged["count"].sum()), int(judged["total"].sum()), ALARM) > COINCIDENCE


def _follows_pictures(followed: pl.DataFrame) -> bool:
    """Whether answers follow the pictures more often than the words, in all items or in one of them."""
    items = followed.group_by("item").agg(pl.len().alias("total"), pl.col("pictures").sum().alias("count"))
    total, count = int(items["total"].sum()), int(items["count"].sum())
    if lower_bound(count, total, PROOF) > 0.5:
        return True
    rows = items.select("count", "total").iter_rows()
    return any(lower_bound(count, total, PROOF / items.height) > 0.5 for count, total in rows)


def _follows_words(followed: pl.DataFrame) -> bool:
    """Whether too few answers are moved by anything but the words, where the two clips' words differ."""
    mixed = followed.filter(~pl.col("same_words"))
    return upper_bound(int((~mixed["alone"]).sum()), mixed.height, ALARM) < LEAST_MOVED


def _share(rows: pl.DataFrame, column: str) -> Share:
    return counted(int(rows[column].sum()), rows.height)


def _repeats_reason(same: Share) -> str:
    return (
        f"{_of(same)} replies are the same to the last digit though other pictures, or none, were sent: "
        "the server answers from memory by the words alone, or the pictures do not reach the model"
    )


def _words_reason(followed: Share) -> str:
    return (
        f"only {_of(followed)} answers to one clip's words with another clip's pictures followed the "
        "pictures: the server answers by the words alone, or the pictures do not reach the model"
    )


def _unsure_reason(same: Share, followed: Share) -> str:
    if followed.total:
        return (
            f"{_of(followed)} answers with another clip's pictures followed the pictures and not the words: "
            "too few, or too even, to tell"
        )
    if same.count:
        return f"{_of(same)} replies are the same though other pictures, or none, were sent: too few to tell"
    return "all answers are the same whatever the pictures, and no probabilities say more"


def _of(share: Share) -> str:
    return f"{share.count:.0f} of {share.total:.0f}"
