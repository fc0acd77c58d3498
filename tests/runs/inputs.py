"""The inputs of a small run: clips of one colour each, labels, a questionnaire about colours, a recipe."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

NO_CONTROLS = {"canary": 0, "no_media": 0, "shuffled": 0}
ALL_CONTROLS = {"canary": 1, "no_media": 1, "shuffled": 1}
OTHER_OPTIONS = ["hardly any", "a fair amount", "a great deal"]
RATE = 4
"""Frames a second of a video."""


@dataclass(frozen=True)
class Clip:
    """One clip and its row in the label file."""

    name: str
    colours: Sequence[Colour]
    """Of its frames; a single one is an image, none at all an empty file."""
    label: str = ""
    said: str = ""

    @property
    def is_red(self) -> bool:
        red, green, _ = np.mean(self.colours, axis=0)
        return bool(red > green)


def images(n: int, *, unlabelled: int = 0, seed: int = 0) -> list[Clip]:
    """Pictures of as many different colours; half are red, half green, the last without a label."""
    rng = np.random.default_rng(seed)
    clips = []
    for place in range(n):
        label = "" if place >= n - unlabelled else ("red", "green")[place % 2]
        clips.append(Clip(f"{place:02}.png", [colour(place, rng)], label))
    return clips


def videos(n: int, *, n_frames: int = 9, unlabelled: int = 0, seed: int = 0) -> list[Clip]:
    """The same as videos that grow brighter."""
    rng = np.random.default_rng(seed)
    clips = []
    for place in range(n):
        last = colour(place, rng)
        shades = np.linspace(0.7, 1.0, n_frames)
        label = "" if place >= n - unlabelled else ("red", "green")[place % 2]
        frames = [tuple(int(shade * level) for level in last) for shade in shades]
        clips.append(Clip(f"{place:02}.mp4", frames, label))  # type: ignore[arg-type]
    return clips


def colour(place: int, rng: np.random.Generator) -> Colour:
    """Much red and little green, or the other way round; every fourth pair has much blue."""
    much, little = int(rng.integers(170, 256)), int(rng.integers(0, 70))
    blue = int(rng.integers(190, 256) if place // 2 % 4 == 3 else rng.integers(0, 60))
    return (much, little, blue) if place % 2 == 0 else (little, much, blue)


def questionnaire(*, paraphrased: bool = False) -> dict[str, Any]:
    """How much red, and how much green."""
    items = []
    for name in ("red", "green"):
        item: dict[str, Any] = {
            "id": name,
            "ask": f"How much {name} is there?",
            "options": ["none", "some", "much"],
            "why": "It is a colour.",
        }
        if paraphrased:
            item["paraphrases"] = [
                {"ask": f"Say how much {name} you see."},
                {"ask": f"Is {name} to be seen, and how much of it?", "options": OTHER_OPTIONS},
            ]
        items.append(item)
    return {
        "name": "colours",
        "about": "Colours.",
        "preamble": "The pictures are of one clip.",
        "items": items,
    }


def write_inputs(
    folder: Path,
    url: str,
    clips: Sequence[Clip],
    *,
    answers: Mapping[str, Any] | None = None,
    vlm: Mapping[str, Any] | None = None,
    asked: Mapping[str, Any] | None = None,
    **sections: Any,
) -> Path:
    """Write everything that a run reads, and return its recipe.

    Args:
        folder: Where it all goes.
        url: Of the server.
        clips: Written and labelled.
        answers: The recipe's section; no controls if left out.
        vlm: Changes to the recipe's section.
        asked: The questionnaire.
        sections: Further sections of the recipe.
    """
    for clip in clips:
        write_clip(folder / "clips" / clip.name, clip.colours)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "label", "said"), *((c.name, c.label, c.said) for c in clips)])
    (folder / "questionnaire.yaml").write_text(json.dumps(asked or questionnaire()), encoding="utf-8")
    recipe = {
        "name": "small",
        "task": {"classes": ["red", "green"], "question": "Which colour prevails?"},
        "clips": {
            "source": "folder",
            "path": "clips",
            "labels": {"file": "labels.csv", "transcript": "said"},
        },
        "frames": {"count": 3, "between": 1, "size_px": 32},
        "vlm": {"backend": "openai", "model": "m", "base_url": url, "retries": 1, **(vlm or {})},
        "answers": answers or {"controls": NO_CONTROLS},
        **sections,
    }
    return write_recipe(folder / "recipe.yaml", recipe)


def write_recipe(path: Path, recipe: Mapping[str, Any]) -> Path:
    """JSON is YAML."""
    path.write_text(json.dumps(recipe, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def changed(recipe: Path, name: str = "changed.yaml", **sections: Mapping[str, Any]) -> Path:
    """The same recipe beside the first, with keys of its sections changed."""
    content = json.loads(recipe.read_text(encoding="utf-8"))
    merged = {key: {**content.get(key, {}), **section} for key, section in sections.items()}
    return write_recipe(recipe.with_name(name), content | merged)


def write_clip(path: Path, colours: Sequence[Colour]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not colours:
        path.touch()
        return
    if len(colours) == 1:
        Image.new("RGB", (32, 32), colours[0]).save(path)
        return
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for one in colours:
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), one, np.uint8), format="rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
