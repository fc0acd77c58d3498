"""Settings: what is asked of the labels."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from curate.errors import InputError, Problem
from curate.labels.trust import FitSettings

Drawn = Literal["unknown", "at random", "by group"]
"""How clips came to have gold. at random: each clip had the same chance. by
group: each subject or source had, and all its clips were checked. unknown: a
certificate holds only if it was at random, and says so."""


Rule = Literal["threshold", "quota", "certificate", "agreement"]
PseudoRule = Literal["threshold", "adaptive", "certificate"]
Soft = Literal["posterior", "votes"]

_CHOICES = {
    "rule": get_args(Rule),
    "pseudo_rule": get_args(PseudoRule),
    "drawn": get_args(Drawn),
    "soft": get_args(Soft),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked of the labels."""

    rule: Rule = "threshold"
    """threshold: reliability decides alone. quota: the best share of every given
    class. certificate: as many as gold proves to be right, within `error`.
    agreement: the share of answers that support the given label."""
    threshold: float = 0.8
    """Reliability from which on a given label is high, if `rule` is threshold."""
    quota: float = 0.5
    """Share of each given class that is high, if `rule` is quota."""
    agreement: float = 0.6
    """Share of supporting answers from which on it is high, if `rule` is agreement."""
    pseudo_rule: PseudoRule = "threshold"
    """threshold: confidence decides alone. adaptive: a lower one for classes that
    are hard to be sure of. certificate: as for `rule`."""
    pseudo_threshold: float = 0.9
    """Confidence from which on a pseudo-label is accepted; if `pseudo_rule` is
    adaptive, of the commonest class."""
    error: float = 0.10
    """Share of wrong given labels that a certificate allows."""
    risk: float = 0.05
    """Probability, over the draw of gold, with which it may be wrong."""
    pseudo_error: float = 0.10
    """The same two for pseudo-labels."""
    pseudo_risk: float = 0.05
    per_class: bool = False
    """Whether certificates are sought for each class as well."""
    drawn: Drawn = "unknown"
    """How clips came to have gold."""
    soft: Soft = "posterior"
    """What soft labels are: the posterior, or, where many people voted, their shares."""
    soft_votes: int = 8
    """People's votes on a clip from which on their shares are its soft label, if `soft` is votes."""
    seed: int = 0
    """Divides gold into what chooses the sets that a certificate tests, and what proves."""
    fit: FitSettings = field(default_factory=FitSettings)
    """The model's own settings."""

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            InputError: With all that are out of range.
        """
        problems = [*self._unknown(), *self._out_of_range()]
        if problems:
            raise InputError("settings", problems)

    def _unknown(self) -> Iterator[Problem]:
        for name, allowed in _CHOICES.items():
            if (value := getattr(self, name)) not in allowed:
                yield Problem(name, f"got {value!r}, expected one of {', '.join(allowed)}")

    def _out_of_range(self) -> Iterator[Problem]:
        for name in ("threshold", "quota", "agreement", "pseudo_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                yield Problem(name, f"got {getattr(self, name):g}, expected a number from 0 to 1")
        for name in ("error", "risk", "pseudo_error", "pseudo_risk"):
            if not 0 < getattr(self, name) < 1:
                yield Problem(name, f"got {getattr(self, name):g}, expected a number between 0 and 1")
        if self.soft_votes < 1:
            yield Problem("soft_votes", f"got {self.soft_votes}, expected at least 1")
