"""A model and its processor, loaded from a folder or the Hub, answering batches."""

import hashlib
import io
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.errors import ClientError, MissingPartError
from curate.recipe import TransformersBackend
from curate.resources import resource
from curate.vlm.client import Picture, Prompt, Reply

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

DEMO = "demo"
"""Names the small model that ships with curate."""


@dataclass(frozen=True, slots=True)
class LocalModel:
    """Answers batches of prompts with the log-probabilities of their letters."""

    name: str
    """name@revision."""
    model: Any
    processor: Any
    letters: Mapping[str, tuple[int, ...]]
    """Ids of the single tokens that stand for a letter."""

    def answer(self, prompts: Sequence[Prompt]) -> list[Reply | Exception]:
        """A reply a prompt, or why there is none, in order.

        Log-probabilities are of the next token after the generation prompt,
        over the whole vocabulary; a letter's is the sum over its tokens ("A"
        and " A").
        """
        replies: dict[int, Reply | Exception] = {}
        images: dict[str, Image] = {}
        for position, prompt in enumerate(prompts):
            try:
                images |= {p.sha256: _image(p) for p in prompt.pictures if p.sha256 not in images}
            except ClientError as error:
                replies[position] = error
        left = [position for position in range(len(prompts)) if position not in replies]
        # Prompts with as many pictures are about as long: less padding.
        left.sort(key=lambda position: len(prompts[position].pictures))
        for _, group in groupby(left, key=lambda position: len(prompts[position].pictures)):
            chosen = list(group)
            answered = self._answer_alike([prompts[position] for position in chosen], images)
            replies |= dict(zip(chosen, answered, strict=True))
        return [replies[position] for position in range(len(prompts))]

    def _answer_alike(self, prompts: Sequence[Prompt], images: Mapping[str, "Image"]) -> list[Reply]:
        """Replies to prompts with the same number of pictures, in one pass."""
        import torch

        inputs = self._inputs(prompts, images).to(self.model.device)
        with torch.inference_mode():
            logits = self.model(**inputs, logits_to_keep=1, use_cache=False).logits[:, -1]  # (n, vocabulary)
        logprobs = logits.float().log_softmax(dim=-1)
        n_tokens = inputs["attention_mask"].sum(dim=1).tolist()
        return [
            self._reply(prompt, row, count)
            for prompt, row, count in zip(prompts, logprobs, n_tokens, strict=True)
        ]

    def _inputs(self, prompts: Sequence[Prompt], images: Mapping[str, "Image"]) -> Any:
        texts = [self._templated(prompt) for prompt in prompts]
        pictures = [[images[picture.sha256] for picture in prompt.pictures] for prompt in prompts]
        # Padding on the left puts every prompt's last token in the last column.
        return self.processor(
            text=texts,
            images=pictures if prompts[0].pictures else None,
            padding=True,
            padding_side="left",
            return_tensors="pt",
        )

    def _templated(self, prompt: Prompt) -> str:
        content = [*({"type": "image"} for _ in prompt.pictures), {"type": "text", "text": prompt.text}]
        conversation = [{"role": "user", "content": content}]
        text: str = self.processor.apply_chat_template(
            conversation, add_generation_prompt=True, tokenize=False
        )
        return text

    def _reply(self, prompt: Prompt, logprobs: "torch.Tensor", n_tokens: int) -> Reply:
        """A reply from the log-probabilities of the next token, shape (vocabulary,)."""
        letters = tuple(float(logprobs[self._tokens(letter)].logsumexp(dim=0)) for letter in prompt.options)
        return Reply(
            text=self.processor.tokenizer.decode([int(logprobs.argmax())]),
            model=self.name,
            option_logprobs=letters,
            logprobs_kind="before_mask",
            finish_reason="length",
            tokens_in=n_tokens,
            tokens_out=1,
        )

    def _tokens(self, letter: str) -> list[int]:
        if not self.letters.get(letter):
            raise ClientError(f"model {self.name} has no token for the letter {letter!r}. Use another model")
        return list(self.letters[letter])


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
        processor = _load_processor(place, backend.revision)
        model: Any = AutoModelForImageTextToText.from_pretrained(
            place, revision=backend.revision, dtype=dtype, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise ClientError(f"model {backend.model} cannot be loaded: {error}. Check vlm.model") from error
    return LocalModel(
        name=_name(backend.model, place, model.config),
        model=model.to(backend.device).eval(),
        processor=processor,
        letters=_letter_tokens(processor.tokenizer),
    )


def _load_processor(place: str, revision: str | None) -> Any:
    """The model's processor; where it wants torchvision and there is none, its part for pictures.

    torchvision is wanted by processors of videos only, and pictures are all that is sent.
    """
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

    auto: Any = transformers  # its Auto classes bear no types
    source = {"revision": revision or "main", "trust_remote_code": False}
    try:
        return auto.AutoProcessor.from_pretrained(place, **source)
    except ImportError:
        kind = PROCESSOR_MAPPING[type(auto.AutoConfig.from_pretrained(place, **source))]
    tokenizer = auto.AutoTokenizer.from_pretrained(place, **source)
    return _pictures_only(kind)(
        image_processor=auto.AutoImageProcessor.from_pretrained(place, **source),
        tokenizer=tokenizer,
        chat_template=tokenizer.chat_template,
    )


def _pictures_only(kind: Any) -> Any:
    """A processor class that does without its video processor."""

    class PicturesOnly(kind):  # type: ignore[misc]
        # transformers reads the parts of a processor from this signature.
        def __init__(
            self,
            image_processor: object = None,
            tokenizer: object = None,
            video_processor: None = None,
            chat_template: str | None = None,
        ) -> None:
            super().__init__(image_processor, tokenizer, video_processor, chat_template=chat_template)

        def check_argument_for_proper_class(self, argument_name: str, argument: object) -> object:
            if argument_name == "video_processor":
                return None
            return super().check_argument_for_proper_class(argument_name, argument)

    return PicturesOnly


def _name(model: str, place: str, config: Any) -> str:
    folder = Path(place)
    if not folder.is_dir():
        return f"{model}@{config._commit_hash}"
    # The folder's own name: where it lies on this machine decides no reply.
    return f"{DEMO if model == DEMO else folder.resolve().name}@sha256:{_weights_digest(folder)}"


def _weights_digest(folder: Path) -> str:
    """First 16 hex digits of the sha256 over the safetensors files, in order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:16]


def _image(picture: Picture) -> "Image":
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(picture.data)).convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ClientError(f"picture {picture.sha256} cannot be decoded: {error}") from error


def _letter_tokens(tokenizer: Any) -> dict[str, tuple[int, ...]]:
    """Ids of the single tokens of each letter, with and without a space before it."""
    return {letter: _single_tokens(tokenizer, letter) for letter in string.ascii_uppercase}


def _single_tokens(tokenizer: Any, letter: str) -> tuple[int, ...]:
    spelled = [tokenizer.encode(text, add_special_tokens=False) for text in (letter, f" {letter}")]
    return tuple(dict.fromkeys(ids[0] for ids in spelled if len(ids) == 1))
