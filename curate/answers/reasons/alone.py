"""What a model concludes of nothing: to which classes its words alone incline.

Source:
    Contextual calibration (Zhao et al. 2021, section 4,
    https://arxiv.org/abs/2102.09690), for the bias towards classes whose names
    are common (https://arxiv.org/abs/2604.15280). The prompt is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from curate.answers.measures.debias import LEANING
from curate.answers.reasons.prompts import CONCLUDE_VERSION, conclude_prompt
from curate.answers.reasons.replies import Conclusion, read_conclusion
from curate.answers.shown import receipt_of_moments
from curate.recipe import Task
from curate.vlm.desk.asking import Call, Door

NOTHING = "No picture was shown, and nothing was observed."


@dataclass(frozen=True, slots=True)
class Alone:
    """A conclusion about nothing."""

    scores: tuple[float, ...] | None = None
    """Of each class, from 0 to 100; None where it was not asked for, or said nothing that can be used."""
    call: str | None = None
    """Key of the call, if it was answered."""
    error: str | None = None
    """Why it was not, if it failed."""
    is_left_out: bool = False
    """Whether the budget did not reach so far."""


async def conclude_alone(task: Task, desk: Door) -> Alone:
    """Ask for a conclusion without a picture and without observations; one call a run."""
    prompt = conclude_prompt((), NOTHING, task)
    result = await desk.ask(Call(prompt, CONCLUDE_VERSION, receipt_of_moments(())))
    if result.reply is None:
        return Alone(error=result.error, is_left_out=result.error is None)
    read = read_conclusion(result.reply, len(task.classes), ())
    return Alone(read.scores if isinstance(read, Conclusion) else None, result.key)


def without_leaning(probs: Sequence[float], alone: Alone) -> tuple[float, ...]:
    """Probabilities of the classes without what is concluded of nothing.

    Args:
        probs: Of each class; sum to 1.
        alone: What was concluded of nothing; without scores nothing is taken off.

    Returns:
        p_k ~ p_k / q_k with q the normalised scores without a clip, to which
        `LEANING` in all is added, spread evenly, so that none is 0.
    """
    if alone.scores is None:
        return tuple(probs)
    total, n_classes = sum(alone.scores), len(alone.scores)
    shares = [(score / total + LEANING / n_classes) / (1 + LEANING) for score in alone.scores]
    freed = [prob / share for prob, share in zip(probs, shares, strict=True)]
    return tuple(value / sum(freed) for value in freed)


def alone_problem(alone: Alone) -> dict[str, object] | None:
    """A row of table `problems` where the call failed."""
    if alone.error is None:
        return None
    return {
        "where": "reasons, without a clip",
        "clip": None,
        "kind": "answer",
        "what": alone.error,
        "action": "set_aside",
    }
