"""A run that never happened: drawn media, given labels of which some are wrong, answers that know better."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import synthetic_asking as asking
import synthetic_tables as fixed
import yaml
from synthetic_asking import ITEMS, MODEL
from synthetic_media import picture, video
from synthetic_tables import CLASSES, OPTIONS

from curate import tables
from curate.questionnaire import Item, Questionnaire
from curate.recipe import Price, Recipe
from curate.release.content import HowAsked, ReleaseContent, Tables
from curate.release.metrics import measure


@dataclass(frozen=True)
class Synthetic:
    content: ReleaseContent
    truth: pl.DataFrame
    pictures: dict[str, bytes]


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "name": "drawn-faces",
        "task": {"classes": CLASSES, "ordinal": True, "question": "How engaged is the person?"},
        "clips": {"source": "folder", "path": "clips"},
        "vlm": {"backend": "openai", "model": "tiny-vlm"},
        "answers": {"context": "between", "reasons": "unlabelled"},
        "release": {"licence": "cc-by-4.0", "title": "Drawn faces"},
        "report": {
            "notice": "The model was trained on drawings; its answers about photographs mean nothing."
        },
    }
    return Recipe.model_validate(values | changes)


def questionnaire() -> Questionnaire:
    asks = ("Does the person look at the screen?", "Does the person lean forward?", "Does the person smile?")
    items = [
        Item(id=name, ask=ask, options=OPTIONS, why=f"{name} goes with it.")
        for name, ask in zip(ITEMS, asks, strict=True)
    ]
    return Questionnaire(
        name="faces", about="Cues of engagement.", preamble="One clip, in order.", items=tuple(items)
    )


def how(settings: Recipe) -> HowAsked:
    """Every call has 100 prompt tokens, 60 of them cached, and 2 of the reply."""
    price = Price(input=1.0, output=2.0, cached=0.5)
    return HowAsked(questionnaire(), settings.answers, price, prefix_queries=1000, prefix_hits=700)


def make(
    n: int = 24,
    *,
    seed: int = 0,
    with_truth: bool = True,
    certified: bool = False,
    name: str = "clip {i:03d}.{ext}",
    unseen: float = 0.1,
    server: Literal["sound", "blind"] = "sound",
    **changes: Any,
) -> Synthetic:
    """`n` clips, every fourth an image, every sixth without a label, every third given label wrong."""
    rng = np.random.default_rng(seed)
    media: dict[str, bytes] = {}
    pictures: dict[str, bytes] = {}
    rows: dict[str, list[dict[str, object]]] = {
        key: [] for key in ("clips", "votes", "frames", "answers", "labels", "evidence", "truth", "splits")
    }
    for i in range(n):
        _one_clip(i, rng, rows, media, pictures, name, unseen)
    rows["answers"] += asking.controls(rows["answers"], server)
    rows["answers"] += asking.variants(rows["answers"])
    rows["reasons"] = asking.reasons(rows["labels"])
    rows["context"] = asking.context(rows["clips"])
    rows["calls"] = asking.calls(rows)
    truth = pl.DataFrame(rows.pop("truth"))
    splits = tables.table("splits", rows.pop("splits"))
    made = Tables(
        **{key: tables.table(key, found) for key, found in rows.items()},  # type: ignore[arg-type]
        gold=tables.empty("gold"),
        problems=fixed.problems(),
        instruments=fixed.instruments(n),
        confusions=fixed.confusions(),
        cautions=fixed.cautions(),
        certificates=fixed.certificates() if certified else tables.empty("certificates"),
        quality=fixed.quality() if certified else tables.empty("quality"),
        cross_check=fixed.cross_check(),
        splits=splits,
        ties=tables.empty("ties"),
        leakage=tables.empty("leakage"),
    )
    settings = recipe(**changes)
    metrics = measure(
        made, settings.task.classes, how(settings), ordinal=True, truth=truth if with_truth else None
    )
    content = ReleaseContent(
        recipe=settings,
        questionnaire=questionnaire(),
        tables=made,
        metrics=metrics,
        media=media.__getitem__,
        models=(MODEL,),
        recipe_text="name: drawn-faces\n",
        questionnaire_text=yaml.safe_dump(questionnaire().model_dump(mode="json"), sort_keys=False),
        manifest={"seed": seed, "versions": {"curate": "0.1.0"}},
    )
    return Synthetic(content, truth, pictures)


def _one_clip(
    i: int,
    rng: np.random.Generator,
    rows: dict[str, list[dict[str, object]]],
    media: dict[str, bytes],
    pictures: dict[str, bytes],
    name: str,
    unseen: float,
) -> None:
    still = i % 4 == 3
    data = picture(i, i % 3, 32) if still else video(i)
    sha = hashlib.sha256(data).hexdigest()
    clip_id, uri = sha[:16], f"clips/{i}"
    media[uri] = data
    truth = int(rng.integers(3))
    given = None if i % 6 == 5 else CLASSES[truth if i % 3 else (truth + 1) % 3]
    believed = truth if rng.random() < 0.9 else int(rng.integers(3))
    posterior = rng.dirichlet(np.where(np.arange(3) == believed, 8.0, 0.6))
    refined = CLASSES[int(posterior.argmax())]
    reliability = None if given is None else float(posterior[CLASSES.index(given)])
    confidence = float(posterior.max())
    split = "test" if i % 5 == 4 else "validation" if i % 5 == 3 else "train"
    rows["truth"].append({"clip_id": clip_id, "label": CLASSES[truth]})
    rows["clips"].append(
        {
            "clip_id": clip_id,
            "name": name.format(i=i, ext="jpg" if still else "mp4"),
            "uri": uri,
            "sha256": sha,
            "media": "image" if still else "video",
            "label_given": given,
            "split": split,
            "group": f"person {i % 7}",
            "duration_s": None if still else 0.3,
            "fps": None if still else 10.0,
            "n_frames": 1 if still else 3,
            "width": 32,
            "height": 24 if still else 32,
            "transcript": "well, then" if i % 2 else None,
        }
    )
    rows["splits"].append({"clip_id": clip_id, "split": split, "unit": clip_id})
    for who in ("ada", "ben"):
        rows["votes"].append(
            {
                "clip_id": clip_id,
                "annotator": who,
                "label": CLASSES[truth if rng.random() < 0.75 else int(rng.integers(3))],
            }
        )
        said = {"instrument": f"vote:{who}", "kind": "human", "outcome": rows["votes"][-1]["label"]}
        rows["evidence"].append({"clip_id": clip_id, **said})
    for index in range(1 if still else 4):
        drawn = picture(10 * i + index, truth)
        digest = hashlib.sha256(drawn).hexdigest()
        pictures[digest] = drawn
        rows["frames"].append(
            {
                "clip_id": clip_id,
                "role": "key",
                "index": index,
                "t_s": 0.07 * index,
                "width": 96,
                "height": 72,
                "sha256": digest,
            }
        )
    for item in ITEMS:
        rows["answers"].append(asking.answer(clip_id, item, truth, rng, unseen))
    rows["evidence"].append(
        {"clip_id": clip_id, "instrument": "item:gaze", "kind": "vlm", "outcome": "always"}
    )
    pseudo = given is None
    rows["labels"].append(
        {
            "clip_id": clip_id,
            "label_given": given,
            "posterior": posterior.tolist(),
            "soft_label": posterior.tolist(),
            "label_refined": refined,
            "confidence": confidence,
            "expected_value": float(posterior @ np.arange(len(CLASSES))),
            "spread": 0.5,
            "reliability": reliability,
            "reliability_split": None if given is None else "high" if reliability >= 0.8 else "low",
            "pseudo_label": refined if pseudo else None,
            "pseudo_confidence": confidence if pseudo else None,
            "pseudo_accepted": confidence >= 0.9 if pseudo else None,
            "why": [
                {"instrument": "item:gaze", "outcome": "always", "log_odds": 1.25},
                {"instrument": "vote:ada", "outcome": refined, "log_odds": 0.61},
                {"instrument": "given", "outcome": given or refined, "log_odds": -0.4},
            ],
        }
    )


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
