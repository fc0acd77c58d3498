import asyncio
import json
from typing import Any

import pytest

from curate.errors import ClientError, Unreachable
from curate.recipe import OpenAIBackend
from curate.vlm.client import CacheCounts
from curate.vlm.server.connection import Connection
from curate.vlm.server.found import Server, cache_counts, find_server


def find(url: str, model: str = "org/vlm") -> Server:
    async def once() -> Server:
        connection = Connection(OpenAIBackend(backend="openai", model=model, base_url=url), "secret-key")
        try:
            return await find_server(connection, model, {"temperature": 0, "seed": 0})
        finally:
            await connection.close()

    return asyncio.run(once())


def counts(url: str) -> CacheCounts | None:
    async def once() -> CacheCounts | None:
        connection = Connection(OpenAIBackend(backend="openai", model="m", base_url=url), "")
        try:
            return await cache_counts(connection)
        finally:
            await connection.close()

    return asyncio.run(once())


def models(*served: dict[str, object]) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, json.dumps({"data": served}).encode()


def test_vllm_says_what_it_is(vllm_server: Any) -> None:
    server = find(vllm_server.url)
    assert (server.name, server.is_vllm, server.ways.letter) == ("vllm 0.32.0", True, "token_ids")


def test_another_server_is_not_asked_as_vllm(server: Any, as_vllm: Any) -> None:
    as_vllm(server)
    server.pages["/v1/models"] = models({"id": "org/vlm", "owned_by": "llamacpp"})
    found = find(server.url)
    assert (found.name, found.is_vllm) == ("OpenAI-compatible server of llamacpp", False)
    assert all("structured_outputs" not in sent for sent in server.probes)


@pytest.mark.parametrize(
    "page", [(404, {}, b""), (500, {}, b"x"), (200, {}, b"<html>"), (200, {}, b"{}"), models()]
)
def test_a_server_without_a_list_is_taken_at_its_word(server: Any, page: Any) -> None:
    server.pages["/v1/models"] = page
    found = find(server.url)
    assert (found.name, found.is_vllm) == ("OpenAI-compatible server", False)


def test_a_model_that_the_server_does_not_have(server: Any) -> None:
    names = [f"other/{number}" for number in range(11)] + ["org/vlm-2b", "org/vlm-7b\x1b[2J"]
    server.pages["/v1/models"] = models(*({"id": name} for name in names))
    with pytest.raises(ClientError) as caught:
        find(server.url)
    # 13 are served; the ten that are most alike are named, the most alike first.
    said = str(caught.value)
    assert said.startswith(
        f"model org/vlm at {server.url}: the server has no such model. It serves org/vlm-2b, "
    )
    assert said.endswith(" and 3 more. Set vlm.model to one of them")
    assert r"org/vlm-7b\x1b[2J" in said
    assert server.probes == []


def test_a_name_under_a_folder_is_the_model(server: Any) -> None:
    server.pages["/v1/models"] = models({"id": "models/org/vlm"})
    assert not find(server.url).is_vllm


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_taken(server: Any, status: int) -> None:
    server.pages["/v1/models"] = status, {}, b'{"error": {"message": "no secret-key"}}'
    with pytest.raises(ClientError, match=r"no \[key\].*OPENAI_API_KEY"):
        find(server.url)


def test_nobody_listens() -> None:
    with pytest.raises(Unreachable, match="no connection"):
        find("http://127.0.0.1:9/v1")


def test_what_the_prefix_cache_did(server: Any) -> None:
    # Two engines, each with its label; the counters' times of creation are other metrics.
    lines = ["# HELP vllm:prefix_cache_queries_total Prefix cache queries, in tokens."]
    lines += [
        'vllm:prefix_cache_queries_total{engine="0"} 96.0',
        'vllm:prefix_cache_queries_total{engine="1"} 4.0',
    ]
    lines += [
        'vllm:prefix_cache_queries_created{engine="0"} 1.7e+09',
        'vllm:prefix_cache_hits_total{engine="0"} 64.0',
    ]
    server.pages["/metrics"] = 200, {}, "\n".join(lines).encode()
    assert counts(server.url) == CacheCounts(queries=100, hits=64)


@pytest.mark.parametrize(
    "page", [(404, {}, b""), (200, {}, b"\xff"), (200, {}, b"vllm:prefix_cache_hits_total x")]
)
def test_a_server_that_does_not_tell(server: Any, page: Any) -> None:
    server.pages["/metrics"] = page
    assert counts(server.url) is None
