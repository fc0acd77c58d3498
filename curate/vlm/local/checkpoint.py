"""A loaded model with its processor: prompts in, tensors out."""

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.errors import ClientError
from curate.vlm.client import Letter, Picture, Prompt, Reply
from curate.vlm.desk.keys import prompt_digest

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

Images = Mapping[str, "Image"]
"""Decoded pictures, by digest."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model and its processor."""

    name: str
    """name@revision."""
    model: Any
    processor: Any
    letters: Mapping[str, tuple[int, ...]]
    """Ids of the single tokens that stand for a letter."""

    def check_letters(self, prompt: Prompt) -> None:
        """Raise ClientError where a letter that is asked for is no single token."""
        missing = [letter for letter in _letters(prompt) if not self.letters.get(letter)]
        if missing:
            raise ClientError(
                f"model {self.name} has no token for the letter {missing[0]!r}. Use another model"
            )

    def inputs(self, prompts: Sequence[Prompt], images: Images, padding_side: str = "left") -> Any:
        """Tensors of prompts with as many pictures each, on the model's device.

        Padding on the left puts every prompt's last token in the last column.
        """
        pictures = [[images[picture.sha256] for picture in prompt.pictures] for prompt in prompts]
        tensors = self.processor(
            text=[self._templated(prompt) for prompt in prompts],
            images=pictures if prompts[0].pictures else None,
            padding=True,
            padding_side=padding_side,
            add_special_tokens=False,  # the chat template has put them already
            return_tensors="pt",
        )
        return tensors.to(self.model.device)

    def ids(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """Token ids of each prompt, a picture still being the one token that marks its place."""
        texts = [self._templated(prompt) for prompt in prompts]
        found: list[list[int]] = self.processor.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return found

    def letter_reply(self, prompt: Prompt, logits: "torch.Tensor", n_tokens: int, n_cached: int = 0) -> Reply:
        """A reply from the logits of the next token, shape (vocabulary,).

        A letter's log-probability is the sum over its tokens ("A" and " A"),
        over the whole vocabulary.
        """
        logprobs = logits.float().log_softmax(dim=-1)
        said = logprobs + noise(prompt, len(logprobs)).to(logprobs.device) if prompt.warm else logprobs
        return Reply(
            text=self.processor.tokenizer.decode([int(said.argmax())]),
            model=self.name,
            option_logprobs=tuple(
                float(logprobs[list(self.letters[letter])].logsumexp(dim=0)) for letter in _letters(prompt)
            ),
            logprobs_kind="before_mask",
            finish_reason="length",
            tokens_in=n_tokens,
            tokens_out=1,
            tokens_cached=n_cached,
        )

    def _templated(self, prompt: Prompt) -> str:
        added = self.processor.tokenizer.get_added_vocab()
        content = [
            {"type": "image"} if isinstance(part, Picture) else {"type": "text", "text": _plain(part, added)}
            for part in prompt.parts
        ]
        text: str = self.processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )
        return text


def decoded(picture: Picture) -> "Image":
    """The pixels of a picture.

    Raises:
        ClientError: It cannot be decoded.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(picture.data)).convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ClientError(f"picture {picture.sha256} cannot be decoded: {error}") from error


def noise(prompt: Prompt, size: int, step: int = 0) -> "torch.Tensor":
    """Standard Gumbel noise, shape (size,), decided by the prompt and the place of the token.

    The largest of log-probabilities with such noise is a draw from them, and
    the same draw whatever else is in the batch (Maddison, Tarlow & Minka 2014,
    A* Sampling, section 2, https://arxiv.org/abs/1411.0030).
    """
    import torch

    seed = hashlib.sha256(f"{prompt_digest(prompt)} {step}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(seed[:7]))
    uniform = torch.rand(size, generator=generator).clamp_(min=1e-30)
    return -(-uniform.log()).clamp_(min=1e-30).log()


def _letters(prompt: Prompt) -> tuple[str, ...]:
    return prompt.form.letters if isinstance(prompt.form, Letter) else ()


def _plain(text: str, added: Iterable[str]) -> str:
    """Words that stay words: a name of one of the tokenizer's own signs is taken apart.

    What is said in a clip must neither end the turn nor stand for a picture.
    """
    for sign in added:
        if sign in text:
            text = text.replace(sign, f"{sign[:1]} {sign[1:]}")
    return text
