"""How the model was asked, and whether its answers can be trusted, in sentences for card and report."""

from collections.abc import Iterator, Mapping
from typing import Any

from curate.questionnaire import UNSEEN
from curate.recipe import Answers
from curate.release.content import Metrics
from curate.release.outcome_words import collapsed, cost_lines, reasoned
from curate.release.phrases import DASH, count, percent

_SOURCES: Mapping[tuple[str, str | None], str] = {
    ("logprobs", "before_mask"): (
        "the model's own for the options' letters as its next word, among all words (before_mask)"
    ),
    ("logprobs", "after_mask"): (
        "the model's own for the options' letters as its next word, among the letters alone (after_mask): "
        "how much it would rather have said something else is not known"
    ),
    ("logprobs", None): "the model's own for the options' letters as its next word, as the server told them",
    ("samples", None): "shares of answers that were drawn several times",
    ("stated", None): "what the model said of itself in words, which is surer than it should be as a rule",
    ("text", None): "not known: one option was named, and it stands for certainty",
}
_KINDS = {
    "order": "with the options in another order",
    "wording": "in other words",
    "repeat": "again in the same words",
}
_COLUMNS = {
    "canary": "Changed with another clip's pictures, of those that should",
    "no_media": "Likeliest without pictures",
    "shuffled": "Changed with pictures out of order",
    "order": "Same in another order of options",
    "wording": "Same in other words",
    "repeat": "Same when asked again",
    "places": "Gained by place, first to last [share]",
}
"""Of the table of controls and variants; those of which nothing is known are left out."""
_CONCLUDED = {"concluded": "Conclusions of the model", "refined": "Refined labels"}


def how_asked(asking: Metrics, answers: Answers) -> list[str]:
    """How answers and their probabilities were had.

    Args:
        asking: As from `curate.release.asking_metrics.measure_asking`.
        answers: The recipe's section.
    """
    return [
        _MODES[answers.mode],
        *(_source(one) for one in asking["sources"]),
        *_debiased(asking),
        *_varied(asking["variants"]),
        *_transcripts(asking["transcripts"]),
        *_context(asking["context"]),
    ]


_MODES = {
    "separate": "Each question was put in a call of its own, after the clip's pictures.",
    "joint": (
        "All questions about a clip were put in one call, after its pictures, and answered together: "
        "answers may lean on one another."
    ),
}


def _source(found: Metrics) -> str:
    told = _SOURCES[found["source"], found["mask"]]
    return f"Probabilities of {count(found['n'], 'answer')} are {told}."


def _debiased(asking: Metrics) -> Iterator[str]:
    if asking["debias"] == "content_free":
        yield "What the model answers without a picture was taken off its answers."
    priors = [(item["id"], item["position_prior"]) for item in asking["items"] if item["position_prior"]]
    if priors:
        name, strongest = max(priors, key=lambda one: _pull(one[1]["prior"]))
        yield (
            "What an option gains by its place in the list alone was estimated on "
            f"{count(strongest['n_clips'], 'clip')} by asking in every order, and taken off. It is largest "
            f"in {name}: up to {_pull(strongest['prior']):.1f} times an even share."
        )


def _pull(prior: list[float]) -> float:
    return max(prior) * len(prior)


def _varied(variants: Metrics) -> Iterator[str]:
    asked = [
        f"{count(found['clips'], 'clip')} {_ways(kind, found['ways'])}"
        for kind in _KINDS
        if (found := variants[kind])["clips"]
    ]
    if asked:
        yield (
            f"Also asked, to see how steady the answers are: {'; '.join(asked)}. "
            "An answer that was had in several ways counts once, as their mean."
        )


def _ways(kind: str, ways: int) -> str:
    if kind == "order":
        return "in every order of the options"
    if kind == "wording":
        return f"in {count(ways, 'other wording')}"
    return f"{'once' if ways == 1 else f'{ways} times'} more in the same words"


def _transcripts(found: Metrics | None) -> Iterator[str]:
    if found is not None:
        yield (
            f"What is said in a clip stood in its prompts, as quoted data: of {found['with']:,} of "
            f"{count(found['clips'], 'clip')}."
        )


def _context(context: Metrics | None) -> Iterator[str]:
    if context is None:
        return
    missing = [
        f"{context[name]} {words}"
        for name, words in (("refusal", "declined"), ("empty", "empty"), ("failed", "without a reply"))
        if context[name]
    ]
    rest = f" ({', '.join(missing)})" if missing else ""
    yield (
        "What moves between two pictures was first put into a sentence, from the frames between them, and "
        f"stood between them in every prompt: {context['said']:,} of {count(context['gaps'], 'gap')} have "
        f"one{rest}."
    )


def media_sentence(verdict: Metrics) -> str:
    """What the canaries say, as one sentence."""
    reason = verdict["reason"]
    return {
        "sound": f"The answers are about the pictures that were sent: {reason}.",
        "wrong_media": (
            f"The answers are not about the pictures that were sent: {reason}. Nothing that rests on them is "
            "to be believed."
        ),
        "cannot_tell": f"Whether the answers are about the pictures that were sent cannot be told: {reason}.",
        "not_asked": f"Whether the answers are about the pictures that were sent was not checked: {reason}.",
    }[str(verdict["verdict"])]


def trusted(asking: Metrics) -> list[str]:
    """What controls and variants say of the answers."""
    return [
        media_sentence(asking["verdict"]),
        *_guessed(asking),
        *_ordered(asking["items"]),
        *(line for kind in _KINDS for line in _steady(kind, asking["items"])),
    ]


