"""A run that never happened: drawn media, given labels of which some are wrong, answers that know better."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import polars as pl
from PIL import Image, ImageDraw

from curate import tables
from curate.questionnaire import UNSEEN, Item, Questionnaire
from curate.recipe import Recipe
from curate.release.content import CallTotals, ReleaseContent, Tables
from curate.release.metrics import measure

CLASSES = ("bored", "neutral", "engaged")
ITEMS = ("gaze", "posture", "smile")
OPTIONS = ("never", "sometimes", "always")
MODEL = "example/tiny-vlm@0123abc"


@dataclass(frozen=True)
class Synthetic:
    content: ReleaseContent
    truth: pl.DataFrame
    pictures: dict[str, bytes]


def video(shade: int) -> bytes:
    """Three frames of 32 x 32 pixels; another shade, another file."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for step in range(3):
            pixels = np.full((32, 32, 3), (shade + 20 * step) % 256, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return out.getvalue()


def picture(seed: int, mood: int, size: int = 96) -> bytes:
    """A drawn face as JPEG: the mouth goes with the mood."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (size, size * 3 // 4), tuple(int(v) for v in rng.integers(90, 200, 3)))
    draw, w, h = ImageDraw.Draw(image), size, size * 3 // 4
    x, y = w / 2 + rng.uniform(-w / 10, w / 10), h / 2
    r = h * 0.36
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(236, 200, 170))
    for side in (-1, 1):
        draw.ellipse(
            (x + side * r / 2.5 - 2, y - r / 3 - 2, x + side * r / 2.5 + 2, y - r / 3 + 2), fill=(30, 30, 30)
        )
    bend = (mood - 1) * r / 4
    points = [(x + t * r / 2, y + r / 2 - bend * (t * t - 0.5)) for t in np.linspace(-1, 1, 9)]
    draw.line(points, fill=(150, 30, 30), width=max(2, size // 40))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "name": "drawn-faces",
        "task": {"classes": CLASSES, "ordinal": True, "question": "How engaged is the person?"},
        "clips": {"source": "folder", "path": "clips"},
        "vlm": {"backend": "openai", "model": "tiny-vlm"},
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


def make(
    n: int = 24,
    *,
    seed: int = 0,
    with_truth: bool = True,
    certified: bool = False,
    name: str = "clip {i:03d}.{ext}",
    unseen: float = 0.1,
    **changes: Any,
) -> Synthetic:
    """`n` clips, every fourth an image, every sixth without a label, every third given label wrong."""
    rng = np.random.default_rng(seed)
    media: dict[str, bytes] = {}
    pictures: dict[str, bytes] = {}
    rows: dict[str, list[dict[str, object]]] = {
        key: [] for key in ("clips", "votes", "frames", "answers", "labels", "evidence", "truth")
    }
    for i in range(n):
        _one_clip(i, rng, rows, media, pictures, name, unseen)
    truth = pl.DataFrame(rows.pop("truth"))
    made = Tables(
        **{key: tables.table(key, found) for key, found in rows.items()},  # type: ignore[arg-type]
        gold=tables.empty("gold"),
        problems=_problems(),
        instruments=_instruments(n),
        confusions=_confusions(),
        cautions=_cautions(),
        certificates=_certificates() if certified else tables.empty("certificates"),
        quality=_quality() if certified else tables.empty("quality"),
        cross_check=_cross_check(),
    )
    settings = recipe(**changes)
    metrics = measure(
        made,
        settings.task.classes,
        ITEMS,
        ordinal=True,
        truth=truth if with_truth else None,
        calls=CallTotals(calls=3 * n, tokens_in=900 * n, tokens_out=3 * n),
    )
    content = ReleaseContent(
        recipe=settings,
        questionnaire=questionnaire(),
        tables=made,
        metrics=metrics,
        media=media.__getitem__,
        models=(MODEL,),
        recipe_text="name: drawn-faces\n",
        questionnaire_text="name: faces\n",
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
    for who in ("ada", "ben"):
        rows["votes"].append(
            {
                "clip_id": clip_id,
                "annotator": who,
                "label": CLASSES[truth if rng.random() < 0.75 else int(rng.integers(3))],
            }
        )
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
        rows["answers"].append(_answer(clip_id, item, truth, rng, unseen))
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


def _answer(
    clip_id: str, item: str, truth: int, rng: np.random.Generator, unseen: float
) -> dict[str, object]:
    probs = rng.dirichlet([*(6.0 if k == truth else 0.7 for k in range(3)), 0.4])
    if rng.random() < unseen:
        probs = np.array([0.05, 0.05, 0.05, 0.85])
    top = (*OPTIONS, UNSEEN)[int(probs.argmax())]
    return {
        "clip_id": clip_id,
        "item": item,
        "variant": "base",
        "control": "none",
        "outcome": "unseen" if top == UNSEEN else "answered",
        "answer": top,
        "probs": probs.tolist(),
        "source": "logprobs",
        "receipt": "0" * 64,
        "call": hashlib.sha256(f"{clip_id}{item}".encode()).hexdigest(),
    }


def _problems() -> pl.DataFrame:
    return tables.table(
        "problems",
        [
            {
                "where": "clips/cut.mp4",
                "clip": "cut.mp4",
                "kind": "media",
                "what": "the file ends early, expected a whole mp4",
                "action": "set_aside",
            },
            {
                "where": "labels.csv:9",
                "clip": "gone.mp4",
                "kind": "label",
                "what": "no such clip",
                "action": "set_aside",
            },
        ],
    )


def _instruments(n: int) -> pl.DataFrame:
    return pl.DataFrame(
        [
            ("given", "given", n * 5 // 6, 0.83, 0.7, 0.5, 0.4),
            ("item:gaze", "vlm", n, 0.9, None, 0.61, 0.5),
            ("item:posture", "vlm", n, 0.9, None, 0.33, 0.2),
            ("item:smile", "vlm", n, 0.9, None, 0.04, 0.01),
            ("vote:ada", "human", n, 1.0, 0.83, 0.8, 0.3),
            ("vote:ben", "human", n, 1.0, 0.79, 0.7, 0.2),
        ],
        schema=tables.dtypes("instruments"),
        orient="row",
    )


def _confusions() -> pl.DataFrame:
    rows = [("item:gaze", name, option, 0.25) for name in CLASSES for option in (*OPTIONS, UNSEEN)]
    return pl.DataFrame(rows, schema=tables.dtypes("confusions"), orient="row")


def _cautions() -> pl.DataFrame:
    text = "30% of the clips have only one vote. Ask for a second vote on some clips"
    rows = [("single_votes", "note", text, 0.3, 0.2)]
    return pl.DataFrame(rows, schema=tables.dtypes("cautions"), orient="row")


def _certificates() -> pl.DataFrame:
    statement = "Cannot certify: 40 more gold labels, drawn at random among the 20 surest clips, would"
    row = ("given", None, False, 0.1, 0.05, None, 0, 12, 1, 40, statement)
    return pl.DataFrame([row], schema=tables.dtypes("certificates"), orient="row")


def _quality() -> pl.DataFrame:
    rows = [
        ("given", None, 0.7, 0.6, 0.8, 12, 20, "exact"),
        ("refined", None, 0.9, 0.8, 0.95, 12, 24, "exact"),
        ("high", None, 0.95, 0.85, 1.0, 9, 14, "exact"),
        *(("class", name, 0.3, 0.2, 0.5, 12, 24, "exact") for name in CLASSES),
    ]
    return pl.DataFrame(rows, schema=tables.dtypes("quality"), orient="row")


def _cross_check() -> pl.DataFrame:
    rows = [
        ("0" * 16, True, True, 0.1, None, None, None, None),
        ("1" * 16, True, False, 0.6, None, None, None, None),
        ("2" * 16, False, False, 0.9, None, None, None, None),
    ]
    return pl.DataFrame(rows, schema=tables.dtypes("cross_check"), orient="row")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
