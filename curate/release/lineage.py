"""Lineage: from a refined label back to rule, instruments, votes, answers, pictures and calls.

A release alone suffices.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from curate.errors import ReleaseError
from curate.questionnaire import UNSEEN
from curate.recipe import Labels
from curate.release import phrases
from curate.release.compare.changes import CHANGES
from curate.release.compare.edition import Edition

_DIGITS = 10
"""Of a digest, that are shown."""


def lineage(folder: Path, clip: str) -> dict[str, Any]:
    """Everything that a release knows of one clip, as plain nested values.

    Args:
        folder: A release.
        clip: Its id, the beginning of it, or its name.

    Raises:
        ReleaseError: No clip is called so, or several are.
    """
    edition = Edition(folder)
    row = _found(edition.clips(), clip, folder)
    mine = pl.col("clip_id") == row["clip_id"]
    names = edition.classes
    about = {name: edition.table(name).filter(mine).to_dicts() for name in ("evidence", "votes", "answers")}
    label = edition.table("labels").filter(mine).row(0, named=True)
    keys = {key for answer in about["answers"] for key in answer["calls"]}
    reasons = edition.table("reasons").filter(mine).to_dicts()
    context = edition.table("context").filter(mine).sort("gap").to_dicts()
    keys |= {key for one in reasons for key in one["calls"]} | {one["call"] for one in context if one["call"]}
    changes = folder / "provenance" / CHANGES
    return {
        "clip": {name: value for name, value in row.items() if not name.startswith("q_")},
        "classes": list(names),
        "label": label,
        "instruments": edition.table("instruments").to_dicts(),
        **about,
        "questions": _by_id(edition.yaml("questionnaire.yaml")),
        "frames": edition.table("frames").filter(mine).sort("t_s").to_dicts(),
        "context": context,
        "reasons": reasons,
        "calls": edition.table("calls").filter(pl.col("key").is_in(list(keys))).to_dicts(),
        "further": list(_further(folder, mine)),
        "leakage": edition.table("leakage").filter(mine | (pl.col("other") == row["clip_id"])).to_dicts(),
        "changes": pl.read_parquet(changes).filter(mine).to_dicts() if changes.is_file() else [],
        "rule": phrases.split_rule(Labels.model_validate(edition.yaml("recipe.yaml").get("labels") or {})),
        "versions": dict(edition.json("provenance/manifest.json").get("versions", {})),
    }


def _further(folder: Path, mine: pl.Expr) -> Iterator[dict[str, Any]]:
    """What other models answered of the clip, with their calls."""
    for path in sorted((folder / "provenance").glob("answers-further-*.parquet")):
        answers = pl.read_parquet(path).filter(mine).to_dicts()
        keys = [key for answer in answers for key in answer["calls"]]
        calls = pl.read_parquet(path.with_name(path.name.replace("answers", "calls", 1)))
        asked = path.with_name(path.name.replace("answers", "questionnaire", 1)).with_suffix(".yaml")
        yield {
            "model": calls["model"][0],
            "answers": answers,
            "calls": calls.filter(pl.col("key").is_in(keys)).to_dicts(),
            "questions": _by_id(yaml.safe_load(asked.read_text(encoding="utf-8"))),
        }


def lineage_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The same for a person, the label first and what it rests on below."""
    clip, label = found["clip"], found["label"]
    yield f"{clip['clip_id']} {clip['name']} ({clip['split']}, group {clip['group'] or 'none'})"
    yield from _believed(found, label)
    yield from _moved(found, label)
    yield from _said(found)
    yield from _asked(found)
    yield from _reasoned(found)
    yield from (
        f"leakage: {one['clip_id']} ({one['split']}) and {one['other']} ({one['other_split']}): {one['what']}"
        for one in found["leakage"]
    )
    yield from (
        f"changed: {one['what']} {one['before']} -> {one['after']}, because {one['because']}"
        for one in found["changes"]
    )


def _found(clips: pl.DataFrame, clip: str, folder: Path) -> dict[str, Any]:
    by_name = clips.filter(pl.col("name") == clip)
    rows = by_name if by_name.height else clips.filter(pl.col("clip_id").str.starts_with(clip))
    if rows.height == 1:
        return rows.row(0, named=True)
    if rows.height:
        raise ReleaseError(
            f"{folder}: {clip!r} means {rows.height} clips, such as {' and '.join(rows['clip_id'][:2])}"
        )
    raise ReleaseError(f"{folder}: no clip is called {clip!r}, by id or name; one is {clips['name'][0]!r}")


def _by_id(questionnaire: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(item["id"]): item for item in questionnaire.get("items", [])}


