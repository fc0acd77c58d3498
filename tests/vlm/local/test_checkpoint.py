from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from curate.errors import ClientError
from curate.recipe import TransformersBackend
from curate.vlm.client import Letter, Picture, Prompt
from curate.vlm.local.checkpoint import Checkpoint, decoded, noise

LETTERS = Letter(("A", "B", "C"))


@pytest.fixture(scope="module")
def checkpoint(tiny_vlm: Path) -> Checkpoint:
    return load(tiny_vlm)


def load(folder: Path) -> Checkpoint:
    from curate.vlm.local.local_model import load_model

    return load_model(TransformersBackend(backend="transformers", model=str(folder), threads=1)).checkpoint


@pytest.mark.parametrize("sign", ["<|image_pad|>", "<|im_end|>", "<|vision_start|>", "<|video_pad|>"])
def test_words_stay_words(checkpoint: Checkpoint, sign: str) -> None:
    said = f"She said {sign} and left."
    (row,) = checkpoint.ids([Prompt((said,), LETTERS)])
    (without,) = checkpoint.ids([Prompt(("She said and left.",), LETTERS)])
    special = set(checkpoint.processor.tokenizer.get_added_vocab().values())
    assert [token for token in row if token in special] == [token for token in without if token in special]
    assert "image_pad|>" in checkpoint.processor.tokenizer.decode(row) or sign != "<|image_pad|>"


def test_parts_are_sent_in_their_order(checkpoint: Checkpoint) -> None:
    shown = Picture("0" * 64, lambda digest: b"")
    (row,) = checkpoint.ids([Prompt((shown, "then", shown, "Which?"), LETTERS)])
    text = checkpoint.processor.tokenizer.decode(row)
    picture = "<|vision_start|><|image_pad|><|vision_end|>"
    assert text == f"<|im_start|>user{picture}then{picture}Which?<|im_end|><|im_start|>assistant"


def test_a_letters_logprobs_are_over_all_tokens(checkpoint: Checkpoint) -> None:
    logits = torch.zeros(320)
    logits[checkpoint.letters["B"][0]] = 2.0
    reply = checkpoint.letter_reply(Prompt(("Which?",), LETTERS), logits, 7, 3)
    # e^2 for B, e^0 for each of the 319 others.
    total = np.exp(2.0) + 319
    assert np.exp(reply.option_logprobs or ()) == pytest.approx([1 / total, np.exp(2.0) / total, 1 / total])
    assert (reply.text, reply.tokens_in, reply.tokens_cached) == ("B", 7, 3)


def test_a_warm_letter_is_drawn_from_the_probabilities(checkpoint: Checkpoint) -> None:
    logits = torch.full((320,), -1e9)
    shares = {"A": 0.5, "B": 0.3, "C": 0.2}
    for letter, share in shares.items():
        logits[checkpoint.letters[letter][0]] = np.log(share)
    prompts = [Prompt(("Which?",), LETTERS, draw=draw, warm=True) for draw in range(2000)]
    said = Counter(checkpoint.letter_reply(prompt, logits, 1).text for prompt in prompts)
    # The standard error of a share of 0.5 is sqrt(0.25 / 2000) = 0.011.
    assert {letter: n / 2000 for letter, n in said.items()} == pytest.approx(shares, abs=0.05)
    cold = checkpoint.letter_reply(Prompt(("Which?",), LETTERS), logits, 1)
    warm = checkpoint.letter_reply(prompts[0], logits, 1)
    assert warm.option_logprobs == cold.option_logprobs


def test_noise_is_that_of_its_prompt_and_place() -> None:
    prompt = Prompt(("Which?",), LETTERS, warm=True)
    assert torch.equal(noise(prompt, 50, 3), noise(Prompt(("Which?",), LETTERS, warm=True), 50, 3))
    others = [noise(prompt, 50, 4), noise(Prompt(("Which?",), LETTERS, draw=1, warm=True), 50, 3)]
    assert not any(torch.equal(noise(prompt, 50, 3), other) for other in others)
    drawn = noise(prompt, 100_000)
    # Standard Gumbel: mean 0.5772, variance pi^2 / 6 = 1.645; standard error of the mean 0.004.
    assert float(drawn.mean()) == pytest.approx(0.5772, abs=0.02)
    assert float(drawn.var()) == pytest.approx(1.645, abs=0.05)


def test_a_picture_that_is_none() -> None:
    with pytest.raises(ClientError, match=f"picture {'0' * 64} cannot be decoded"):
        decoded(Picture("0" * 64, lambda digest: b"no picture"))
