import asyncio
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from curate.errors import BadReply
from curate.recipe import OpenAIBackend
from curate.vlm.client import Abilities, CacheCounts, Letter, Pace, Picture, Prompt, Reply, Sheet, Words
from curate.vlm.server.openai import OpenAIClient

BYTES = {"1" * 64: b"one", "2" * 64: b"two"}
ONE, TWO = Picture("1" * 64, BYTES.__getitem__), Picture("2" * 64, BYTES.__getitem__, "image/png")
LETTER = Prompt((ONE, TWO, "Which?"), Letter(("A", "B", "C")))
SCHEMA = '{"type":"object","properties":{"gaze":{"enum":["A","B"]},"brows":{"enum":["A","C"]}}}'
SHEET = Prompt((ONE, "All?"), Sheet(SCHEMA, 40, (("gaze", ("A", "B")), ("brows", ("A", "C")))))
WORDS = Prompt((ONE, "What happens?"), Words(30))
Answered = Callable[..., tuple[int, dict[str, str], bytes]]


async def told(url: str, *prompts: Prompt, **settings: Any) -> tuple[OpenAIClient, Abilities, list[Reply]]:
    backend = OpenAIBackend(backend="openai", model="org/vlm", revision="r1", base_url=url, **settings)
    client = OpenAIClient(backend, "secret-key")
    try:
        abilities = await client.prepare()
        return client, abilities, [await client.ask(prompt) for prompt in prompts]
    finally:
        await client.close()


def ask(url: str, *prompts: Prompt, **settings: Any) -> list[Reply]:
    return asyncio.run(told(url, *prompts, **settings))[2]


def lists_five(answered: Answered) -> Callable[[dict[str, object]], Any]:
    return lambda sent: answered(("hello", {"hello": -0.1, "Hi": -2.5}))


