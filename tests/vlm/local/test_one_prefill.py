import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curate.recipe import TransformersBackend
from curate.vlm.client import Letter, Picture, Prompt, Reply
from curate.vlm.local.checkpoint import Checkpoint
from curate.vlm.local.local_model import LocalModel, load_model
from curate.vlm.local.one_prefill import opening
from curate.vlm.local.trial import trial_prompts

LETTERS = Letter(("A", "B", "C"))


def picture(seed: int, side: int = 32) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    data = buffer.getvalue()
    return Picture(hashlib.sha256(data).hexdigest(), lambda digest: data, "image/png")


def about(seeds: Sequence[int], *questions: str) -> list[Prompt]:
    return [Prompt((*map(picture, seeds), question), LETTERS) for question in questions]


class Watched:
    """A model that counts its passes, and may go wrong where it goes on from a cache."""

    def __init__(self, model: Any, going_on: Any = None) -> None:
        self.passes: list[tuple[int, int, int]] = []
        """Rows, columns, and rows of pixels of each."""
        self._model, self._going_on = model, going_on

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, **inputs: Any) -> Any:
        pixels = inputs.get("pixel_values")
        self.passes.append((*inputs["input_ids"].shape, 0 if pixels is None else len(pixels)))
        outputs = self._model(**inputs)
        if self._going_on and inputs.get("past_key_values") is not None:
            return self._going_on(outputs)
        return outputs


@pytest.fixture(scope="module")
def checkpoint(tiny_vlm: Path) -> Checkpoint:
    return load_model(TransformersBackend(backend="transformers", model=str(tiny_vlm), threads=1)).checkpoint


def watched(checkpoint: Checkpoint, going_on: Any = None) -> tuple[LocalModel, Watched]:
    model = Watched(checkpoint.model, going_on)
    return LocalModel(Checkpoint(checkpoint.name, model, checkpoint.processor, checkpoint.letters)), model


def answered(local: LocalModel, prompts: Sequence[Prompt]) -> list[Reply]:
    replies = local.answer(prompts)
    assert all(isinstance(reply, Reply) for reply in replies), replies
    return [reply for reply in replies if isinstance(reply, Reply)]


def chances(replies: Sequence[Reply]) -> np.ndarray[Any, Any]:
    return np.exp([reply.option_logprobs or () for reply in replies])


def alone(checkpoint: Checkpoint, prompts: Sequence[Prompt]) -> np.ndarray[Any, Any]:
    """Chances of each letter when every prompt is a batch of its own."""
    local, _ = watched(checkpoint)
    return chances([answered(local, [prompt])[0] for prompt in prompts])


def test_sharing_changes_no_answer(checkpoint: Checkpoint) -> None:
    context = (picture(7), "She turns.", picture(8), "He nods.", picture(9))
    prompts = [
        *about((1, 2), "Which?", "Which one is it?", "Who?"),
        *about((3, 4), "Which?", "Why is it so, of all things?", "Who?"),
        *about((5,), "Which?", "Which?"),  # the same twice: one token at least is left of each
        *about((), "Which?", "Who?"),
        *about((6, 6, 6), "Which?"),
        *(Prompt((*context, text), LETTERS) for text in ("Which?", "Who of them?")),
        *about((7, 8, 9), "Which?", "Who of them?"),
        Prompt((picture(1, side=64), picture(2, side=96), "Which?"), LETTERS),
        Prompt((picture(1, side=64), picture(2, side=96), "Who?"), LETTERS),
    ]
    local, _ = watched(checkpoint)
    replies = answered(local, prompts)
    assert local.plain_because is None
    np.testing.assert_allclose(chances(replies), alone(checkpoint, prompts), atol=1e-5, rtol=0)
    cached = [(reply.tokens_cached or 0) > 0 for reply in replies]
    # All but the first of each clip; nothing of a prompt without a picture or of a clip's only one.
    assert cached == [0, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1]


def test_a_clips_pictures_are_computed_once(checkpoint: Checkpoint) -> None:
    local, model = watched(checkpoint)
    answered(local, about((1, 2), "Which?", "Who?"))  # the first batch is also computed the plain way
    model.passes.clear()
    prompts = [*about((3, 4), "Which?", "Who, then?"), *about((5, 6), "Who?", "Where?")]
    assert len(answered(local, prompts)) == 4
    # Of each clip 2 pictures x 4 x 4 patches of 8 x 8 pixels, 1 + 4 + 2 x 6 tokens and "Wh", which both
    # prompts share; then 2 rows, the longest of "o, then?" or "ere?" and the 2 + 9 tokens after it.
    assert model.passes == [
        (1, 19, 32),
        (2, len("o, then?") + 11, 0),
        (1, 19, 32),
        (2, len("ere?") + 11, 0),
    ]


def test_a_model_that_loses_its_place_is_asked_the_plain_way(checkpoint: Checkpoint) -> None:
    def off(outputs: Any) -> Any:
        outputs.logits = outputs.logits + outputs.logits.roll(1, dims=-1)
        return outputs

    local, _ = watched(checkpoint, off)
    prompts = about((1, 2), "Which?", "Which one is it?")
    for _ in range(2):
        replies = answered(local, prompts)
        np.testing.assert_allclose(chances(replies), alone(checkpoint, prompts), atol=1e-5, rtol=0)
        assert [reply.tokens_cached for reply in replies] == [0, 0]
    assert "a prefix computed once changes probabilities by 0." in (local.plain_because or "")


@pytest.mark.parametrize("error", [RuntimeError("shapes"), TypeError("no past"), AttributeError("cache")])
def test_a_model_that_does_not_go_on_is_asked_the_plain_way(checkpoint: Checkpoint, error: Exception) -> None:
    def fail(outputs: Any) -> Any:
        raise error

    local, _ = watched(checkpoint, fail)
    prompts = about((1, 2), "Which?", "Which one is it?")
    np.testing.assert_allclose(
        chances(answered(local, prompts)), alone(checkpoint, prompts), atol=1e-5, rtol=0
    )
    assert local.plain_because == f"it does not go on from a prefix ({type(error).__name__}: {error.args[0]})"


def test_much_longer_prompts_are_checked_again(checkpoint: Checkpoint) -> None:
    def off_far_in(outputs: Any) -> Any:
        if outputs.past_key_values.get_seq_length() > 100:
            outputs.logits = outputs.logits.flip(-1)
        return outputs

    local, _ = watched(checkpoint, off_far_in)
    answered(local, about((1, 2), "Which?", "Who?"))
    assert local.plain_because is None
    prompts = about(range(15), "Which?", "Who?")  # 15 pictures of 6 tokens
    np.testing.assert_allclose(
        chances(answered(local, prompts)), alone(checkpoint, prompts), atol=1e-5, rtol=0
    )
    assert local.plain_because is not None


def test_the_trial_shares(checkpoint: Checkpoint) -> None:
    local, _ = watched(checkpoint)
    prompts = trial_prompts()
    assert len({opening(prompt) for prompt in prompts}) == 1
    assert [bool(reply.tokens_cached) for reply in answered(local, prompts)] == [False, True, True]


def test_what_a_prompt_shows() -> None:
    one, two = picture(1), picture(2)
    assert opening(Prompt((one, "then", two, "Which?", "Say."), LETTERS)) == (one, "then", two)
    assert opening(Prompt(("Which?",), LETTERS)) == ()
