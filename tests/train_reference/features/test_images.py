from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

from train_reference.data.release import open_release
from train_reference.errors import TrainError
from train_reference.features.images import frames, given_sequences, made_sequences, open_embedder
from train_reference.settings import Images

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def dinov2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DINOv2's architecture, tiny, with random weights."""
    folder = tmp_path_factory.mktemp("dinov2")
    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=14
    )
    Dinov2Model(config).save_pretrained(folder)
    size = {"height": 28, "width": 28}
    BitImageProcessor(size={"shortest_edge": 28}, crop_size=size).save_pretrained(folder)
    return folder


def test_frames_are_in_the_middle_of_equal_times(video: Callable[[Sequence[int]], bytes]) -> None:
    media = video([0, 40, 80, 120, 160, 200, 240, 250])  # two seconds at 4 frames a second
    # At 2 a second the first frame, then the first at or after .75, 1.25 and 1.75 s: frames 0, 3, 5 and 7.
    levels = [np.asarray(picture).mean() for picture in frames(media, 2)]
    assert levels == pytest.approx([0, 120, 200, 250], abs=4)
    assert len(frames(media, 0.1)) == 1


def test_an_image_is_one_frame(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 77).save(tmp_path / "a.png")
    (picture,) = frames((tmp_path / "a.png").read_bytes(), 2)
    assert picture.mode == "RGB"


def test_made_ones_are_kept_by_content_and_gone_on_with(
    written: Any, video: Callable[[Sequence[int]], bytes], dinov2: Path, tmp_path: Path
) -> None:
    for number, row in enumerate(written.rows):
        # Three different recordings; the others are the same bytes again.
        row["video"] = {"bytes": video([number % 3 * 50] * 4), "path": None}
    opened = open_release(str(written.write()))
    ids = [row["clip_id"] for row in written.rows]
    settings = Images(model=str(dinov2), fps=2)
    found = made_sequences(opened, "default", ids, settings, tmp_path / "cache", CPU)
    assert (found.width, set(found.lengths)) == (16, {2})
    made = list((tmp_path / "cache" / "clips").iterdir())
    assert len(made) == 3
    # Two are lost, as of a run that was stopped: they alone are made again.
    kept = {path: path.stat().st_mtime_ns for path in made[:1]}
    for path in made[1:]:
        path.unlink()
    again = made_sequences(opened, "default", ids[::-1], settings, tmp_path / "cache", CPU)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    rows = np.arange(60)
    torch.testing.assert_close(again.gather(rows[::-1].copy()).values, found.gather(rows).values)
    # Another number of frames is something else.
    made_sequences(opened, "default", ids, Images(model=str(dinov2), fps=4), tmp_path / "cache", CPU)
    assert len(list((tmp_path / "cache" / "clips").iterdir())) == 6


def test_vectors_do_not_depend_on_the_batch(dinov2: Path) -> None:
    pictures = [Image.new("RGB", (28, 28), (k * 60, 9, 9)) for k in range(4)]
    one = open_embedder(Images(model=str(dinov2), batch_size=1), CPU)(pictures)
    all_at_once = open_embedder(Images(model=str(dinov2), batch_size=4), CPU)(pictures)
    np.testing.assert_allclose(one, all_at_once, atol=1e-5)


def test_a_model_that_is_not_at_hand(tmp_path: Path) -> None:
    with pytest.raises(
        TrainError, match=r"images.model: .*nothing here cannot be loaded .* leave images out"
    ):
        open_embedder(Images(model=str(tmp_path / "nothing here")), CPU)


def test_a_release_without_media(release: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"the release has neither embeddings nor media\. Leave images out"):
        made_sequences(open_release(str(release)), "default", ["a"], Images(), tmp_path, CPU)


def test_given_ones_are_taken_as_they_are(written: Any, tmp_path: Path) -> None:
    ids = [row["clip_id"] for row in written.rows[:2]]
    written.sequences["embeddings"] = pl.DataFrame(
        {"clip_id": ids, "vectors": [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]]}
    )
    found = given_sequences(open_release(str(written.write())), ids, tmp_path / "a")
    assert found.gather(np.array([1])).values.tolist() == [[[3, 4], [5, 6]]]
    written.sequences["embeddings"] = pl.DataFrame({"clip_id": ids, "vectors": [[[1.0, 2.0]], [[3.0]]]})
    with pytest.raises(
        TrainError, match=r"config embeddings: vectors have widths \[1, 2\], and one was expected"
    ):
        given_sequences(open_release(str(written.write())), ids, tmp_path / "b")
