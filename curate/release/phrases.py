"""Measured numbers in words, the same in card and report."""

import re

from curate.recipe import AgreementSplit, CertificateSplit, Citation, Labels, QuotaSplit, ThresholdSplit
from curate.release.content import Metrics

DASH = "—"
"""Stands where there is no number."""

UNKNOWN = "unknown: no gold labels"
OBSERVERS = (
    "Labels of how people feel or attend are judgements of observers, not facts about the people shown."
)
NO_PERSONAL_DATA = (
    "Nothing was stated about the people shown. Find out whether they consented before you use or pass on "
    "these data."
)


def share(found: Metrics | None) -> str:
    """A share with its interval and n: "0.89 (95 % interval 0.84 to 0.93, n = 204)"."""
    if found is None or found["value"] is None:
        return UNKNOWN if found is None else "unknown: no such clips with a known label"
    return f"{found['value']:.2f} (95 % interval {found['low']:.2f} to {found['high']:.2f}, n = {found['n']})"


def number(value: float | None, digits: int = 2) -> str:
    """A plain number, or a dash where there is none."""
    return DASH if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share as a whole percentage, never rounded to none or all; a dash where there is none."""
    if value is None:
        return DASH
    if 0 < value < 0.01:
        return "< 1 %"
    return "> 99 %" if 0.99 < value < 1 else f"{100 * value:.0f} %"


def count(n: int | None, one: str, many: str = "") -> str:
    """A number with its noun: "1 clip", "1,204 clips"."""
    if n is None:
        return f"an unknown number of {many or one + 's'}"
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def split_rule(labels: Labels) -> str:
    """What high reliability means by the recipe's rule."""
    match labels.split:
        case ThresholdSplit(threshold=threshold):
            return f"a reliability of at least {threshold:g}"
        case QuotaSplit(quota=quota):
            return f"the most reliable {percent(quota)} of each given class"
        case AgreementSplit(share=share_of):
            return f"a given label that at least {percent(share_of)} of the answers support"
        case CertificateSplit(error=error, risk=risk):
            return f"the most reliable clips, as many as gold proves wrong for at most {_odds(error, risk)}"


def pseudo_rule(labels: Labels) -> str:
    """What makes a pseudo-label accepted by the recipe's rule."""
    pseudo = labels.pseudo
    if pseudo.rule == "threshold":
        return f"a confidence of at least {pseudo.threshold:g}"
    if pseudo.rule == "adaptive":
        return f"a confidence of at least {pseudo.threshold:g}, less for classes that are hard to be sure of"
    return f"the most confident, as many as gold proves wrong for at most {_odds(pseudo.error, pseudo.risk)}"


def _odds(error: float, risk: float) -> str:
    return f"{error:g}, with probability {1 - risk:g}"


def bibtex(cited: Citation) -> str:
    """An entry of BibTeX: @misc{lovelace1843sketch, …}."""
    words = re.findall(r"\w+", cited.title.lower())
    first = re.findall(r"\w+", cited.authors.partition(" and ")[0].lower())
    family = first[0] if "," in cited.authors.partition(" and ")[0] else first[-1]
    lines = [
        f"  title = {{{_plain(cited.title)}}}",
        f"  author = {{{_plain(cited.authors)}}}",
        f"  year = {{{cited.year}}}",
    ]
    lines += [f"  url = {{{_plain(cited.url)}}}"] if cited.url else []
    return f"@misc{{{family}{cited.year}{words[0]},\n" + ",\n".join(lines) + "\n}"


def _plain(text: str) -> str:
    """Without what would end the field, or the code block of a card that the entry stands in."""
    return " ".join(re.sub(r"[{}`]", "", text).split())
