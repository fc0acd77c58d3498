"""What a model that never was answered: the questionnaire, variants, controls, context, reasons."""

import hashlib
from itertools import cycle
from typing import Literal

import numpy as np
from synthetic_tables import CLASSES, OPTIONS

from curate.questionnaire import UNSEEN

ITEMS = ("gaze", "posture", "smile")
MODEL = "example/tiny-vlm@0123abc"
N_CONTROLS = 10
"""Clips of each control."""
N_VARIED = 5
"""Clips that are also asked in another wording and again."""
WITHOUT = {"gaze": [0.1, 0.2, 0.1, 0.6], "posture": [0.7, 0.1, 0.1, 0.1], "smile": [0.2, 0.1, 0.1, 0.6]}
"""What is answered without a picture: a guess of the posture, else that it cannot be seen."""

Row = dict[str, object]


def answer(clip_id: str, item: str, truth: int, rng: np.random.Generator, unseen: float) -> Row:
    """What is answered of a clip's own pictures."""
    probs = rng.dirichlet([*(6.0 if k == truth else 0.7 for k in range(3)), 0.4])
    if rng.random() < unseen:
        probs = np.array([0.05, 0.05, 0.05, 0.85])
    return told(clip_id, item, probs.tolist())


def told(clip_id: str, item: str, probs: list[float], **changes: object) -> Row:
    """A row of table `answers`."""
    top = (*OPTIONS, UNSEEN)[int(np.argmax(probs))]
    seen = np.array(probs[:-1]) / sum(probs[:-1])
    mean = float(seen @ np.arange(3))
    row: Row = {
        "clip_id": clip_id,
        "item": item,
        "variant": "base",
        "control": "none",
        "media_clip_id": clip_id,
        "outcome": "unseen" if top == UNSEEN else "answered",
        "answer": top,
        "told": probs,
        "probs": probs,
        "expected": mean,
        "spread": float(np.sqrt(seen @ (np.arange(3) - mean) ** 2)),
        "source": "logprobs",
        "mask": "after_mask",
        "receipt": "0" * 64,
    }
    row |= changes
    return row | {"calls": [key(clip_id, item, row["variant"], row["control"])]}


def key(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def controls(answers: list[Row], server: Literal["sound", "blind"]) -> list[Row]:
    """Controls of the first clips; a blind server answers each clip's words alike whatever is shown."""
    ids = list(dict.fromkeys(str(row["clip_id"]) for row in answers))
    own = {(row["clip_id"], row["item"]): row["told"] for row in answers}
    rows: list[Row] = []
    for place, clip_id in enumerate(ids[:N_CONTROLS]):
        other = ids[place - 1 if place else 1]
        for item in ITEMS:
            mine, its = own[clip_id, item], own[other, item]
            is_blind = server == "blind"
            rows += [
                told(clip_id, item, mine if is_blind else its, control="canary", media_clip_id=other),
                told(
                    clip_id, item, mine if is_blind else WITHOUT[item], control="no_media", media_clip_id=None
                ),
                told(clip_id, item, mine, control="shuffled"),
            ]
    return rows


def variants(answers: list[Row]) -> list[Row]:
    """The first clips in another wording, which turns the posture round, and again."""
    base = [row for row in answers if row["control"] == "none"][: N_VARIED * len(ITEMS)]
    rows: list[Row] = []
    for row in base:
        clip_id, item, probs = str(row["clip_id"]), str(row["item"]), list(row["told"])  # type: ignore[call-overload]
        turned = probs[::-1] if item == "posture" else probs
        rows += [
            told(clip_id, item, turned, variant="wording 1"),
            told(clip_id, item, probs, variant="repeat 1"),
        ]
    return rows


def reasons(labels: list[Row]) -> list[Row]:
    """Conclusions about the clips without a given label, with every verdict in turn."""
    bare = [row for row in labels if row["label_given"] is None]
    verdicts = cycle(["confirm", "revise", "abstain", "inconsistent"])
    return [_reasons(row, verdict) for row, verdict in zip(bare, verdicts, strict=False)]


def _reasons(row: Row, verdict: str) -> Row:
    clip_id, label = str(row["clip_id"]), str(row["label_refined"])
    agrees = verdict != "inconsistent"
    return {
        "clip_id": clip_id,
        "observations": "0.00 s: the mouth is bent",
        "scores": [80.0 if name == label else 10.0 for name in CLASSES],
        "scores_alone": [20.0, 60.0, 20.0],
        "probs": [0.8 if name == label else 0.1 for name in CLASSES],
        "label": label,
        "reasoning": f"The mouth at 0.07 s speaks for {label}.",
        "n_cited": 2,
        "n_cited_shown": 1,
        "verdict": verdict if agrees else None,
        "outcome": "concluded" if agrees else "inconsistent",
        "receipt": "0" * 64,
        "calls": [key(clip_id, step) for step in ("observe", "conclude", "reflect")[: 3 if agrees else 2]],
    }


def context(clips: list[Row]) -> list[Row]:
    """One gap of every video; of every fourth clip nothing was said."""
    return [
        {
            "clip_id": row["clip_id"],
            "gap": 0,
            "from_s": 0.0,
            "to_s": 0.07,
            "sentence": None if place % 4 == 0 else "The mouth bends.",
            "outcome": "refusal" if place % 4 == 0 else "said",
            "receipt": "0" * 64,
            "call": key(row["clip_id"], "context"),
        }
        for place, row in enumerate(clips)
        if row["media"] == "video"
    ]


def calls(rows: dict[str, list[Row]]) -> list[Row]:
    """A call for every key that the other tables name."""
    lists = [row["calls"] for table in ("answers", "reasons") for row in rows[table]]
    keys = {one for keys in lists for one in keys}  # type: ignore[attr-defined]
    keys |= {row["call"] for row in rows["context"]}
    return [
        {
            "key": one,
            "model": MODEL,
            "prompt_version": "questionnaire-1",
            "parameters": "{}",
            "reply": '{"text": "A"}',
            "tokens_in": 100,
            "tokens_out": 2,
            "tokens_cached": 60,
        }
        for one in sorted(keys)
    ]