def _believed(found: Mapping[str, Any], label: Mapping[str, Any]) -> Iterator[str]:
    shares = zip(found["classes"], label["posterior"], strict=True)
    told = ", ".join(f"{name} {share:.3f}" for name, share in shares)
    if label["label_given"] is None:
        accepted = "accepted" if label["pseudo_accepted"] else "refused"
        pseudo = f"{label['pseudo_label']} ({label['pseudo_confidence']:.3f})"
        yield f"came without a label; pseudo-label {pseudo}, {accepted}"
    else:
        yield f"given {label['label_given']}, refined {label['label_refined']}"
        level = f"{label['reliability']:.3f}: {label['reliability_split']}"
        yield f"reliability {level}, where high means {found['rule']}"
    yield f"posterior: {told}"


def _moved(found: Mapping[str, Any], label: Mapping[str, Any]) -> Iterator[str]:
    against = (
        label["label_given"]
        if label["label_given"] not in (None, label["label_refined"])
        else "the runner-up"
    )
    yield f"moved by (log-odds [nat] for {label['label_refined']} against {against}):"
    worth = {one["instrument"]: one for one in found["instruments"]}
    for one in label["why"]:
        known = worth.get(one["instrument"])
        right = (
            f"right {phrases.percent(known['accuracy'])}, " if known and known["accuracy"] is not None else ""
        )
        tail = f" ({right}worth {known['worth_bits']:.2f} bit)" if known else ""
        said = f": {one['outcome']}" if one["outcome"] else ""
        yield f"  {one['log_odds']:+.2f}  {one['instrument']}{said}{tail}"


def _said(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"evidence, {len(found['evidence'])} rows:"
    for one in found["evidence"]:
        said = one["outcome"] if one["outcome"] is not None else _shares(one["probs"])
        yield f"  {one['instrument']} ({one['kind']}): {said}"
    for one in found["votes"]:
        when = f" at {one['asked_at']}" if one["asked_at"] else ""
        yield f"  vote of {one['annotator']}: {one['label']}{when}"


def _shares(probs: Sequence[float]) -> str:
    return " ".join(f"{share:.3f}" for share in probs)


def _asked(found: Mapping[str, Any]) -> Iterator[str]:
    base = _base(found["answers"])
    others = len(found["answers"]) - len(base)
    yield f"answers, {len(base)} that count and {others} other ways of asking and controls:"
    yield from _answered(base, found)
    for one in found["further"]:
        yield f"answers of {one['model']}, asked in another run:"
        yield from _answered(_base(one["answers"]), one)
    yield f"pictures, {len(found['frames'])}:"
    for frame in found["frames"]:
        box = f", cut out at {[round(edge) for edge in frame['box']]}" if frame["box"] else ""
        digest = frame["sha256"][:_DIGITS]
        yield f"  {frame['t_s']:.3f} s, frame {frame['index']}, {frame['role']}, sha256 {digest}{box}"


def _base(answers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in answers if (one["variant"], one["control"]) == ("base", "none")]


def _answered(answers: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]) -> Iterator[str]:
    """Each answer with its question, its probabilities and the calls behind it."""
    calls = {one["key"]: one for one in asked["calls"]}
    for one in answers:
        question = asked["questions"].get(one["item"], {})
        options = [*question.get("options", []), UNSEEN]
        shares = ", ".join(
            f"{name} {share:.3f}" for name, share in zip(options, one["probs"] or [], strict=False)
        )
        yield f"  {one['item']}: {question.get('ask', '')}"
        yield f"    {one['answer'] or one['outcome']} ({one['source'] or 'no probabilities'}: {shares})"
        yield from (f"    {_call(calls[key])}" for key in one["calls"] if key in calls)


def _call(call: Mapping[str, Any]) -> str:
    reply = " ".join(_text_of(call["reply"]).split())
    short = reply if len(reply) <= 80 else f"{reply[:77]}..."
    return f"call {call['key'][:_DIGITS]} to {call['model']}, prompt {call['prompt_version']}: {short!r}"


def _text_of(reply: str) -> str:
    """What the model said, out of all that is kept of a reply."""
    try:
        kept = json.loads(reply)
    except ValueError:
        return reply
    return str(kept["text"]) if isinstance(kept, dict) and "text" in kept else reply


def _reasoned(found: Mapping[str, Any]) -> Iterator[str]:
    for one in found["context"]:
        yield f"between {one['from_s']:.2f} and {one['to_s']:.2f} s: {one['sentence'] or one['outcome']}"
    for one in found["reasons"]:
        verdict = f", {one['verdict']}" if one["verdict"] else ""
        yield f"the model's own conclusion: {one['label'] or one['outcome']}{verdict}"
        if one["reasoning"]:
            yield f"  {' '.join(one['reasoning'].split())}"
