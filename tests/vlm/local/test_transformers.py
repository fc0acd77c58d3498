import asyncio
import hashlib
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from curate.errors import ClientError
from curate.recipe import TransformersBackend
from curate.vlm.client import Abilities, CacheCounts, Letter, Picture, Prompt, Reply
from curate.vlm.local.transformers import TransformersClient, whole_clips


def picture(seed: int) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    data = buffer.getvalue()
    return Picture(hashlib.sha256(data).hexdigest(), lambda digest: data, "image/png")


def prompts() -> list[Prompt]:
    """Different lengths, different numbers of pictures, pictures that recur."""
    shown = [(), (1,), (1, 2), (3, 2), (2, 3), (1, 1), (4, 5, 6), (3, 2), (1, 2)]
    return [question(seeds, f"Which{' one' * (place % 3)}?") for place, seeds in enumerate(shown)]


def question(seeds: Sequence[int], text: str, letters: tuple[str, ...] = ("A", "B", "C")) -> Prompt:
    return Prompt((*map(picture, seeds), text), Letter(letters))


def ask(folder: Path, asked: Sequence[Prompt], batch_size: int) -> tuple[str, list[Reply | BaseException]]:
    async def together() -> tuple[str, list[Reply | BaseException]]:
        backend = TransformersBackend(
            backend="transformers", model=str(folder), batch_size=batch_size, threads=1
        )
        client = TransformersClient(backend)
        replies = await asyncio.gather(*map(client.ask, asked), return_exceptions=True)
        await client.close()
        return client.model, replies

    return asyncio.run(together())


def logprobs(replies: Sequence[Reply | BaseException]) -> list[tuple[float, ...]]:
    assert all(isinstance(reply, Reply) for reply in replies), replies
    return [reply.option_logprobs or () for reply in replies if isinstance(reply, Reply)]


@pytest.fixture(scope="module")
def one_by_one(tiny_vlm: Path) -> list[tuple[float, ...]]:
    return logprobs(ask(tiny_vlm, prompts(), 1)[1])


@pytest.mark.parametrize("batch_size", [3, 16])
def test_a_batch_answers_as_one_by_one(
    tiny_vlm: Path, one_by_one: list[tuple[float, ...]], batch_size: int
) -> None:
    batched = logprobs(ask(tiny_vlm, prompts(), batch_size)[1])
    np.testing.assert_allclose(np.array(batched), np.array(one_by_one), atol=1e-4, rtol=0)


def test_pictures_and_their_order_matter(one_by_one: list[tuple[float, ...]]) -> None:
    # Prompts 3 and 4 show the same two pictures in the other order.
    assert np.abs(np.array(one_by_one[3]) - np.array(one_by_one[4])).max() > 1e-3


def test_the_reply(tiny_vlm: Path) -> None:
    model, (reply,) = ask(tiny_vlm, prompts()[1:2], 1)
    assert isinstance(reply, Reply)
    assert reply.option_logprobs is not None
    weights = hashlib.sha256((tiny_vlm / "model.safetensors").read_bytes()).digest()
    assert model == reply.model == f"tiny-vlm@sha256:{hashlib.sha256(weights).hexdigest()[:16]}"
    assert reply.logprobs_kind == "before_mask"
    assert 0 < sum(map(math.exp, reply.option_logprobs)) < 1  # over all tokens, not only the letters
    # 2 x 2 picture tokens of 16 x 16 pixels between start and end, a token a byte of "Which?", three
    # special tokens, "user" and "assistant" (8 + 4 = 9 + 4 - 1 bytes).
    assert reply.tokens_in == 4 + 2 + len("Which one?") + 3 + len("user") + len("assistant")
    assert (reply.tokens_out, reply.finish_reason, reply.tokens_cached) == (1, "length", 0)
    assert reply.latency_s > 0


