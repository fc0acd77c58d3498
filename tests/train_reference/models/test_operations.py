from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig

from train_reference.data.batch import Padded
from train_reference.models.operations import step_operations
from train_reference.models.student import Kind, Student, StudentConfig

BERT = BertConfig(
    vocab_size=30, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48
)


def config_of(kinds: dict[str, Kind], **sizes: int) -> StudentConfig:
    widths = {"images": 24, "features": 9, "keypoints": 685}
    return StudentConfig(
        encoders=kinds,
        widths_in={name: width for name, width in widths.items() if name in kinds},
        n_outputs=4,
        text=BERT.to_dict() if "text" in kinds else None,
        **{"width": 32, "depth": 2, "n_heads": 2, **sizes},  # type: ignore[arg-type]
    )


def counted(config: StudentConfig, n_clips: int, n_steps: int) -> int:
    """What torch counts. Its fused kernels compute scores a second time; plain products do not."""
    inputs = {
        name: Padded(_values(config, name, n_clips, n_steps), torch.full((n_clips,), n_steps), is_full=True)
        for name in config.encoders
    }
    student = Student(config)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        student(inputs).sum().backward()
    return counter.get_total_flops()


def _values(config: StudentConfig, name: str, n_clips: int, n_steps: int) -> torch.Tensor:
    if name == "text":
        return torch.randint(5, 30, (n_clips, n_steps))
    return torch.randn(n_clips, n_steps, config.widths_in[name])


@pytest.mark.parametrize(
    ("kinds", "sizes"),
    [
        ({"images": "transformer"}, {}),
        ({"images": "transformer"}, {"patch": 4}),
        ({"images": "transformer"}, {"depth": 0}),
        ({"keypoints": "keypoints"}, {}),
        ({"features": "tcn"}, {"depth": 3}),
        ({"text": "text"}, {}),
        ({"images": "transformer", "keypoints": "keypoints", "features": "tcn", "text": "text"}, {}),
    ],
)
def test_as_torch_counts(kinds: dict[str, Any], sizes: dict[str, int]) -> None:
    config = config_of(kinds, **sizes)
    # Torch also counts the mean over tokens, which is made as a product with weights: two operations a
    # number of a token (32 numbers, of BERT as well) on the way forward, and two on the way back.
    n_means = 3 * -(-30 // config.patch) * sum(kind != "tcn" for kind in kinds.values())
    # And BERT's pooler on the way forward, of which nothing is made.
    pooler = 2 * 3 * 32 * 32 * ("text" in kinds)
    found = step_operations(config, dict.fromkeys(kinds, (3, 30)))
    assert found == counted(config, 3, 30) - 4 * 32 * n_means - pooler


def test_by_hand() -> None:
    # One clip of 5 steps of 24 numbers in patches of 2: 3 tokens of 48 numbers each, width 32.
    # First layer: 3 * 48 * 32 = 4608 multiplications. One block: 3 tokens * 12 * 32^2 = 36 864, and
    # attention 2 * 3^2 * 32 = 576. Head: 32 * 32 + 32 * 4 = 1152. Two operations each; the first layer
    # counts for two passes, the rest for three: 2 * (2 * 4608 + 3 * (36 864 + 576 + 1152)).
    config = config_of({"images": "transformer"}, patch=2, depth=1)
    assert step_operations(config, {"images": (1, 5)}) == 249_984
