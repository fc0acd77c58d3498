"""The words by which a model observes a clip, concludes a class, and reflects on it.

Classes are named by letters, with their names listed in the recipe's order. No
prompt says how common a class is: a prior that is tuned by hand is a bias that
nobody can see in the data.

Source:
    Wang, Liu, Xu, Shi, Xing, *Weak to Strong: VLM-Based Pseudo-Labeling*,
    https://arxiv.org/abs/2602.08057: reasoning, then reflection. The steps'
    division and all words are ours.
"""

import json
import string
from collections.abc import Mapping

from curate.answers.context import Parts
from curate.answers.quoting import quoted
from curate.recipe import Task
from curate.vlm.client import Prompt, Sheet, Words

OBSERVE_VERSION = "observe-1"
CONCLUDE_VERSION = "conclude-1"
REFLECT_VERSION = "reflect-1"
"""Named in every call's key: changing the words below means asking again."""

NO_CLASS = "none"
"""What a reflection names instead of a class where it has none to name."""

OBSERVED_TOKENS, REASONED_TOKENS, REFLECTED_TOKENS = 400, 400, 250
"""Of a reply: two to three times what the words that are asked for take."""
_TOKENS_A_CLASS = 12
_ROUND = str.maketrans("[]", "()")

_OBSERVE = """\
The pictures above are from one clip, in order of time; the time stands before each.
Describe what can be seen of the person who is shown most prominently, and when: brows, eyes, mouth, head, \
hands, posture, what the person does. Write at most 8 short lines. Begin each with the time that stands \
before the picture.
Say only what can be seen, and say what cannot be seen. Name no emotion, no intention and no state of mind, \
and draw no conclusion."""

_CONCLUDE = """\
First score every class for itself: 0 if nothing speaks for it, 100 if everything does. Prefer none \
beforehand. Then choose the class of the highest score.
Reply with a JSON object of three keys.
"reasoning": in at most 60 words, what speaks for the class that you choose and against the next best. Name \
the times of what you rest on in square brackets, as they stand before the pictures.
"scores": an object with the score of every letter.
"label": the letter of your choice."""

_REFLECT = f"""\
You have not seen the clip. Judge by the observations alone, and do not guess what they leave out.
Reply with a JSON object of three keys.
"reason": in at most 40 words, what in the observations decides.
"verdict": "confirm" if they support the proposed class more than any other, "revise" if they support \
another class more, "abstain" if they are not enough to tell.
"label": the letter of the class that they support, or "{NO_CLASS}" if you abstain."""


def class_letters(n_classes: int) -> tuple[str, ...]:
    """A letter a class, in order: A to Z, then AA, AB and so on."""
    alphabet = string.ascii_uppercase
    pairs = (first + second for first in alphabet for second in alphabet)
    return tuple([*alphabet, *pairs][:n_classes])


def observe_prompt(parts: Parts) -> Prompt:
    """What can be seen when. The classes are not named, so that nobody looks for one."""
    return Prompt((*parts, _OBSERVE), Words(OBSERVED_TOKENS))


def conclude_prompt(parts: Parts, observations: str, task: Task) -> Prompt:
    """A score for every class, a class, and why.

    Args:
        parts: The very parts that were observed: a server reads them once.
        observations: What was replied then; quoted as data.
        task: The classes, and what is judged.
    """
    words = (_quoted_times(observations, "What was observed before"), _question(task), _CONCLUDE)
    letters = class_letters(len(task.classes))
    most = REASONED_TOKENS + _TOKENS_A_CLASS * len(letters)
    return Prompt((*parts, "\n".join(words)), Sheet(_conclusion_schema(letters), most))


def reflect_prompt(observations: str, label: str, task: Task) -> Prompt:
    """Whether the observations alone support a class; no picture, score or reasoning is shown.

    Args:
        observations: What was observed; quoted as data.
        label: The class that was concluded.
        task: The classes, and what is judged.
    """
    letters = class_letters(len(task.classes))
    proposed = letters[task.classes.index(label)]
    words = (
        _quoted_times(observations, "What was observed in a clip"),
        _question(task),
        f"Proposed class: {proposed}) {label}",
        _REFLECT,
    )
    return Prompt(("\n".join(words),), Sheet(_reflection_schema(letters), REFLECTED_TOKENS))


def _quoted_times(observations: str, what: str) -> str:
    # A quotation writes square brackets as escapes, and the times that models write are full of them.
    return quoted(observations.translate(_ROUND), what=what)


def _question(task: Task) -> str:
    asked = task.question.strip() or "Which class fits the clip best?"
    listed = zip(class_letters(len(task.classes)), task.classes, strict=True)
    return "\n".join([f"Question: {asked}", *(f"{letter}) {name}" for letter, name in listed)])


def _conclusion_schema(letters: tuple[str, ...]) -> str:
    score: dict[str, object] = {"type": "integer", "minimum": 0, "maximum": 100}
    scores = _object(dict.fromkeys(letters, score))
    label: dict[str, object] = {"type": "string", "enum": list(letters)}
    return _json(_object({"reasoning": {"type": "string"}, "scores": scores, "label": label}))


def _reflection_schema(letters: tuple[str, ...]) -> str:
    verdict: dict[str, object] = {"type": "string", "enum": ["confirm", "revise", "abstain"]}
    label: dict[str, object] = {"type": "string", "enum": [*letters, NO_CLASS]}
    return _json(_object({"reason": {"type": "string"}, "verdict": verdict, "label": label}))


def _object(properties: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _json(schema: dict[str, object]) -> str:
    # Keys are not sorted: a grammar makes a model write them in this order, and a reason that is
    # written after its label justifies it instead of leading to it.
    return json.dumps(schema, separators=(",", ":"))
