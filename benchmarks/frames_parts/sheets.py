"""Contact sheets: the moments that each strategy chooses, to be looked at."""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from frames_parts.drawn import encoded, script
from PIL import Image, ImageDraw

from curate.errors import CurateError
from curate.frames.decode import video_pictures
from curate.frames.people.crop import open_crops
from curate.recipe import Frames

COUNT, CELL_PX, TEXT_PX = 8, 160, 14
WAYS: tuple[tuple[str, dict[str, object]], ...] = (
    ("uniform", {"strategy": "uniform"}),
    ("fps", {"strategy": "fps", "fps": 1}),
    ("events", {"strategy": "events"}),
    ("events, face", {"strategy": "events", "crop": "face"}),
)


def draw(folder: Path) -> None:
    """Write sheet-NAME.png for a drawn clip, and for real ones where the test data folder is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, place in _clips():
        path = folder / f"sheet-{name}.png"
        _sheet(place).save(path)
        print(f"wrote {path}")


def _clips() -> Iterator[tuple[str, Path | bytes]]:
    rng = np.random.default_rng(7)
    told = script(rng, 3)
    yield "drawn", encoded(told, "noise", rng)
    root = Path(os.environ.get("CURATE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "clips"
    for path in sorted(root.glob("*.m*")) if root.is_dir() else ():
        yield path.stem, path


def _sheet(place: Path | bytes) -> Image.Image:
    """A row a strategy, with the time under each picture."""
    sheet = Image.new("RGB", (COUNT * CELL_PX, len(WAYS) * (CELL_PX + TEXT_PX)), "white")
    pen = ImageDraw.Draw(sheet)
    for row, (title, way) in enumerate(WAYS):
        top = row * (CELL_PX + TEXT_PX)
        try:
            frames = Frames.model_validate({"count": COUNT, "size_px": CELL_PX, **way})
            shown = video_pictures(place, frames, boxes=open_crops(frames)).shown
        except CurateError as error:
            pen.text((2, top), str(error), fill="red")
            continue
        for column, picture in enumerate(shown):
            left = column * CELL_PX
            sheet.paste(Image.open(BytesIO(picture.jpeg)), (left, top + TEXT_PX))
            pen.text((left + 2, top), f"{title} {picture.moment.t_s:.2f} s", fill="black")
    return sheet
