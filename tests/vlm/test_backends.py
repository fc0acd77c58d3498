from importlib.util import find_spec
from pathlib import Path

import pytest

from curate.errors import ClientError, MissingPartError
from curate.recipe import OpenAIBackend, ReplayBackend, TransformersBackend, VllmBackend
from curate.resources import resource
from curate.vlm.backends import open_client, vlm_files


def test_only_the_named_variable_is_looked_up() -> None:
    vlm = OpenAIBackend(backend="openai", model="m", api_key_env="MY_KEY")
    with pytest.raises(ClientError, match="MY_KEY"):
        open_client(vlm, {"MY_KEY": "two\nlines", "OPENAI_API_KEY": "sk-good"})


def test_a_server_elsewhere_is_not_asked_without_a_key() -> None:
    vlm = OpenAIBackend(backend="openai", model="m", base_url="https://api.example.org/v1")
    with pytest.raises(ClientError, match="OPENAI_API_KEY is not set"):
        open_client(vlm, {})


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed here")
def test_vllm_is_a_part_of_its_own() -> None:
    with pytest.raises(MissingPartError, match=r"pip install 'curate\[vllm\]'"):
        open_client(VllmBackend(backend="vllm", model="demo"), {})


def test_the_files_that_answer(tmp_path: Path) -> None:
    weights = resource("demo/model") / "model.safetensors"
    for vlm in (
        TransformersBackend(backend="transformers", model="demo"),
        VllmBackend(backend="vllm", model="demo"),
    ):
        ((name, size, _),) = vlm_files(vlm)
        assert (name, size) == ("model.safetensors", weights.stat().st_size)
    ledger = tmp_path / "ledger.sqlite"
    replay = ReplayBackend(backend="replay", ledger=ledger)
    assert vlm_files(replay) == []
    ledger.write_bytes(b"four")
    assert vlm_files(replay)[0][:2] == ("ledger.sqlite", 4)
    assert vlm_files(OpenAIBackend(backend="openai", model="m")) == []