def _guessed(asking: Metrics) -> Iterator[str]:
    """What is answered without any picture."""
    alone = [(item["id"], item["controls"]["no_media"]) for item in asking["items"]]
    known = [(name, found) for name, found in alone if found]
    guessed = [(name, found) for name, found in known if found["top"] != UNSEEN]
    if not known:
        return
    clips = _of_how_many(asking["controls"]["no_media"])
    opening = (
        f"Without any picture ({clips}), where “{UNSEEN}” is the answer, the "
        f"model leans to it in {len(known) - len(guessed)} of {count(len(known), 'question')}"
    )
    told = "; ".join(f"{name} “{found['top']}”, {percent(found['top_share'])}" for name, found in guessed)
    rest = f" and guesses from the words alone in {len(guessed)}: {told}" if guessed else ""
    yield f"{opening}{rest}."


def _of_how_many(alone: Metrics) -> str:
    """How many clips were asked about without pictures, and whether that was more than one question each."""
    clips = count(alone["clips"], "clip")
    if alone["most_replies"] == 1 and alone["clips"] > 1:
        return f"one answer a question for all {clips}, whose words are the same"
    return clips


def _ordered(items: list[Metrics]) -> Iterator[str]:
    """Whether the order of the pictures matters, beside what changes when nothing does."""
    found = [item["controls"]["shuffled"] for item in items if item["controls"]["shuffled"]]
    n = sum(one["n"] for one in found)
    if not n:
        return
    changed = sum(round(one["changed"] * one["n"]) for one in found)
    opening = f"With the pictures out of order, {changed} of {count(n, 'answer')} changed"
    yield f"{opening}{_meaning(changed, found)}."


def _meaning(changed: int, found: list[Metrics]) -> str:
    """What changed answers say; without a second answer in the same words, nothing."""
    beside = [one for one in found if one["noise"] is not None]
    if changed and not beside:
        return (
            "; how many change by themselves was not measured, for nothing was asked again in the same words"
        )
    if any(map(_is_beyond_noise, beside)):
        return ": the order of the pictures, and with it time, is used"
    return ": nothing shows that their order, and with it time, is used"


def _is_beyond_noise(one: Metrics) -> bool:
    """Whether an item's answers to shuffled pictures differ more than answers to the same question."""
    return bool(one["changed_low"] > 0.05 and one["total_variation"] > 2 * one["noise"])


def _steady(kind: str, items: list[Metrics]) -> Iterator[str]:
    found = [(item["id"], item["stability"][kind]) for item in items if item["stability"][kind]]
    if not found:
        return
    answers = sum(one["n_answers"] for _, one in found)
    same = sum(one["same_answer"] * one["n_answers"] for _, one in found) / answers
    name, least = min(found, key=lambda one: one[1]["same_answer"])
    rest = (
        "" if least["same_answer"] == 1 else f"; the least steady is {name} ({percent(least['same_answer'])})"
    )
    yield f"Asked {_KINDS[kind]}, {percent(same)} of {count(answers, 'answer')} stay the same{rest}."


def words(metrics: Metrics, answers: Answers) -> dict[str, Any]:
    """What a template shows of the asking, by name."""
    asking, collapse = metrics["asking"], metrics["asking"]["collapse"]
    found = [(title, collapse[key]) for key, title in _CONCLUDED.items() if collapse[key]]
    rows = [_steadiness(item) for item in asking["items"]]
    return {
        "how_asked": how_asked(asking, answers),
        "trusted": trusted(asking),
        "reasoned": reasoned(asking["reasons"]),
        "class_heading": _class_heading(asking),
        "collapsed": [collapsed(one, title.lower()) for title, one in found],
        "class_tables": found,
        "cost_lines": cost_lines(asking["cost"], metrics["counts"]["clips"]),
        "is_wrong_media": asking["verdict"]["verdict"] == "wrong_media",
        "media_sentence": media_sentence(asking["verdict"]),
        "columns": {
            name: title for name, title in _COLUMNS.items() if any(row[name] != DASH for row in rows)
        },
        "steadiness": rows,
    }


def _class_heading(asking: Metrics) -> str:
    """Names what of conclusions and refined labels there is."""
    parts = (
        ("conclusions", asking["reasons"] or asking["collapse"]["concluded"]),
        ("refined labels", asking["collapse"]["refined"]),
    )
    return f"{' and '.join(name for name, found in parts if found)}, class by class".capitalize()


def _steadiness(item: Metrics) -> dict[str, str]:
    """An item's row in the table of controls and variants."""
    canary, alone, shuffled = (item["controls"][name] for name in ("canary", "no_media", "shuffled"))
    same, prior = item["stability"], item["position_prior"]
    return {
        "id": item["id"],
        "canary": _changed(canary, "n_expected"),
        "no_media": f"{alone['top']}, {percent(alone['top_share'])}" if alone else DASH,
        "shuffled": _changed(shuffled, "n"),
        **{kind: percent(same[kind]["same_answer"]) if same[kind] else DASH for kind in _KINDS},
        "places": " · ".join(f"{share:.2f}" for share in prior["prior"]) if prior else DASH,
    }


def _changed(found: Metrics | None, among: str) -> str:
    """So many of so many."""
    if not found or not found[among]:
        return DASH
    return f"{round(found['changed'] * found[among])} of {found[among]}"
