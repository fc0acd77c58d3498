"""A model and its processor, loaded from a folder or the Hub, answering batches."""

import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from curate.errors import ClientError, MissingPartError
from curate.recipe import TransformersBackend
from curate.resources import resource
from curate.vlm.client import Letter, Prompt, Reply
from curate.vlm.local.checkpoint import Checkpoint, decoded
from curate.vlm.local.one_prefill import LetterReader
from curate.vlm.local.processor import DEMO, load_processor, vlm_name
from curate.vlm.local.written import write

if TYPE_CHECKING:
    from PIL.Image import Image


class LocalModel:
    """Answers batches of prompts: letters by the next token's probabilities, all else by writing."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Nothing is computed yet."""
        self.checkpoint = checkpoint
        self._letters = LetterReader(checkpoint)

    @property
    def name(self) -> str:
        """name@revision."""
        return self.checkpoint.name

    @property
    def plain_because(self) -> str | None:
        """Why the prompts of a clip do not share what they begin with; None while they do."""
        return self._letters.plain_because

    def answer(self, prompts: Sequence[Prompt]) -> list[Reply | Exception]:
        """A reply a prompt, or why there is none, in order."""
        replies: dict[int, Reply | Exception] = {}
        images: dict[str, Image] = {}
        for position, prompt in enumerate(prompts):
            try:
                self.checkpoint.check_letters(prompt)
                images |= {p.sha256: decoded(p) for p in prompt.pictures if p.sha256 not in images}
            except ClientError as error:
                replies[position] = error
        left = [position for position in range(len(prompts)) if position not in replies]
        lettered = [position for position in left if isinstance(prompts[position].form, Letter)]
        written = [position for position in left if position not in lettered]
        told = self._letters.answer([prompts[position] for position in lettered], images)
        told += write(self.checkpoint, [prompts[position] for position in written], images)
        replies |= dict(zip(lettered + written, told, strict=True))
        return [replies[position] for position in range(len(prompts))]


def load_model(backend: TransformersBackend) -> LocalModel:
    """Load model and processor, and set torch's number of threads for the calling thread.

    Only safetensors are read and no code from a repository is run: a
    checkpoint is data.

    Raises:
        MissingPartError: torch or transformers is not installed.
        ClientError: The model cannot be loaded.
    """
    try:
        import torch
        from transformers import AutoModelForImageTextToText
        from transformers.utils.logging import disable_progress_bar
    except ImportError as error:
        raise MissingPartError(
            f"backend transformers needs torch and transformers ({error}). "
            "Install them with: pip install torch transformers"
        ) from error
    disable_progress_bar()  # type: ignore[no-untyped-call]  # curate shows its own
    if backend.threads is not None:
        torch.set_num_threads(backend.threads)
    place = str(resource("demo/model")) if backend.model == DEMO else backend.model
    # A CPU computes fastest in 32 bits; elsewhere the checkpoint's own type fits the memory.
    dtype = torch.float32 if backend.device == "cpu" else "auto"
    try:
        processor = load_processor(place, backend.revision)
        model: Any = AutoModelForImageTextToText.from_pretrained(
            place, revision=backend.revision, dtype=dtype, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise ClientError(f"model {backend.model} cannot be loaded: {error}. Check vlm.model") from error
    name = vlm_name(backend.model, place, model.config)
    letters = _letter_tokens(processor.tokenizer)
    return LocalModel(Checkpoint(name, model.to(backend.device).eval(), processor, letters))


def _letter_tokens(tokenizer: Any) -> dict[str, tuple[int, ...]]:
    """Ids of the single tokens of each letter, with and without a space before it."""
    return {letter: _single_tokens(tokenizer, letter) for letter in string.ascii_uppercase}


def _single_tokens(tokenizer: Any, letter: str) -> tuple[int, ...]:
    spelled = [tokenizer.encode(text, add_special_tokens=False) for text in (letter, f" {letter}")]
    return tuple(dict.fromkeys(ids[0] for ids in spelled if len(ids) == 1))
