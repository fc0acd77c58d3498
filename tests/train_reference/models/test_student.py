from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from transformers import BertConfig, BertModel

from train_reference.data.batch import Padded
from train_reference.models.student import Student, StudentConfig
from train_reference.models.text import TextEncoder, load_text_weights, read_text_config

BERT = BertConfig(
    vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
)
CONFIG = StudentConfig(
    encoders={"images": "transformer", "keypoints": "keypoints", "features": "tcn", "text": "text"},
    widths_in={"images": 4, "keypoints": 685, "features": 3},
    n_outputs=3,
    width=8,
    depth=1,
    n_heads=2,
    text=BERT.to_dict(),
)


def inputs(n_clips: int, **lengths: list[int]) -> dict[str, Padded]:
    torch.manual_seed(1)
    values = {name: torch.randn(n_clips, 5, width) for name, width in CONFIG.widths_in.items()}
    values["text"] = torch.randint(5, 30, (n_clips, 5))
    full = [5] * n_clips
    return {name: Padded(one, torch.tensor(lengths.get(name, full))) for name, one in values.items()}


def test_joint_and_alone() -> None:
    student = Student(CONFIG).eval()
    given = inputs(2)
    assert student(given).shape == (2, 3)
    for name in CONFIG.encoders:
        assert student({name: given[name]}, name).shape == (2, 3)


def test_a_missing_modality_has_a_stand_in_that_is_learned() -> None:
    student = Student(CONFIG).eval()
    given = inputs(2, images=[5, 0], text=[0, 5])
    student(given).sum().backward()
    assert student.stand_ins["images"].grad is not None
    assert student.stand_ins["images"].grad.any()
    # All clips have features: their stand-in stood in for nobody.
    assert student.stand_ins["features"].grad is not None
    assert not student.stand_ins["features"].grad.any()
    # What stands in the place of a missing sequence does not matter.
    other = dict(given, images=Padded(given["images"].values.clone(), given["images"].lengths))
    other["images"].values[1] = 77.0
    torch.testing.assert_close(student(other), student(given))


def test_clips_of_a_batch_do_not_touch_each_other() -> None:
    student, given, order = Student(CONFIG).eval(), inputs(4), torch.tensor([2, 0, 3, 1])
    shuffled = {name: Padded(one.values[order], one.lengths[order]) for name, one in given.items()}
    torch.testing.assert_close(student(shuffled), student(given)[order])


def test_a_config_survives_json_and_builds_the_same() -> None:
    again = StudentConfig.model_validate_json(CONFIG.model_dump_json())
    first, second = Student(CONFIG).eval(), Student(again).eval()
    shapes = [{key: one.shape for key, one in each.state_dict().items()} for each in (first, second)]
    assert shapes[0] == shapes[1]
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(second(inputs(2)), first(inputs(2)))
    with pytest.raises(ValidationError, match="widths"):
        StudentConfig.model_validate({**CONFIG.model_dump(), "widths": 3})


def test_a_config_that_leaves_something_out() -> None:
    told = CONFIG.model_dump() | {"widths_in": {"images": 4, "features": 3}, "text": None}
    with pytest.raises(ValidationError, match="says nothing of what keypoints, text gives"):
        StudentConfig.model_validate(told)


def test_weights_of_a_trained_text_model_are_put_in(tmp_path: Path) -> None:
    torch.manual_seed(5)
    trained = BertModel(BERT)
    trained.save_pretrained(tmp_path)
    encoder = TextEncoder(read_text_config(str(tmp_path), None), 8)
    load_text_weights(encoder, str(tmp_path), None)
    found: Any = encoder.encoder
    torch.testing.assert_close(
        found.embeddings.word_embeddings.weight, trained.embeddings.word_embeddings.weight
    )
