"""Pseudo-labels with reasons: a model observes a clip, concludes a class, and reflects on it.

Source:
    Wang, Liu, Xu, Shi, Xing, *Weak to Strong: VLM-Based Pseudo-Labeling*,
    https://arxiv.org/abs/2602.08057. What is the paper's and what is ours:
    docs/reasons.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from curate import tables
from curate.answers.context import Parts
from curate.answers.reasons.alone import Alone, without_leaning
from curate.answers.reasons.prompts import (
    CONCLUDE_VERSION,
    OBSERVE_VERSION,
    REFLECT_VERSION,
    conclude_prompt,
    observe_prompt,
    reflect_prompt,
)
from curate.answers.reasons.replies import (
    Conclusion,
    Reflection,
    Unread,
    read_conclusion,
    read_observations,
    read_reflection,
)
from curate.answers.shown import Shown, receipt_of_moments
from curate.recipe import Task
from curate.vlm.client import Reply
from curate.vlm.desk.asking import Call, Door

INSTRUMENT = "vlm:conclusion"
"""Its name among the instruments of the evidence."""

Outcome = Literal["concluded", "inconsistent", "refusal", "unparsable", "failed", "left_out"]


@dataclass(frozen=True, slots=True)
class Reasons:
    """What came of the three steps about one clip, as far as they went."""

    clip: Shown
    outcome: Outcome | None = None
    """None while steps are left. inconsistent: the label is not the class of the highest score, or the
    reflection contradicts itself. left_out: the budget did not reach so far."""
    observations: str | None = None
    conclusion: Conclusion | None = None
    reflection: Reflection | None = None
    calls: tuple[str, ...] = ()
    """Keys of the calls that were answered, in the order of the steps."""
    error: str | None = None

    @property
    def confirmed(self) -> bool:
        """Whether the reflection confirms a conclusion that agrees with itself."""
        return (
            self.outcome == "concluded"
            and self.reflection is not None
            and self.reflection.verdict == "confirm"
        )


async def reason(clip: Shown, parts: Parts, task: Task, desk: Door) -> Reasons:
    """Ask for observations, a conclusion and a reflection, one after the other.

    A step that says nothing that can be used is the last: the next would rest
    on it. So is a conclusion whose label is not the class of its highest score.

    Args:
        clip: Whose key frames are sent.
        parts: What is sent of it (curate.answers.context.timed): the same for
            the first two steps, so that a server reads it once.
        task: The classes, and what is judged.
        desk: Who is asked.
    """
    observed = await _observe(Reasons(clip), parts, desk)
    if observed.observations is None:
        return observed
    concluded = await _conclude(observed, observed.observations, parts, task, desk)
    if concluded.conclusion is None or concluded.outcome is not None:
        return concluded
    return await _reflect(concluded, observed.observations, concluded.conclusion, task, desk)


def reasons_table(
    reasons: Iterable[Reasons], classes: Sequence[str], alone: Alone, *, is_freed: bool
) -> pl.DataFrame:
    """Table `reasons`, sorted by clip; what was left out is not in it.

    Args:
        reasons: Of each clip.
        classes: Their names, in the recipe's order.
        alone: What was concluded of nothing.
        is_freed: Whether that is taken off the probabilities of the classes.
    """
    taken_off = alone if is_freed else Alone()
    rows = [_row(found, classes, alone, taken_off) for found in reasons if found.outcome != "left_out"]
    return tables.table("reasons", rows).sort("clip_id")


def reasons_problem(found: Reasons) -> dict[str, object] | None:
    """A row of table `problems` where a call failed."""
    if found.outcome != "failed":
        return None
    return {
        "where": f"reasons, {('observe', 'conclude', 'reflect')[len(found.calls)]}",
        "clip": found.clip.name,
        "kind": "answer",
        "what": found.error,
        "action": "set_aside",
    }


def reason_evidence(reasons: pl.DataFrame) -> pl.DataFrame:
    """Conclusions that their reflection confirms, as rows of table `evidence`.

    Args:
        reasons: Table `reasons`.

    Returns:
        Columns clip_id, instrument, kind, outcome (null) and probs, of the
        classes in the recipe's order.
    """
    return reasons.filter(is_confirmed()).select(
        "clip_id",
        instrument=pl.lit(INSTRUMENT),
        kind=pl.lit("vlm"),
        outcome=pl.lit(None, pl.String),
        probs=pl.col("probs"),
    )


def contradicted(reasons: pl.DataFrame) -> pl.DataFrame:
    """Conclusions that a reflection was made on and did not confirm.

    Args:
        reasons: Table `reasons`.

    Returns:
        Columns clip_id and label: a class that must not become the clip's
        pseudo-label. A conclusion whose reflection failed is not among them:
        nobody spoke against it.
    """
    return reasons.filter(pl.col("verdict").is_not_null() & ~is_confirmed()).select("clip_id", "label")


def is_confirmed() -> pl.Expr:
    """Whether a row of table `reasons` is a conclusion that its reflection confirms."""
    return (pl.col("outcome") == "concluded") & pl.col("verdict").eq_missing(pl.lit("confirm"))


async def _observe(found: Reasons, parts: Parts, desk: Door) -> Reasons:
    found, reply = await _asked(found, desk, Call(observe_prompt(parts), OBSERVE_VERSION, found.clip.receipt))
    if reply is None:
        return found
    read = read_observations(reply)
    if isinstance(read, Unread):
        return replace(found, outcome=read.why)
    return replace(found, observations=read)


async def _conclude(found: Reasons, observations: str, parts: Parts, task: Task, desk: Door) -> Reasons:
    prompt = conclude_prompt(parts, observations, task)
    found, reply = await _asked(found, desk, Call(prompt, CONCLUDE_VERSION, found.clip.receipt))
    if reply is None:
        return found
    read = read_conclusion(reply, len(task.classes), [key.t_s for key in found.clip.keys])
    if isinstance(read, Unread):
        return replace(found, outcome=read.why)
    return replace(found, conclusion=read, outcome=None if read.agrees else "inconsistent")


async def _reflect(
    found: Reasons, observations: str, conclusion: Conclusion, task: Task, desk: Door
) -> Reasons:
    prompt = reflect_prompt(observations, task.classes[conclusion.label], task)
    found, reply = await _asked(found, desk, Call(prompt, REFLECT_VERSION, receipt_of_moments(())))
    if reply is None:
        return found
    read = read_reflection(reply, len(task.classes), conclusion.label)
    if isinstance(read, Unread):
        return replace(found, outcome=read.why)
    return replace(found, reflection=read, outcome="concluded" if read.agrees else "inconsistent")


async def _asked(found: Reasons, desk: Door, call: Call) -> tuple[Reasons, Reply | None]:
    """The reply of the next step, and what is known with its call."""
    result = await desk.ask(call)
    if result.reply is None:
        outcome: Outcome = "failed" if result.error is not None else "left_out"
        return replace(found, outcome=outcome, error=result.error), None
    return replace(found, calls=(*found.calls, result.key)), result.reply


def _row(found: Reasons, classes: Sequence[str], alone: Alone, taken_off: Alone) -> dict[str, object]:
    row: dict[str, object] = {
        "clip_id": found.clip.clip_id,
        "observations": found.observations,
        "outcome": found.outcome,
        "receipt": found.clip.receipt,
        "calls": list(found.calls),
        "scores_alone": None if alone.scores is None else list(alone.scores),
        "call_alone": alone.call,
    }
    if concluded := found.conclusion:
        row |= {
            "scores": list(concluded.scores),
            "probs": list(without_leaning(concluded.probs, taken_off)),
            "label": classes[concluded.label],
            "reasoning": concluded.reasoning,
            "n_cited": concluded.n_cited,
            "n_cited_shown": concluded.n_cited_shown,
        }
    if reflected := found.reflection:
        row |= {
            "verdict": reflected.verdict,
            "revised_label": None if reflected.revised is None else classes[reflected.revised],
            "reflection": reflected.reason,
        }
    return row
