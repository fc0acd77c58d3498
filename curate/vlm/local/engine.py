"""vLLM's engine, started and spoken to in its own terms."""

import os
from collections.abc import Mapping
from typing import Any

from curate.errors import ClientError
from curate.recipe import VllmBackend
from curate.vlm.client import Letter, Prompt, Sheet
from curate.vlm.server.said import shown
from curate.vlm.spellings import ALONE, QUOTED, token_ids

MOST_PICTURES = 256
"""Pictures a prompt, at most; far more than a recipe asks for. Room is taken as they come."""

CPU_BLOCK_TOKENS = 32
"""A block is what the prefix cache keeps or drops. On a CPU vLLM would take 128 tokens, longer
than what the short prompts of a small model share."""


def start_engine(backend: VllmBackend, place: str) -> Any:
    """An AsyncLLM with prefix caching, from a folder or a Hub id.

    Raises:
        ClientError: It does not start with this model.
    """
    # vLLM reads these when it is imported. It would report what is run to its makers, and its log
    # would run through curate's own progress.
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.platforms import current_platform
    from vllm.v1.engine.async_llm import AsyncLLM

    try:
        arguments = AsyncEngineArgs(
            model=place,
            revision=backend.revision,
            tokenizer_revision=backend.revision,
            trust_remote_code=False,
            # No format that could run code when it is read.
            load_format="safetensors",
            use_tqdm_on_load=False,
            dtype=backend.dtype,
            seed=backend.seed,
            max_model_len=backend.max_model_len,
            max_num_seqs=backend.max_num_seqs,
            tensor_parallel_size=backend.tensor_parallel,
            enable_prefix_caching=True,
            limit_mm_per_prompt={"image": MOST_PICTURES, "video": 0},
            # A weak model would fill the reply with the white space that JSON allows.
            structured_outputs_config={"backend": "xgrammar", "disable_any_whitespace": True},
            **_device(backend, on_cpu=current_platform.is_cpu()),
        )
        return AsyncLLM.from_engine_args(arguments)
    except (OSError, ValueError, RuntimeError) as error:
        said = shown(str(error))
        raise ClientError(
            f"model {backend.model}: vLLM's engine does not start: {said}. Check vlm"
        ) from error


def _device(backend: VllmBackend, *, on_cpu: bool) -> dict[str, Any]:
    """What the engine is told of the device. On a CPU graphs are compiled for minutes and gain little."""
    if on_cpu:
        return {"block_size": CPU_BLOCK_TOKENS, "enforce_eager": True}
    return {"gpu_memory_utilization": backend.gpu_memory_share}


def sampling_of(backend: VllmBackend, prompt: Prompt, tokens: Mapping[str, int]) -> Any:
    """The engine's sampling parameters for a prompt.

    Log-probabilities are always asked for by token id: in a batch of both kinds
    vLLM leaves out those that are asked for by rank.

    Raises:
        ClientError: A letter is no single token.
    """
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    asked: dict[str, Any] = {
        "temperature": 1.0 if prompt.warm else backend.temperature,
        "seed": backend.seed + prompt.draw,
        # The reply is wanted whole.
        "output_kind": RequestOutputKind.FINAL_ONLY,
    }
    form = prompt.form
    if isinstance(form, Letter):
        _check(form.letters, tokens)
        ids = token_ids(tokens, form.letters, ALONE)
        return SamplingParams(max_tokens=1, logprob_token_ids=ids, allowed_token_ids=ids, **asked)
    if isinstance(form, Sheet):
        letters = dict.fromkeys(letter for _, several in form.letters for letter in several)
        asked["logprob_token_ids"] = token_ids(tokens, letters, ALONE + QUOTED) or None
        asked["structured_outputs"] = StructuredOutputsParams(json=form.schema)
    return SamplingParams(max_tokens=form.max_tokens, **asked)


def _check(letters: tuple[str, ...], tokens: Mapping[str, int]) -> None:
    missing = [letter for letter in letters if not token_ids(tokens, [letter])]
    if missing:
        raise ClientError(f"the model has no token for the letter {missing[0]!r}. Use another model")
