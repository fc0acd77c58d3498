"""Which clips are asked in which ways, and which are controls.

Drawn by a hash of the clip's id, so that a run that goes on, or that knows
more clips, draws the same ones again and asks nothing twice.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from curate.errors import Problem
from curate.questionnaire import Questionnaire
from curate.recipe import Answers

Control = Literal["none", "canary", "no_media", "shuffled"]

LEAST = 10
"""Clips that are drawn for a control or for the position bias, where a share would give fewer."""

_MOST_NAMED = 5
"""Items that an error names."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way of putting the questions."""

    variant: str
    """base, order K, wording K or repeat K."""
    wording: int = 0
    """Which of an item's wordings; 0 is the one as written."""
    shift: int = 0
    """By how many places the options are moved on, in a circle."""
    draw: int = 0
    """Which independent draw."""


BASE = Way("base")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Who is asked what, beside every item as written."""

    ways: tuple[tuple[frozenset[str], tuple[Way, ...]], ...]
    """Ids of clips, and the further ways in which they are asked."""
    controls: tuple[tuple[frozenset[str], Control], ...]
    """Ids of clips, and the control that they are drawn for."""

    def ways_of(self, clip_id: str) -> tuple[Way, ...]:
        """The base, and the clip's further ways."""
        return (BASE, *(way for drawn, ways in self.ways if clip_id in drawn for way in ways))

    def controls_of(self, clip_id: str) -> tuple[Control, ...]:
        """The clip's controls."""
        return tuple(control for drawn, control in self.controls if clip_id in drawn)


def make_schedule(clip_ids: Sequence[str], answers: Answers, questionnaire: Questionnaire) -> Schedule:
    """Draw the clips of every variant and control.

    Args:
        clip_ids: Of all clips that are asked about.
        answers: The recipe's section.
        questionnaire: Whose items say how many orders and wordings there are.
    """

    def draw(share: float, purpose: str, least: int = 0) -> frozenset[str]:
        return drawn(clip_ids, share, f"{answers.seed} {purpose}", least)

    most_options = max(len(item.all_options) for item in questionnaire.items)
    orders = tuple(Way(f"order {shift}", shift=shift) for shift in range(1, most_options))
    wordings = tuple(Way(f"wording {n}", wording=n) for n in range(1, answers.paraphrases.count + 1))
    repeats = tuple(Way(f"repeat {n}", draw=n) for n in range(1, answers.repeats.count + 1))
    permuted = answers.permutations if answers.debias == "position" else 0
    controls = answers.controls
    return Schedule(
        ways=(
            (draw(permuted, "order", LEAST), orders),
            (draw(answers.paraphrases.share, "wording"), wordings),
            (draw(answers.repeats.share, "repeat"), repeats),
        ),
        controls=(
            (draw(controls.canary, "canary", LEAST), "canary"),
            (draw(controls.no_media, "no_media", LEAST), "no_media"),
            (draw(controls.shuffled, "shuffled", LEAST), "shuffled"),
        ),
    )


def wording_problems(answers: Answers, questionnaire: Questionnaire) -> list[Problem]:
    """Whether the questionnaire has as many other wordings as the recipe asks for."""
    wanted = answers.paraphrases.count
    few = [item for item in questionnaire.items if len(item.paraphrases) < wanted]
    if not few:
        return []
    named = ", ".join(f"{item.id} ({len(item.paraphrases)})" for item in few[:_MOST_NAMED])
    more = f" and {len(few) - _MOST_NAMED} more" if len(few) > _MOST_NAMED else ""
    what = f"is {wanted}, and the questionnaire has fewer paraphrases of {named}{more}"
    return [Problem("answers.paraphrases.count", what, "Write more of them, or ask for fewer")]


def drawn(clip_ids: Sequence[str], share: float, purpose: str, least: int = 0) -> frozenset[str]:
    """A share of the clips, rounded up; the same ones for the same purpose.

    Args:
        clip_ids: To draw from.
        share: From 0, which draws none, to 1.
        purpose: Other purposes draw other clips.
        least: At least so many, where there are as many and the share is above 0.
    """
    if share == 0:
        return frozenset()
    count = max(math.ceil(share * len(clip_ids)), least)
    if count >= len(clip_ids):
        return frozenset(clip_ids)
    return frozenset(sorted(clip_ids, key=lambda clip_id: _rank(purpose, clip_id))[:count])


def _rank(purpose: str, clip_id: str) -> bytes:
    return hashlib.sha256(f"{purpose} {clip_id}".encode()).digest()
