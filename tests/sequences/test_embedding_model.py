import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny_vision
import torch
from PIL import Image
from transformers import AutoModel

from curate.errors import InputError, MediaError
from curate.recipe import Embeddings
from curate.sequences.embedding_model import EmbeddingModel, load_embedding_model


def load(folder: Path, batch: int = 4) -> EmbeddingModel:
    return load_embedding_model(Embeddings(model=str(folder), batch=batch, device="cpu"))


def embedded(model: EmbeddingModel, *pictures: bytes) -> np.ndarray:
    return model.vectors([model.prepare(picture) for picture in pictures])


@pytest.fixture
def dinov2(tiny_dinov2: Path) -> Path:
    return tiny_dinov2


def test_the_same_as_transformers_by_hand(dinov2: Path) -> None:
    shown = tiny_vision.picture(1)
    # 40 x 30 scaled to 28 on the shorter side: 37 x 28, of which the middle 28 x 28 is kept.
    image = Image.open(io.BytesIO(shown)).convert("RGB").resize((37, 28), Image.Resampling.BICUBIC)
    pixels = np.asarray(image.crop((4, 0, 32, 28)), dtype=np.float32) / 255
    mean = np.array([0.48145466, 0.4578275, 0.40821073])
    deviation = np.array([0.26862954, 0.26130258, 0.27577711])
    taken = torch.tensor((pixels - mean) / deviation, dtype=torch.float32).permute(2, 0, 1)[None]
    with torch.inference_mode():
        expected = AutoModel.from_pretrained(dinov2)(taken).last_hidden_state[0, 0]
    np.testing.assert_allclose(embedded(load(dinov2), shown)[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "way", "n_dimensions"),
    [
        (tiny_vision.dinov2, "pooled", 32),
        (tiny_vision.clip, "image features", 16),
        (tiny_vision.classifier, "mean", 32),
        (tiny_vision.convolutions, "pooled", 32),
    ],
)
def test_what_is_taken_as_the_vector(
    make: Callable[[Path], Path], way: str, n_dimensions: int, tmp_path: Path
) -> None:
    model = load(make(tmp_path / "model"))
    assert model.way == way
    vectors = embedded(model, *map(tiny_vision.picture, range(3)))
    assert vectors.shape == (3, n_dimensions)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert len({vector.tobytes() for vector in vectors}) == 3


@pytest.mark.parametrize("make", [tiny_vision.dinov2, tiny_vision.clip, tiny_vision.convolutions])
def test_what_is_beside_a_picture_changes_not_a_bit(make: Callable[[Path], Path], tmp_path: Path) -> None:
    model = load(make(tmp_path / "model"))
    shown = list(map(tiny_vision.picture, range(4)))
    together = embedded(model, *shown)
    for order in ([3, 1, 0, 2], [2], [1, 3], [0, 0, 0, 1]):
        found = embedded(model, *[shown[place] for place in order])
        np.testing.assert_array_equal(found, together[order])


def test_the_mean_of_a_map(tmp_path: Path) -> None:
    model = load(tiny_vision.convolutions(tmp_path))
    mean = EmbeddingModel(model.name, model.batch, "mean", model.network, model.processor)
    assert embedded(mean, tiny_vision.picture(0)).shape == (1, 32)


def test_the_name_is_that_of_the_weights_not_of_the_place(dinov2: Path, tmp_path: Path) -> None:
    other = tmp_path / dinov2.name
    shutil.copytree(dinov2, other)
    first, second = load(dinov2), load(other)
    assert first.name == second.name
    assert first.name.startswith(f"{dinov2.name}@sha256:")
    assert first.decided_by == second.decided_by


def test_processor_and_batch_decide_too(dinov2: Path, tmp_path: Path) -> None:
    cropped = tiny_vision.dinov2(tmp_path / dinov2.name, size={"shortest_edge": 32})
    models = load(dinov2), load(cropped), load(dinov2, batch=5)
    assert models[0].name == models[1].name  # the weights are the same
    assert len({str(model.decided_by) for model in models}) == 3


def test_pictures_of_other_shapes_go_one_by_one(tmp_path: Path) -> None:
    model = load(tiny_vision.dinov2(tmp_path, do_center_crop=False))
    assert model.batch == 1
    wide, high = tiny_vision.picture(0, 80, 30), tiny_vision.picture(0, 30, 80)
    assert embedded(model, wide).shape == embedded(model, high).shape == (1, 32)


def test_bytes_that_are_no_picture(dinov2: Path) -> None:
    with pytest.raises(MediaError, match=r"gives a picture that dinov2-tiny\S+ cannot take"):
        load(dinov2).prepare(b"no picture")


def test_a_model_that_looks_at_random(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="another vector of the same picture each time"):
        load(tiny_vision.masked(tmp_path))


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def cut_short(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])


def pickled(folder: Path) -> None:
    without_weights(folder)
    torch.save({}, folder / "pytorch_model.bin")


def without_processor(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()


@pytest.mark.parametrize("spoil", [without_weights, cut_short, pickled, without_processor])
def test_a_folder_that_holds_no_whole_model(
    spoil: Callable[[Path], None], dinov2: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "spoiled"
    shutil.copytree(dinov2, folder)
    spoil(folder)
    with pytest.raises(InputError, match=r"embeddings\.model: cannot be loaded: .*Check embeddings\.model"):
        load(folder)


def test_weights_that_are_missing_are_not_made_up(dinov2: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "model"
    shutil.copytree(dinov2, folder)
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.mlp.fc1.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"has no weights for encoder\.layer\.1\.mlp\.fc1\.weight"):
        load(folder)


def test_a_device_that_is_not_there(dinov2: Path) -> None:
    with pytest.raises(InputError, match="cannot be loaded"):
        load_embedding_model(Embeddings(model=str(dinov2), device="cuda:7"))
