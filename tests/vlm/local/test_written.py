import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from curate.recipe import TransformersBackend
from curate.vlm.client import Letter, Prompt, Reply, Sheet, Words
from curate.vlm.local.checkpoint import Checkpoint
from curate.vlm.local.local_model import load_model
from curate.vlm.local.written import write

SHEET = Sheet("{}", 40, (("tilt", ("A", "B", "C")),))
END = "<|im_end|>"


@pytest.fixture(scope="module")
def checkpoint(tiny_vlm: Path) -> Checkpoint:
    return load_model(TransformersBackend(backend="transformers", model=str(tiny_vlm), threads=1)).checkpoint


class Script(torch.nn.Module):
    """Stands in for the last layer of a model: says tokens in their order, whatever was asked."""

    def __init__(self, steps: Sequence[dict[int, float]], size: int) -> None:
        super().__init__()
        self._steps, self._size = iter(steps), size

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = torch.full((*hidden.shape[:2], self._size), -1e9)
        for token, logprob in next(self._steps).items():
            logits[..., token] = logprob
        return logits


@contextmanager
def saying(checkpoint: Checkpoint, *steps: str | dict[str, float]) -> Iterator[None]:
    """The model says these: a token each, or one of several by their shares."""
    id_of = checkpoint.processor.tokenizer.convert_tokens_to_ids
    told: list[dict[str, float]] = [{step: 1.0} if isinstance(step, str) else step for step in steps]
    ids = [{id_of(text.replace(" ", "\u0120")): math.log(p) for text, p in step.items()} for step in told]
    model: Any = checkpoint.model
    head = model.lm_head
    model.lm_head = Script(ids, head.out_features)
    yield
    model.lm_head = head


def words(text: str, **settings: Any) -> Prompt:
    return Prompt((text,), Words(6), **settings)


def texts(replies: Sequence[Reply]) -> list[str]:
    return [reply.text for reply in replies]


def test_words(checkpoint: Checkpoint) -> None:
    with saying(checkpoint, "H", "i", END, "n", "o"):
        (reply,) = write(checkpoint, [words("Greet.")], {})
    assert (reply.text, reply.finish_reason, reply.tokens_out) == ("Hi", "stop", 3)
    assert (reply.field_logprobs, reply.logprobs_kind, reply.model) == (None, None, checkpoint.name)
    # Three special tokens, "user", "Greet." and "assistant".
    assert reply.tokens_in == 3 + 4 + 6 + 9


def test_words_that_are_cut_off(checkpoint: Checkpoint) -> None:
    with saying(checkpoint, *"A long story"):
        (reply,) = write(checkpoint, [words("Tell.")], {})
    assert (reply.text, reply.finish_reason, reply.tokens_out) == ("A long", "length", 6)


def test_a_sheet_tells_the_letters_of_its_keys(checkpoint: Checkpoint) -> None:
    shares = {"B": 0.6, "A": 0.3, "Z": 0.1}
    with saying(checkpoint, *'{"tilt": "', shares, *'"}', END):
        (reply,) = write(checkpoint, [Prompt(("Fill in.",), SHEET)], {})
    assert reply.text == '{"tilt": "B"}'
    assert reply.logprobs_kind == "before_mask"
    assert reply.field_logprobs == {"tilt": pytest.approx((math.log(0.3), math.log(0.6), -math.inf))}


def test_a_warm_sheet_keeps_the_alternatives_of_what_was_drawn(checkpoint: Checkpoint) -> None:
    letters = set()
    for draw in range(20):
        with saying(checkpoint, *'{"tilt": "', {"A": 0.5, "B": 0.5}, *'"}', END):
            (reply,) = write(checkpoint, [Prompt(("Fill in.",), SHEET, draw=draw, warm=True)], {})
        letters.add(reply.text)
        assert reply.field_logprobs == {"tilt": pytest.approx((math.log(0.5), math.log(0.5), -math.inf))}
    # All 20 alike once in 2^19.
    assert letters == {'{"tilt": "A"}', '{"tilt": "B"}'}


def test_a_sheet_that_is_none(checkpoint: Checkpoint) -> None:
    (reply,) = write(checkpoint, [Prompt(("Fill in.",), SHEET)], {})  # random weights write no JSON
    assert (reply.field_logprobs, reply.logprobs_kind, reply.tokens_out) == (None, None, 40)


def test_a_reply_does_not_depend_on_its_batch(checkpoint: Checkpoint) -> None:
    prompts = [
        words("Tell."),
        words("Tell me a longer story."),
        words("Tell.", warm=True),
        words("Tell.", warm=True, draw=1),
        Prompt(("Tell.",), Words(3)),
        Prompt(("Fill in.",), SHEET),
    ]
    together = texts(write(checkpoint, prompts, {}))
    assert together == [write(checkpoint, [prompt], {})[0].text for prompt in prompts]
    assert together[0] != together[2] != together[3]
    assert together[4] == together[0][: len(together[4])]


def test_a_checkpoints_own_habits_do_not_count(checkpoint: Checkpoint) -> None:
    before = texts(write(checkpoint, [words("Tell.")], {}))
    habits = checkpoint.model.generation_config
    habits.repetition_penalty, habits.do_sample, habits.temperature = 5.0, True, 9.0
    assert texts(write(checkpoint, [words("Tell.")], {})) == before
    habits.repetition_penalty, habits.do_sample, habits.temperature = None, None, None


def test_a_local_model_answers_all_forms_at_once(tiny_vlm: Path) -> None:
    local = load_model(TransformersBackend(backend="transformers", model=str(tiny_vlm), threads=1))
    letter = Prompt(("Which?",), Letter(("A", "B")))
    replies = local.answer([words("Tell."), letter, Prompt(("Fill in.",), SHEET), words("Say.")])
    assert [reply.tokens_out for reply in replies if isinstance(reply, Reply)] == [6, 1, 40, 6]
