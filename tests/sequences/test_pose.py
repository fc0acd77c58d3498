from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest
from PIL import Image

from curate import tables
from curate.clips.finding import Finding
from curate.clips.media import FolderStore
from curate.sequences.columns import Row
from curate.sequences.parts import parts_of, write_parts
from curate.sequences.points import Placed, Points, in_pixels
from curate.sequences.pose import PoseEstimator, estimate_keypoints
from curate.sequences.store import ArrayStore

N_FRAMES = 7


@dataclass
class Bright:
    """Takes the brightest square of a picture for a person, whose points all lie on it."""

    batch: int = 3
    name: str = "bright@1"
    asked: list[int] = field(default_factory=list)
    """Pictures at each call."""

    @property
    def decided_by(self) -> Mapping[str, object]:
        return {"model": self.name}

    def people(self, images: Sequence[Image.Image]) -> list[Points]:
        self.asked.append(len(images))
        return [self._person(np.asarray(image.convert("L"))) for image in images]

    def _person(self, grey: object) -> Points:
        rows, columns = np.nonzero(np.asarray(grey) > 128)
        if not len(rows):
            return np.zeros((0, 137, 3), np.float32)
        spread = np.linspace(-1, 1, 137)
        points = np.stack([columns.mean() + spread, rows.mean() + spread, np.full(137, 0.5)], axis=-1)
        return points[None].astype(np.float32)


def film(path: Path, width: int = 640, height: int = 480) -> None:
    """A white square that goes to the right, 20 px a frame from (100, 200); gone in frame 3."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        for number in range(N_FRAMES):
            drawn = np.zeros((height, width, 3), dtype=np.uint8)
            if number != 3:
                left = 80 + 20 * number
                drawn[180:220, left : left + 40] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(drawn, format="rgb24")))
        container.mux(stream.encode())


def clips(*names: str, width: int = 640, height: int = 480) -> pl.DataFrame:
    size = {"width": width, "height": height, "n_frames": N_FRAMES, "fps": 10.0, "duration_s": 0.7}
    known = {"sha256": "0" * 64, "media": "video", "split": "train"}
    rows = [
        {"clip_id": f"{number:016x}", "name": name, "uri": name, **known, **size}
        for number, name in enumerate(names)
    ]
    return tables.table("clips", rows)


def estimator(folder: Path, model: Bright, fps: float | None = None) -> PoseEstimator:
    return PoseEstimator(model, FolderStore(folder), ArrayStore(folder / "kept"), fps)


def pixels(row: Row | Finding, width: int, height: int) -> Points:
    assert isinstance(row, dict)
    return in_pixels(Placed(row["points"], row["origin_x"], row["origin_y"]), width, height)


def test_a_person_is_followed_and_who_is_not_found_is_0(tmp_path: Path) -> None:
    film(tmp_path / "a.mkv")
    model = Bright()
    (row,) = estimate_keypoints(clips("a.mkv"), estimator(tmp_path, model))
    assert isinstance(row, dict)
    assert row["source"] == "bright@1"
    assert row["t_s"].tolist() == pytest.approx([i / 10 for i in range(N_FRAMES)])  # type: ignore[attr-defined]
    # The middle of points 0 and 136, which lie 1 px to either side, is that of the square's pixels.
    middle = pixels(row, 640, 480)[:, [0, 136]].mean(axis=1)
    expected = [[99.5 + 20 * i, 199.5, 0.5] for i in range(N_FRAMES)]
    expected[3] = [0, 0, 0]
    assert np.abs(middle - expected).max() < 0.1
    assert model.asked == [3, 3, 1]


def test_places_are_in_pixels_of_the_clip_though_a_smaller_picture_is_looked_at(tmp_path: Path) -> None:
    film(tmp_path / "a.mkv", 2560, 1440)
    (row,) = estimate_keypoints(clips("a.mkv", width=2560, height=1440), estimator(tmp_path, Bright(), 1))
    # A picture of 1280 x 720 has the square's middle at 49.5, 99.5: twice that is 99, 199.
    assert np.abs(pixels(row, 2560, 1440)[0, [0, 136]].mean(axis=0) - [99, 199, 0.5]).max() < 0.5


def test_what_was_computed_is_kept_and_the_bytes_are_the_same(tmp_path: Path) -> None:
    film(tmp_path / "a.mkv")
    film(tmp_path / "b.mkv", 320, 240)
    listed = clips("a.mkv", "b.mkv")
    first, again, other_rate = Bright(), Bright(), Bright()
    # A run that was stopped after the first clip.
    next(estimate_keypoints(listed, estimator(tmp_path, first)))
    for folder, model in (("one", first), ("two", again)):
        write_parts(tmp_path / folder, "keypoints", estimate_keypoints(listed, estimator(tmp_path, model)))
    assert first.asked == [3, 3, 1] * 2
    assert again.asked == []
    one, two = (parts_of(tmp_path / folder)[0].read_bytes() for folder in ("one", "two"))
    assert one == two
    list(estimate_keypoints(listed, estimator(tmp_path, other_rate, fps=5)))
    assert other_rate.asked == [3, 1] * 2


def test_a_clip_that_cannot_be_read_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.mkv").write_bytes(b"no film")
    film(tmp_path / "c.mkv")
    steps: list[tuple[int, int]] = []
    broken, gone, row = estimate_keypoints(
        clips("a.mkv", "b.mkv", "c.mkv"), estimator(tmp_path, Bright()), lambda *step: steps.append(step)
    )
    for finding, name in ((broken, "a.mkv"), (gone, "b.mkv")):
        assert isinstance(finding, Finding)
        assert (finding.clip, finding.kind, finding.action) == (name, "keypoints", "set_aside")
    assert isinstance(row, dict)
    assert steps == [(1, 3), (2, 3), (3, 3)]