def test_a_broken_picture_fails_alone(tiny_vlm: Path) -> None:
    nothing = Picture("0" * 64, lambda digest: b"no picture")
    broken = Prompt((nothing, "Which?"), Letter(("A", "B")))
    good = prompts()[1]
    _, (first, second, third) = ask(tiny_vlm, [good, broken, good], 4)
    assert isinstance(second, ClientError)
    assert "cannot be decoded" in str(second)
    assert isinstance(first, Reply)
    assert isinstance(third, Reply)


def test_a_letter_without_a_token(tiny_vlm: Path) -> None:
    _, (reply, other) = ask(tiny_vlm, [question((), "Which?", ("A", "Ä")), question((), "Which?")], 2)
    assert isinstance(reply, ClientError)
    assert "no token for the letter 'Ä'" in str(reply)
    assert isinstance(other, Reply)


def test_weights_that_could_run_code_are_not_read(tmp_path: Path, tiny_vlm: Path) -> None:
    for path in tiny_vlm.iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ClientError, match="cannot be loaded"):
        TransformersClient(TransformersBackend(backend="transformers", model=str(tmp_path)))


def test_what_the_model_can(tiny_vlm: Path) -> None:
    async def prepared() -> tuple[Abilities, Mapping[str, object], CacheCounts]:
        client = TransformersClient(
            TransformersBackend(backend="transformers", model=str(tiny_vlm), threads=1)
        )
        abilities = await client.prepare()
        counts = await client.cache_counts()
        await client.close()
        return abilities, client.parameters, counts

    abilities, parameters, counts = asyncio.run(prepared())
    assert abilities == Abilities(f"transformers {version('transformers')}", "before_mask", structured=False)
    assert parameters == {"temperature": 0, "logprobs": "before_mask", "structured": False}
    assert counts == CacheCounts(0, 0)  # the trial is no call of the run


def test_tokens_from_a_clips_prefix_are_counted(tiny_vlm: Path) -> None:
    asked = [question((1, 2), f"Which {word}?") for word in ("hand", "eye", "foot")]

    async def counted() -> tuple[list[Reply], CacheCounts]:
        client = TransformersClient(
            TransformersBackend(backend="transformers", model=str(tiny_vlm), threads=1)
        )
        replies = await asyncio.gather(*map(client.ask, asked))
        counts = await client.cache_counts()
        await client.close()
        return replies, counts

    replies, counts = asyncio.run(counted())
    # A special token, "user", two pictures of 4 + 2 tokens and "Which " are the same in all three.
    shared = 1 + len("user") + 2 * 6 + len("Which ")
    assert [reply.tokens_cached for reply in replies] == [0, shared, shared]
    assert counts == CacheCounts(sum(reply.tokens_in or 0 for reply in replies), 2 * shared)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1), st.integers(1, 12))
def test_clips_are_answered_whole_and_in_order(waiting: list[tuple[int, int]], batch_size: int) -> None:
    batches, left = [], waiting
    while left:
        batch, left = whole_clips(left, batch_size, key=lambda each: each[0])
        batches.append(batch)
    assert all(0 < len(batch) <= batch_size for batch in batches)
    assert sorted(each for batch in batches for each in batch) == sorted(waiting)
    for clip, n in Counter(clip for clip, _ in waiting).items():
        assert sum(clip in dict(batch) for batch in batches) == math.ceil(n / batch_size)
    firsts = [batch[0][0] for batch in batches]
    assert firsts == sorted(firsts, key=[clip for clip, _ in waiting].index)


def test_a_prompt_that_waits_when_the_client_closes_is_cancelled(tiny_vlm: Path) -> None:
    async def close_at_once() -> bool:
        client = TransformersClient(
            TransformersBackend(backend="transformers", model=str(tiny_vlm), threads=1)
        )
        waiting = asyncio.create_task(client.ask(prompts()[0]))
        await asyncio.sleep(0)
        await client.close()
        done, _ = await asyncio.wait([waiting], timeout=10)
        return waiting in done

    assert asyncio.run(close_at_once())