def test_parts_travel_in_their_order(server: Any) -> None:
    between = Prompt((ONE, "He nods.", TWO, 'Which "one"?\n'), Letter(("A", "B")))
    ask(server.url, between, temperature=0.5, seed=7)
    (sent,) = server.bodies
    (message,) = sent["messages"]
    assert message == {
        "role": "user",
        "content": [
            {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,b25l"}},  # base64 of "one"
            {"type": "text", "text": "He nods."},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,dHdv"}},  # of "two"
            {"type": "text", "text": 'Which "one"?\n'},
        ],
    }
    assert (sent["model"], sent["temperature"], sent["seed"]) == ("org/vlm", 0.5, 7)


def test_a_draw_has_its_seed_and_a_sample_its_temperature(server: Any) -> None:
    drawn = Prompt(("Which?",), Letter(("A", "B")), draw=3, warm=True, again="canary")
    ask(server.url, drawn, seed=7)
    (sent,) = server.bodies
    assert (sent["temperature"], sent["seed"]) == (1, 10)
    assert "canary" not in json.dumps(sent)


def test_vllm_is_asked_for_a_letter_by_its_ids(vllm_server: Any, answered: Answered) -> None:
    top = {"A": -0.5, " A": -9.0, "B": -1.5, " B": -9.0, "C": -3.0, " C": -9999.0}
    vllm_server.answer = lambda n, sent: answered(("A", top))
    (reply,) = ask(vllm_server.url, LETTER)
    (sent,) = vllm_server.bodies
    # The tokens of "A", " A", "B", and so on, in the fake's vocabulary.
    ids = [65, 1065, 66, 1066, 67, 1067]
    assert sent["logprob_token_ids"] == sent["allowed_token_ids"] == ids
    assert (sent["logprobs"], sent["max_tokens"], "top_logprobs" in sent) == (True, 1, False)
    a, b = (math.log(math.exp(alone) + math.exp(-9)) for alone in (-0.5, -1.5))  # "A" and " A"
    assert reply.option_logprobs == pytest.approx((a, b, -3.0))
    assert reply.logprobs_kind == "before_mask"


def test_vllm_is_asked_for_json_with_the_letters_ids(vllm_server: Any, answered: Answered) -> None:
    gaze, brows = {"A": -0.2, "B": -1.7, "C": -9999.0}, {"A": -2.0, "C": -0.1, "B": -9999.0}
    tokens = [('{"gaze":"', {"A": -9999.0}), ("A", gaze), ('","brows":"', {}), ("C", brows), ('"}', {})]
    vllm_server.answer = lambda n, sent: answered(*tokens)
    (reply,) = ask(vllm_server.url, SHEET)
    (sent,) = vllm_server.bodies
    assert sent["structured_outputs"] == {"json": json.loads(SCHEMA)}
    assert (sent["logprob_token_ids"], sent["max_tokens"]) == ([65, 1065, 66, 1066, 67, 1067], 40)
    # By rank they would be missing where the engine computes letters in the same batch.
    assert "top_logprobs" not in sent
    assert "allowed_token_ids" not in sent
    assert reply.field_logprobs == {"gaze": pytest.approx((-0.2, -1.7)), "brows": pytest.approx((-2.0, -0.1))}
    assert (reply.text, reply.logprobs_kind) == ('{"gaze":"A","brows":"C"}', "after_mask")


def test_an_older_vllm_is_asked_for_a_choice(server: Any, as_vllm: Any, answered: Answered) -> None:
    as_vllm(server, by_id=False)
    server.answer = lambda n, sent: answered(("B", {"B": -0.1, "A": -2.4, "C": -9999.0}))
    (reply,) = ask(server.url, LETTER)
    (sent,) = server.bodies
    assert (sent["structured_outputs"], sent["top_logprobs"]) == ({"choice": ["A", "B", "C"]}, 20)
    assert reply.option_logprobs == pytest.approx((-2.4, -0.1, -math.inf))
    assert reply.logprobs_kind == "after_mask"


def test_another_server_is_asked_by_words(server: Any, answered: Answered) -> None:
    server.probed = lists_five(answered)
    server.answer = lambda n, sent: answered(("B", {"B": -0.1, "A": -2.4}))
    (reply,) = ask(server.url, LETTER)
    (sent,) = server.bodies
    assert (sent["logprobs"], sent["top_logprobs"], sent["max_tokens"]) == (True, 20, 16)
    assert sent.keys() == {
        "model",
        "temperature",
        "seed",
        "messages",
        "logprobs",
        "top_logprobs",
        "max_tokens",
    }
    assert reply.option_logprobs == pytest.approx((-2.4, -0.1, -math.inf))
    assert reply.logprobs_kind == "before_mask"


def test_another_server_that_keeps_to_a_schema(server: Any, answered: Answered) -> None:
    server.probed = lambda sent: answered(('{"answer":"', {}), ("Q", {"Q": 0.0}), ('"}', {}))
    ask(server.url, SHEET)
    (sent,) = server.bodies
    wanted = {"name": "answers", "strict": True, "schema": json.loads(SCHEMA)}
    assert sent["response_format"] == {"type": "json_schema", "json_schema": wanted}


def test_without_a_schema_and_without_probabilities_the_words_must_do(server: Any) -> None:
    letter, sheet = ask(server.url, LETTER, SHEET)
    for sent in server.bodies:
        assert sent.keys() == {"model", "temperature", "seed", "messages", "max_tokens"}
    assert (letter.option_logprobs, sheet.field_logprobs, sheet.logprobs_kind) == (None, None, None)


def test_free_words(vllm_server: Any, answered: Answered) -> None:
    vllm_server.answer = lambda n, sent: answered(("She turns away.", {}))
    (reply,) = ask(vllm_server.url, WORDS)
    (sent,) = vllm_server.bodies
    assert sent.keys() == {"model", "temperature", "seed", "messages", "max_tokens"}
    assert (reply.text, reply.model, reply.logprobs_kind) == ("She turns away.", "org/vlm@r1", None)
    assert reply.latency_s > 0


def test_the_way_of_asking_is_part_of_what_decides_a_reply(
    server: Any, as_vllm: Any, answered: Answered
) -> None:
    client, abilities, _ = asyncio.run(told(server.url, concurrency=3, retries=2, gone_after_s=9))
    plain = {"letter": "words", "sheet": "words", "alternatives": None, "logprobs": None, "structured": False}
    assert client.parameters == {"temperature": 0, "seed": 0, **plain}
    assert abilities == Abilities("OpenAI-compatible server", logprobs=None, structured=False)
    assert (client.model, client.pace) == ("org/vlm@r1", Pace(3, 2, 9))
    as_vllm(server)
    client, abilities, _ = asyncio.run(told(server.url))
    ways = {"letter": "token_ids", "sheet": "structured_outputs", "alternatives": 20}
    assert client.parameters == {
        "temperature": 0,
        "seed": 0,
        **ways,
        "logprobs": "before_mask",
        "structured": True,
    }
    assert abilities == Abilities("vllm 0.32.0", logprobs="before_mask", structured=True)


def test_a_client_that_was_not_prepared_does_not_guess(server: Any) -> None:
    client = OpenAIClient(OpenAIBackend(backend="openai", model="m", base_url=server.url), "")
    with pytest.raises(RuntimeError, match="prepare"):
        dict(client.parameters)
    asyncio.run(client.close())


def test_a_body_that_is_no_completion_shows_what_it_was_but_not_the_key(server: Any) -> None:
    server.answer = lambda n, sent: (200, {}, b"<html>secret-key \x1b[2J</html>")
    with pytest.raises(BadReply) as caught:
        ask(server.url, LETTER)
    assert r"no chat completion" in str(caught.value)
    assert str(caught.value).endswith(r"<html>[key] \x1b[2J</html>")


def test_the_prefix_cache_is_asked_about_where_there_is_one(server: Any, as_vllm: Any) -> None:
    async def counts() -> CacheCounts | None:
        client = OpenAIClient(OpenAIBackend(backend="openai", model="org/vlm", base_url=server.url), "")
        await client.prepare()
        try:
            return await client.cache_counts()
        finally:
            await client.close()

    told_by = b"vllm:prefix_cache_queries_total 8\nvllm:prefix_cache_hits_total 6\n"
    server.pages["/metrics"] = 200, {}, told_by
    assert asyncio.run(counts()) is None
    as_vllm(server)
    assert asyncio.run(counts()) == CacheCounts(queries=8, hits=6)
