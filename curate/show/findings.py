"""The main findings in plain sentences, from measured numbers alone."""

from dataclasses import dataclass
from typing import Literal

from curate.release.asking_words import media_sentence
from curate.release.content import Metrics
from curate.release.outcome_words import collapsed, unusable
from curate.release.phrases import count, percent

MANY = 0.3
"""Share of questions without an answer from which the report warns."""
FAVOURED = 0.15
"""How much larger the largest class may become before the report warns."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence or two, and whether it asks for care."""

    text: str
    tone: Literal["plain", "warning"] = "plain"


def findings(metrics: Metrics) -> list[Finding]:
    """What a reader should know first; warnings come before the rest."""
    found = [
        _media(metrics["asking"]["verdict"]),
        _no_truth(metrics),
        *_accuracy(metrics),
        _estimated(metrics),
        *_certificates(metrics),
        *_cautions(metrics),
        _silence(metrics),
        _collapse(metrics),
        _sink(metrics["asking"]["collapse"]["concluded"]),
        _changed(metrics),
        _split(metrics),
        _pseudo(metrics),
        _aside(metrics),
    ]
    told = [one for one in found if one is not None]
    return sorted(told, key=lambda one: one.tone != "warning")


def _media(verdict: Metrics) -> Finding | None:
    """Where controls could not tell; that answers are not about the pictures stands above all findings."""
    if verdict["verdict"] != "cannot_tell":
        return None
    return Finding(media_sentence(verdict), "warning")


def _no_truth(metrics: Metrics) -> Finding | None:
    if metrics["truth"] is not None or metrics["quality"]:
        return None
    return Finding(
        "How right these labels are is unknown: no gold labels. Everything below is what the evidence "
        "says of itself; a model that errs alike on every clip would not be noticed. Some fifty labels "
        "checked by people, of clips drawn at random, would tell.",
        "warning",
    )


def _accuracy(metrics: Metrics) -> list[Finding]:
    truth = metrics["truth"]
    if truth is None or not truth["accuracy_given"]["n"]:
        return []
    given, refined = truth["accuracy_given"], truth["accuracy_refined"]
    text = (
        f"Against labels known to be right ({count(given['n'], 'clip')}), {given['value']:.2f} of the given "
        f"labels are right and {refined['value']:.2f} of the refined: {truth['repaired']} repaired, "
        f"{truth['broken']} broken."
    )
    if refined["value"] < given["value"]:
        return [Finding(f"{text} Refining made the labels worse; do not use them.", "warning")]
    if refined["value"] == given["value"]:
        return [Finding(f"{text} Refining did not help here.", "warning")]
    return [Finding(text)]


def _estimated(metrics: Metrics) -> Finding | None:
    """What gold says, where nothing else is known."""
    found = {one["measure"]: one for one in metrics["quality"] if one["class"] is None}
    if metrics["truth"] is not None or not found:
        return None
    given, refined = found["given"], found["refined"]
    if refined["value"] is None:
        return None
    after = f"{refined['value']:.2f} ({refined['low']:.2f} to {refined['high']:.2f}) of the refined"
    gold = count(refined["n_gold"], "gold label")
    if not given["n_clips"] or given["value"] is None:
        return Finding(f"By {gold}, about {after} labels are right.")
    before = f"{given['value']:.2f} ({given['low']:.2f} to {given['high']:.2f}) of the given labels"
    tone: Literal["plain", "warning"] = "warning" if refined["value"] < given["value"] else "plain"
    return Finding(f"By {gold}, about {before} and {after} are right.", tone)


def _certificates(metrics: Metrics) -> list[Finding]:
    whole = [one for one in metrics["certificates"] if one["class"] is None]
    return [
        Finding(
            f"{one['labels'].capitalize()} labels: {one['statement']}.", _tone(certified=one["certified"])
        )
        for one in whole
    ]


def _tone(*, certified: bool) -> Literal["plain", "warning"]:
    return "plain" if certified else "warning"


def _cautions(metrics: Metrics) -> list[Finding]:
    """Serious ones as warnings; docs/statistics.md says how often each is right."""
    return [
        Finding(
            f"{one['text'][0].upper()}{one['text'][1:]}.",
            "warning" if one["severity"] == "serious" else "plain",
        )
        for one in metrics["cautions"]
    ]


def _silence(metrics: Metrics) -> Finding | None:
    """Too little was answered for the answers to carry the labels."""
    answers = metrics["answers"]
    if not answers["asked"]:
        return Finding(
            "The model answered no question: the labels rest on what came with the data.", "warning"
        )
    if answers["share_answered"] >= 1 - MANY and unusable(answers) is None:
        return None
    parts = [
        f"{percent(answers[f'share_{key}'])} {words}"
        for key, words in (
            ("unseen", "“cannot be seen”"),
            ("refusal", "refused"),
            ("unparsable", "not to be read"),
            ("failed", "without a reply"),
        )
        if answers[key]
    ]
    text = f"Only {percent(answers['share_answered'])} of the questions were answered: {', '.join(parts)}."
    empty = answers["clips_without_answer"]
    return Finding(
        f"{text} Of {count(empty, 'clip')} nothing at all could be told." if empty else text, "warning"
    )


def _collapse(metrics: Metrics) -> Finding | None:
    given, refined = metrics["collapse"]["given"], metrics["collapse"]["refined"]
    if not given or not refined or refined["share"] < given["share"] + FAVOURED:
        return None
    return Finding(
        f"{percent(refined['share'])} of the refined labels are “{refined['class']}”; the largest given "
        f"class has {percent(given['share'])}. The evidence may favour one class whatever is shown.",
        "warning",
    )


def _sink(concluded: Metrics | None) -> Finding | None:
    """One class that takes the model's own conclusions."""
    if concluded is None or not any(one["sink"] for one in concluded["classes"]):
        return None
    return Finding(collapsed(concluded, "conclusions of the model"), "warning")


def _changed(metrics: Metrics) -> Finding | None:
    given = metrics["given"]
    n = given["changed"]["n"]
    if not n:
        return Finding("No clip came with a label.")
    changed = round(given["changed"]["value"] * n)
    expected = (
        f"{(1 - given['expected_accuracy']) * n:.0f}" if given["expected_accuracy"] is not None else "?"
    )
    look = "looks" if changed == 1 else "look"
    return Finding(
        f"Of {count(n, 'given label')} {changed} {look} wrong: the evidence favours another class. "
        f"By its own estimate about {expected} are wrong."
    )


def _split(metrics: Metrics) -> Finding | None:
    high, truth = metrics["given"]["high"], metrics["truth"]
    if not high["n"]:
        return None
    text = f"{percent(high['value'])} of the given labels are of high reliability"
    if truth is None or not (truth["accuracy_given_high"]["n"] and truth["accuracy_given_low"]["n"]):
        return Finding(f"{text}.")
    best, rest = truth["accuracy_given_high"]["value"], truth["accuracy_given_low"]["value"]
    return Finding(f"{text}; {best:.2f} of those are right, against {rest:.2f} of the others.")


def _pseudo(metrics: Metrics) -> Finding | None:
    pseudo = metrics["pseudo"]
    if not pseudo["made"]:
        return None
    return Finding(
        f"{count(pseudo['made'], 'clip')} came without a label; {pseudo['accepted']} got one that is "
        "sure enough."
    )


def _aside(metrics: Metrics) -> Finding | None:
    aside = sum(metrics["counts"]["set_aside"].values())
    return Finding(f"{count(aside, 'entry', 'entries')} set aside, with reasons below.") if aside else None
