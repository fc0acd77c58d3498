"""What all encoders of sequences promise."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import BertConfig

from train_reference.errors import TrainError
from train_reference.models.features import TemporalConvolutions
from train_reference.models.keypoints import KeypointEncoder
from train_reference.models.sequence import SequenceTransformer
from train_reference.models.text import TextEncoder, read_text_config

BERT = BertConfig(
    vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
)
ENCODERS: dict[str, tuple[Callable[[], nn.Module], int | None]] = {
    "transformer": (lambda: SequenceTransformer(3, 8, 2, 2, 1, 0.1), 3),
    "patches": (lambda: SequenceTransformer(3, 8, 2, 2, 4, 0.1), 3),
    "saves memory": (lambda: SequenceTransformer(3, 8, 2, 2, 1, 0.1, saves_memory=True), 3),
    "no depth": (lambda: SequenceTransformer(3, 8, 0, 2, 1, 0.1), 3),
    "key points": (lambda: KeypointEncoder(8, 1, 2, 1, 0.1), 685),
    "key points, saves memory": (lambda: KeypointEncoder(8, 1, 2, 1, 0.1, saves_memory=True), 685),
    "convolutions": (lambda: TemporalConvolutions(3, 8, 3, 0.1), 3),
    "text": (lambda: TextEncoder(BERT.to_dict(), 8), None),
}
every = pytest.mark.parametrize("name", list(ENCODERS))


def made(name: str) -> tuple[nn.Module, Callable[[int, int], torch.Tensor]]:
    """An encoder, and a function that draws sequences for it."""
    torch.manual_seed(0)
    build, width = ENCODERS[name]

    def draw(n_clips: int, n_steps: int) -> torch.Tensor:
        if width is None:
            return torch.randint(5, 30, (n_clips, n_steps))
        return torch.randn(n_clips, n_steps, width)

    return build().eval(), draw


@every
@settings(max_examples=10)
@given(lengths=st.lists(st.integers(0, 9), min_size=1, max_size=4), beyond=st.integers(0, 7))
def test_padding_changes_nothing_whatever_it_holds(name: str, lengths: list[int], beyond: int) -> None:
    encoder, draw = made(name)
    n_steps, told = max(1, *lengths), torch.tensor(lengths)
    values = draw(len(lengths), n_steps)
    padded = torch.cat([values, draw(len(lengths), beyond)], dim=1)
    with torch.no_grad():
        found = encoder(values, told)
        torch.testing.assert_close(encoder(padded, told), found, atol=1e-5, rtol=1e-5)
        for row, length in enumerate(lengths):
            alone = encoder(values[row : row + 1, : max(1, length)], told[row : row + 1])
            torch.testing.assert_close(alone, found[row : row + 1], atol=1e-5, rtol=1e-5)
    assert found.shape == (len(lengths), 8)
    assert found.isfinite().all()
    assert not found[told == 0].any()


@every
def test_full_batches_need_no_mask(name: str) -> None:
    encoder, draw = made(name)
    values, lengths = draw(2, 6), torch.tensor([6, 6])
    torch.testing.assert_close(encoder(values, lengths, is_full=True), encoder(values, lengths))


@every
def test_every_weight_has_a_finite_gradient_even_beside_an_empty_clip(name: str) -> None:
    encoder, draw = made(name)
    encoder.train()
    encoder(draw(2, 5), torch.tensor([5, 0])).square().sum().backward()
    without = {
        name
        for name, each in encoder.named_parameters()
        if each.grad is None or not each.grad.isfinite().all()
    }
    # BERT's pooler is not used: the mean over tokens is.
    assert {one for one in without if "pooler" not in one} == set()


@pytest.mark.parametrize("name", ["transformer", "patches", "key points", "convolutions"])
def test_gradients_by_finite_differences(name: str) -> None:
    encoder, draw = made(name)
    encoder.double()
    values = draw(2, 5).double().requires_grad_()
    assert gradcheck(lambda given: encoder(given, torch.tensor([5, 3])), [values], fast_mode=True)


@every
def test_bf16_runs(name: str) -> None:
    encoder, draw = made(name)
    with torch.autocast("cpu", torch.bfloat16):
        assert encoder(draw(2, 5), torch.tensor([5, 2])).isfinite().all()


def test_the_order_of_steps_matters_to_transformers_and_convolutions() -> None:
    for name in ("transformer", "convolutions"):
        encoder, draw = made(name)
        values, lengths = draw(1, 6), torch.tensor([6])
        assert not torch.allclose(encoder(values, lengths), encoder(values.flip(1), lengths), atol=1e-4)


def test_memory_that_is_saved_costs_no_accuracy() -> None:
    grads = []
    for name in ("transformer", "saves memory"):
        encoder, _ = made(name)
        encoder.load_state_dict(made("transformer")[0].state_dict())
        encoder.train()
        for module in encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        torch.manual_seed(1)
        encoder(torch.randn(2, 6, 3), torch.tensor([6, 4])).square().sum().backward()
        grads.append([each.grad for each in encoder.parameters()])
    torch.testing.assert_close(grads[0], grads[1])


@pytest.mark.parametrize("is_full", [True, False])
def test_fused_kernels_are_used_while_training(is_full: bool) -> None:
    # Without one, scores of 16,384 steps by 16,384 would be kept for every head: no memory has that room.
    encoder, draw = made("transformer")
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):  # raises where it cannot be used
        found = encoder.train()(draw(2, 6), torch.tensor([6, 6 if is_full else 4]), is_full=is_full)
    assert found.isfinite().all()


def test_sixteen_thousand_steps() -> None:
    torch.manual_seed(0)
    encoder = SequenceTransformer(2, 8, 1, 1, 8, 0.1)
    values = torch.randn(1, 16_384, 2)
    encoder(values, torch.tensor([16_384]), is_full=True).sum().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in encoder.parameters())


def test_points_of_one_stream_reach_no_other() -> None:
    encoder = KeypointEncoder(8, 0, 2, 1, 0.0).eval()
    seen: dict[str, torch.Tensor] = {}
    for name, stream in encoder.streams.items():
        stream.register_forward_hook(lambda _, given, __, name=name: seen.update({name: given[0]}))
    values = torch.arange(137.0).repeat_interleave(5)[None, None]
    encoder(values, torch.tensor([1]))
    # Body 0 to 24, face 25 to 94, hands 95 to 136: five numbers each.
    assert {name: (each.min().item(), each.max().item(), each.shape[-1]) for name, each in seen.items()} == {
        "body": (0, 24, 125),
        "face": (25, 94, 350),
        "hands": (95, 136, 210),
    }


def test_a_text_model_that_is_not_at_hand(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"text.model: .*none cannot be loaded .* leave text out"):
        read_text_config(str(tmp_path / "none"), None)
