"""Caution: warnings that labels may be wrong, told without any known truth, and how far to believe them."""

from dataclasses import dataclass
from typing import Literal

from curate.labels.evidence import Evidence, Floats
from curate.labels.symptoms import Symptoms, symptoms

Severity = Literal["serious", "note"]

Outcome = Literal["worse than the majority", "worse than one instrument", "not as sure as right"]
"""What a caution warns of. Worse than the majority: accuracy of the labels below
that of the majority of votes by more than .02. Worse than one instrument: below
that of an instrument that spoke about half of the clips or more, by more than
.05. Not as sure as right: mean confidence more than .10 below accuracy."""


@dataclass(frozen=True, slots=True)
class Caution:
    """One reason not to trust labels as they are."""

    code: str
    """A name that does not change between versions."""
    severity: Severity
    """serious: get some truth before using the labels. note: worth a look."""
    text: str
    """What was seen, what it may mean and what to do about it."""
    value: float
    """What was measured."""
    threshold: float
    """What it was measured against: the caution is given from here on."""


@dataclass(frozen=True, slots=True)
class Rule:
    """From which value on a symptom is a warning, and of what."""

    code: str
    symptom: str
    """A field of `Symptoms`."""
    threshold: float
    """Where hit rate less false-alarm rate was largest over all cases of `benchmarks/cautions.py`."""
    warns_of: Outcome
    severity: Severity
    text: str


RULES = (
    Rule(
        "off_majority",
        "off_majority",
        0.04,
        "worse than one instrument",
        "note",
        "{value:.0%} of the labels are not what most votes say. Look at some of these clips before use",
    ),
    Rule(
        "single_votes",
        "single_votes",
        0.2,
        "worse than the majority",
        "note",
        "{value:.0%} of the clips have only one vote, which leaves nothing to tell good voters from bad. "
        "Ask for a second vote on some clips",
    ),
    Rule(
        "too_modest",
        "correlation",
        0.16,
        "not as sure as right",
        "note",
        "votes on one clip agree more than the labels' confidence allows for (correlation {value:.2f}). "
        "The labels may be right more often than they say",
    ),
)


def cautions(evidence: Evidence, probabilities: Floats, n_gold: int = 0) -> tuple[Caution, ...]:
    """Every reason not to trust labels as they are, serious ones first.

    They are warning lights and no certificate: `benchmarks/cautions.py` measures
    how often each is right, and docs/statistics.md has the table. No caution does
    not mean that the labels are right.

    Args:
        evidence: What the instruments said.
        probabilities: What was made of it, (n_items, n_classes).
        n_gold: Clips whose truth is known. Evidence of machines alone is
            "uncertified" without any, whatever its symptoms.

    Returns:
        The cautions; without clips none.
    """
    if not evidence.n_items:
        return ()
    found = symptoms(evidence, probabilities)
    given = [_caution(rule, found) for rule in RULES if fires(rule, found)]
    if n_gold == 0 and len(evidence.instruments) and evidence.is_machine.all():
        given.append(_uncertified(len(evidence.instruments)))
    return tuple(sorted(given, key=lambda caution: (caution.severity == "note", caution.code)))


def fires(rule: Rule, found: Symptoms) -> bool:
    """Whether the symptom reaches the rule's threshold; never where it could not be measured (nan)."""
    return bool(getattr(found, rule.symptom) >= rule.threshold)


def _caution(rule: Rule, found: Symptoms) -> Caution:
    value = float(getattr(found, rule.symptom))
    text = rule.text.format(value=value)
    return Caution(rule.code, rule.severity, text, value, rule.threshold)


def _uncertified(n_instruments: int) -> Caution:
    text = (
        "every answer comes from a machine and no truth is known. Machines share errors that nothing in "
        "their answers shows: these labels are uncertified. Let people label some clips drawn at random"
    )
    return Caution("uncertified", "serious", text, float(n_instruments), 0.0)
