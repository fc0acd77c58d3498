import asyncio
import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from curate.recipe import OpenAIBackend, ReplayBackend, TransformersBackend, VllmBackend
from curate.vlm.client import Letter, Picture, Prompt, Reply, Sheet, Words
from curate.vlm.local.transformers import TransformersClient
from curate.vlm.tokens.count import prompt_estimate, reply_tokens, sent_size, text_tokens, token_counter
from curate.vlm.tokens.ranges import Range, exactly

SHORT = Letter(("A", "B"))


def picture(width: int, height: int) -> Picture:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(buffer, "JPEG")
    data = buffer.getvalue()
    return Picture(hashlib.sha256(data).hexdigest(), lambda digest: data)


def server(model: str) -> OpenAIBackend:
    return OpenAIBackend(backend="openai", model=model)


def test_a_processor_counts_what_its_model_takes(tiny_vlm: Path) -> None:
    wide, small = picture(96, 32), picture(32, 32)
    asked = [
        Prompt(("No picture. <|image_pad|> is only text.",), SHORT),
        Prompt((small, "Which?"), SHORT),
        Prompt((wide, "[0.25 s]", small, wide, "Which of them?", "Ä?"), SHORT),
    ]
    backend = TransformersBackend(backend="transformers", model=str(tiny_vlm), threads=1)

    async def answered() -> list[Reply]:
        client = TransformersClient(backend)
        replies = await asyncio.gather(*map(client.ask, asked))
        await client.close()
        return replies

    counter = token_counter(backend)
    assert counter.said_by == f"the processor of {tiny_vlm}"
    found = [counter.prompt(prompt, sent_size) for prompt in asked]
    assert found == [exactly(reply.tokens_in or 0) for reply in asyncio.run(answered())]


def test_an_engine_in_this_process_counts_alike(tiny_vlm: Path) -> None:
    prompt = Prompt((picture(64, 32), "Which?"), SHORT)
    engine = token_counter(VllmBackend(backend="vllm", model=str(tiny_vlm)))
    library = token_counter(TransformersBackend(backend="transformers", model=str(tiny_vlm)))
    assert engine.prompt(prompt, sent_size) == library.prompt(prompt, sent_size)


def test_a_server_is_counted_by_its_makers_rule() -> None:
    counter = token_counter(server("gpt-4o"))
    assert counter.said_by == "OpenAI's published rule for pictures, words by their length"
    found = counter.prompt(Prompt((picture(64, 64), "Twelve bytes"), SHORT), sent_size)
    assert found == exactly(85 + 170) + Range(12 / 5, 12 / 4, 12 / 3) + Range(4, 10, 30)


def test_nothing_is_fetched_for_a_model_that_is_not_on_this_machine() -> None:
    backend = TransformersBackend(backend="transformers", model="nobody/qwen2-vl-of-nobody")
    assert "Qwen2-VL" in token_counter(backend).said_by


def test_an_estimate_is_no_less_than_the_most(tmp_path: Path) -> None:
    estimate = prompt_estimate(server("gpt-4o"))
    assert estimate is not None
    assert estimate(Prompt((picture(64, 64), "x" * 30), SHORT)) == 85 + 170 + 10 + 30
    assert prompt_estimate(ReplayBackend(backend="replay", ledger=tmp_path)) is None


@given(st.text())
def test_words_take_no_more_tokens_than_bytes(text: str) -> None:
    found = text_tokens(text)
    assert 0 <= found.low <= found.expected <= found.high <= len(text.encode(errors="replace"))


@pytest.mark.parametrize(
    ("form", "is_local", "tokens"),
    [
        (SHORT, True, exactly(1)),
        (SHORT, False, Range(1, 2, 16)),
        (Sheet("{}", 60, (("smile", ("A", "B")),)), True, Range(12, 20, 60)),
        (Sheet("{}", 400), True, Range(50, 160, 400)),
        (Words(40), False, Range(5, 16, 40)),
    ],
)
def test_a_reply_is_as_long_as_its_form_allows(
    form: Letter | Sheet | Words, is_local: bool, tokens: Range
) -> None:
    assert reply_tokens(form, is_local=is_local) == tokens
