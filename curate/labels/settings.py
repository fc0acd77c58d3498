"""Settings: what is asked of the labels."""

from dataclasses import dataclass, field
from typing import Literal

from curate.labels.trust import FitSettings

Drawn = Literal["unknown", "at random", "by group"]
"""How clips came to have gold. at random: each clip had the same chance. by
group: each subject or source had, and all its clips were checked. unknown: a
certificate holds only if it was at random, and says so."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is asked of the labels."""

    rule: Literal["threshold", "quota", "certificate", "agreement"] = "threshold"
    """threshold: reliability decides alone. quota: the best share of every given
    class. certificate: as many as gold proves to be right, within `error`.
    agreement: the share of answers that support the given label."""
    threshold: float = 0.8
    """Reliability from which on a given label is high, if `rule` is threshold."""
    quota: float = 0.5
    """Share of each given class that is high, if `rule` is quota."""
    agreement: float = 0.6
    """Share of supporting answers from which on it is high, if `rule` is agreement."""
    pseudo_rule: Literal["threshold", "adaptive", "certificate"] = "threshold"
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
    soft: Literal["posterior", "votes"] = "posterior"
    """What soft labels are: the posterior, or, where many people voted, their shares."""
    soft_votes: int = 8
    """People's votes on a clip from which on their shares are its soft label, if `soft` is votes."""
    seed: int = 0
    """Divides gold into what chooses the sets that a certificate tests, and what proves."""
    fit: FitSettings = field(default_factory=FitSettings)
    """The model's own settings."""
