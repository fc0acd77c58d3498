"""Stops a run whose answers are not about the pictures that were sent."""

from dataclasses import dataclass

import polars as pl

from curate.answers.measures.pairs import canary_pairs, control_pairs
from curate.answers.measures.verdict import Verdict, media_verdict
from curate.answers.schedule import LEAST
from curate.errors import WrongMediaError


@dataclass(slots=True)
class Watch:
    """Judges the canaries when ten clips have had theirs, and whenever there are twice as many."""

    same_words: bool
    """Whether every clip is asked in the same words: no context and no transcript is sent."""
    n_seen: int = 0
    next_look: int = LEAST

    def is_due(self) -> bool:
        """Count one more clip that had its canary; whether it is time to look at them."""
        self.n_seen += 1
        if self.n_seen < self.next_look:
            return False
        self.next_look *= 2
        return True

    def judge(self, answers: pl.DataFrame) -> None:
        """Look at the canaries so far.

        Raises:
            WrongMediaError: They say that answers are not about the pictures that were sent.
        """
        found = verdict_of(answers, same_words=self.same_words)
        if found.verdict == "wrong_media":
            raise WrongMediaError(
                f"answers are not about the pictures that were sent: {found.reason}. "
                "What was answered so far is kept. Look at the server: its caches, its chat template, "
                "whether the model sees pictures at all. Then run into another folder (--out), for the "
                "replies in this one stay as they are; or set answers.controls.wrong_media to warn, to go on "
                "all the same"
            )


def verdict_of(answers: pl.DataFrame, *, same_words: bool) -> Verdict:
    """What the controls among the answers say of them all.

    Args:
        answers: Table `answers`.
        same_words: Whether every clip was asked in the same words.
    """
    canaries = answers.filter(pl.col("control") == "canary")
    partners = canaries.select("clip_id", other="media_clip_id", same_words=pl.lit(same_words)).unique()
    return media_verdict(canary_pairs(answers, partners), control_pairs(answers, "no_media"))
