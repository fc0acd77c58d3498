"""What came of reasons and conclusions, and what the asking cost, in sentences for card and report."""

from curate.release.content import Metrics
from curate.release.phrases import count, percent

_REFERENCES = {
    "given": "the labels that came with these clips",
    "votes": "people's votes on these clips",
    "others": "the labels that came with the other clips",
    "equal": "equal shares",
}
UNUSABLE = 0.2
"""Share of questions without an answer that can be used from which to warn."""
_UNUSABLE = {"refusal": "refused", "unparsable": "unparsable", "failed": "without a reply"}


def reasoned(reasons: Metrics | None) -> list[str]:
    """What came of observing, concluding and reflecting; nothing where it was not asked for."""
    if reasons is None:
        return []
    broken = [
        f"{reasons[name]} {words}"
        for name, words in (
            ("inconsistent", "contradicted themselves"),
            ("refusal", "were refused"),
            ("unparsable", "could not be read"),
            ("failed", "had no reply"),
        )
        if reasons[name]
    ]
    cited = reasons["cited_shown"]
    lines = [
        f"Of {count(reasons['clips'], 'clip')} the model also observed, concluded a class with reasons, and "
        f"looked at its conclusion a second time: {reasons['confirmed']} were confirmed, "
        f"{reasons['revised']} revised, {reasons['abstained']} left open"
        f"{''.join(f', {one}' for one in broken)}. Only what was confirmed became evidence.",
    ]
    if cited["n"]:
        lines.append(
            f"Of {count(cited['n'], 'time')} that the reasons cite, {percent(cited['value'])} are times at "
            "which a picture was sent."
        )
    if alone := reasons["alone"]:
        lines.append(
            f"Shown nothing at all, the model gives {percent(alone['share'])} of its scores to "
            f"“{alone['class']}”; an even share would be {percent(alone['even'])}."
        )
    return lines


def collapsed(found: Metrics, what: str) -> str:
    """Whether one class swallows the others.

    Args:
        found: As from `curate.release.asking_totals.class_shares`, of conclusions or refined labels.
        what: Of which, such as "conclusions".
    """
    reference = _REFERENCES[found["reference"]]
    sinks = [one for one in found["classes"] if one["sink"]]
    if not sinks:
        return f"Of {found['n']:,} {what}, no class takes more than {reference} and chance allow."
    sink = sinks[0]
    return (
        f"Of {found['n']:,} {what}, {percent(sink['share'])} are “{sink['label']}”, where {reference} would "
        f"have {percent(sink['expected'])}: more than chance allows, a sink."
    )


def unusable(answers: Metrics) -> str | None:
    """That many questions have no answer that can be used; None where they are few.

    Args:
        answers: Counts by outcome, as `curate.release.metrics.measure` gives them.
            "Cannot be seen" is an answer.
    """
    lost = sum(answers[name] for name in _UNUSABLE)
    if not lost or lost < UNUSABLE * answers["asked"]:
        return None
    parts = ", ".join(f"{answers[name]:,} {words}" for name, words in _UNUSABLE.items() if answers[name])
    return f"{lost:,} of {count(answers['asked'], 'question')} have no answer that can be used ({parts})"


def cost_lines(cost: Metrics, n_clips: int) -> list[str]:
    """What the calls took, and how much of it a cache saved."""
    lines = [
        f"{count(cost['calls'], 'call')}: {count(cost['tokens_in'], 'prompt token')}, pictures included, and "
        f"{count(cost['tokens_out'], 'reply token')}."
    ]
    if cost["cached"]["n"]:
        lines.append(f"{percent(cost['cached']['value'])} of the prompt tokens were in the prefix cache.")
    if cost["prefix"] and cost["prefix"]["n"] and cost["prefix"] != cost["cached"]:
        lines.append(
            f"By its own count the server found {percent(cost['prefix']['value'])} of "
            f"{count(cost['prefix']['n'], 'token')} in its prefix cache when it was last asked."
        )
    if cost["usd"] is not None:
        each = cost["usd"] / n_clips if n_clips else 0.0
        lines.append(
            f"At the recipe's price this is {_dollars(cost['usd'])}, {_dollars(each)} a clip"
            + ("." if cost["usd_calls"] == cost["calls"] else f", for {count(cost['usd_calls'], 'call')}.")
        )
    return lines


def cost_in_short(cost: Metrics) -> str:
    """The same on one line: "2,088 calls, 266,166 prompt tokens (61 % cached), 2,088 reply tokens"."""
    cached = f" ({percent(cost['cached']['value'])} cached)" if cost["cached"]["n"] else ""
    paid = [] if cost["usd"] is None else [_dollars(cost["usd"])]
    prompts, replies = count(cost["tokens_in"], "prompt token"), count(cost["tokens_out"], "reply token")
    return ", ".join([count(cost["calls"], "call"), f"{prompts}{cached}", replies, *paid])


def _dollars(value: float) -> str:
    return f"US$ {value:,.2f}" if value >= 1 else f"US$ {value:.2g}"
