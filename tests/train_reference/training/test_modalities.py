"""Several modalities: each alone, then all together; DINOv2 and BERT by their true architectures, tiny."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizer, BitImageProcessor, Dinov2Config, Dinov2Model

from train_reference import load
from train_reference.settings import read_settings
from train_reference.training.material import prepare
from train_reference.training.run import Result, open_accelerator, train

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "low", "middle", "high"]
SMALL = (
    "model.width=8",
    "model.depth=1",
    "model.n_heads=2",
    "threads=1",
    "schedule.epochs=2",
    "schedule.alone_epochs=1",
)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with a vision model and a text model."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    Dinov2Model(Dinov2Config(image_size=28, patch_size=14, **sizes)).save_pretrained(tmp_path / "dinov2")
    side = {"height": 28, "width": 28}
    BitImageProcessor(size={"shortest_edge": 28}, crop_size=side).save_pretrained(tmp_path / "dinov2")
    (tmp_path / "words.txt").write_text("\n".join(WORDS))
    BertTokenizer(str(tmp_path / "words.txt")).save_pretrained(tmp_path / "bert")
    BertModel(BertConfig(vocab_size=len(WORDS), intermediate_size=16, **sizes)).save_pretrained(
        tmp_path / "bert"
    )
    return tmp_path


@pytest.fixture
def whole(written: Any, video: Callable[[Sequence[int]], bytes]) -> Path:
    """A release with everything: every clip lacks something, none everything."""
    ids = [row["clip_id"] for row in written.rows]
    for number, row in enumerate(written.rows):
        row["video"] = {"bytes": video([60 * row["label"] + 20] * 4), "path": None}
        row["transcript"] = written.classes[row["label"]] if number % 2 else None
    values = [[[float(row["label"])], [row["label"] + 0.5]] for row in written.rows]
    written.sequences["keypoints"] = written.sequences["keypoints"][:40]
    written.sequences["features"] = pl.DataFrame(
        {"clip_id": ids, "names": [["AU12_r"]] * 60, "values": values}
    )[20:]
    return Path(written.write())


def trained(release: Path, models: Path, out: Path, *pairs: str) -> Result:
    named = (f"images.model={models / 'dinov2'}", f"text.model={models / 'bert'}")
    settings = read_settings([*SMALL, *named, *pairs])
    accelerator = open_accelerator(settings)
    material = prepare(str(release), settings, out / "sequences", None, accelerator.device)
    return train(material, settings, out / "run", accelerator, lambda row: None)


@pytest.mark.parametrize("student", ["transformer", "tcn"])
def test_each_alone_and_then_together(student: str, whole: Path, models: Path, tmp_path: Path) -> None:
    result = trained(whole, models, tmp_path / "out", f"features.student={student}")
    phases = list(dict.fromkeys(row["phase"] for row in result.curves))
    assert phases == ["images alone", "keypoints alone", "features alone", "text alone", "joint"]
    config = json.loads((tmp_path / "out" / "run" / "config.json").read_text())
    assert list(config["student"]["encoders"]) == ["images", "keypoints", "features", "text"]
    # It reloads without the text model that it began with: its configuration and weights are kept.
    for path in (models / "bert").glob("model*"):
        path.unlink()
    _, said = load(tmp_path / "out" / "run").predict(str(whole), cache=tmp_path / "cache")
    rows = [*range(24, 30), *range(54, 60)]
    np.testing.assert_allclose(said[rows], result.said, atol=1e-5)


def test_stopped_between_phases_it_goes_on(whole: Path, models: Path, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(row: Any) -> None:
        if row["phase"] == "keypoints alone":
            raise Stopped

    pairs = ("modalities=keypoints,features",)
    through = trained(whole, models, tmp_path / "a", *pairs, "drop=true")
    settings = read_settings([*SMALL, *pairs, "drop=true"])
    accelerator = open_accelerator(settings)
    material = prepare(str(whole), settings, tmp_path / "b", None, accelerator.device)
    with pytest.raises(Stopped):
        train(material, settings, tmp_path / "b" / "run", accelerator, stop)
    result = train(material, settings, tmp_path / "b" / "run", accelerator, lambda row: None)
    assert [row["loss"] for row in result.curves] == [row["loss"] for row in through.curves]
