"""How many tokens a prompt and its reply take, before anybody is asked."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from PIL import Image

from curate.recipe import OpenAIBackend, ReplayBackend, Vlm
from curate.resources import resource
from curate.vlm.client import Form, Letter, Picture, Prompt, Sheet
from curate.vlm.local.processor import DEMO
from curate.vlm.server.openai import LETTER_TOKENS
from curate.vlm.tokens.pictures import PictureRule, picture_rule
from curate.vlm.tokens.processors import load_counter
from curate.vlm.tokens.ranges import Range, exactly

Size = tuple[int, int]
"""Width and height, in pixels."""

_TURN = Range(4, 10, 30)
"""Tokens that a chat template puts around the words of one turn."""


class TokenCounter(Protocol):
    """Counts the tokens of prompts."""

    @property
    def said_by(self) -> str:
        """What it rests on, for a reader."""

    def prompt(self, prompt: Prompt, size_of: Callable[[Picture], Size]) -> Range:
        """Tokens of a prompt; `size_of` gives its pictures' sizes."""


@dataclass(frozen=True, slots=True)
class RuleCounter:
    """Counts by the published rule for pictures, and words by their length."""

    rule: PictureRule
    pictures: dict[Size, Range] = field(default_factory=dict)
    """Those counted before."""

    @property
    def said_by(self) -> str:
        """Whose rule it is."""
        return f"{self.rule.said_by} for pictures, words by their length"

    def prompt(self, prompt: Prompt, size_of: Callable[[Picture], Size]) -> Range:
        """Tokens of a prompt; `size_of` gives its pictures' sizes."""
        return sum(
            (self._picture(size_of(picture)) for picture in prompt.pictures), text_tokens(prompt.text) + _TURN
        )

    def _picture(self, size: Size) -> Range:
        if size not in self.pictures:
            self.pictures[size] = self.rule.tokens(*size)
        return self.pictures[size]


def token_counter(vlm: Vlm) -> TokenCounter:
    """Who counts for a recipe's model.

    The model's own processor where it lies on this machine (in a folder, or in
    the Hub's cache), without its weights and without the network; else the
    published rule for models of its name; else a general rule.
    """
    place = _place(vlm)
    own = load_counter(place, str(getattr(vlm, "model", ""))) if place else None
    return own or RuleCounter(_rule(vlm))


def prompt_estimate(vlm: Vlm) -> Callable[[Prompt], int] | None:
    """Tokens of a prompt at most, where a server does not tell them; None where no server is paid.

    By rules alone, so that nothing is loaded for it. A picture's size is read
    from its first bytes.
    """
    if not isinstance(vlm, OpenAIBackend):
        return None
    counter = RuleCounter(_rule(vlm))
    return lambda prompt: round(counter.prompt(prompt, sent_size).high)


def text_tokens(text: str) -> Range:
    """A token for four bytes of UTF-8; one for five at least, one for three at most.

    Four characters of English a token is what vendors name
    (https://platform.openai.com/tokenizer). Bytes, because other scripts take
    more tokens a character about as they take more bytes.
    """
    n_bytes = len(text.encode(errors="replace"))
    return Range(n_bytes / 5, n_bytes / 4, n_bytes / 3)


def reply_tokens(form: Form, *, is_local: bool) -> Range:
    """Tokens of a reply by the form that is asked for.

    Args:
        form: What is asked for.
        is_local: Whether a model in this process answers, which says one
            letter where one is asked for.

    Returns:
        Of a letter from a server: 1 to what there is room for. Of a sheet of
        letters: its length in characters is known. Of free text: the room that
        is left is twice to three times what is asked for in words.
    """
    if isinstance(form, Letter):
        return exactly(1) if is_local else Range(1, 2, LETTER_TOKENS)
    if isinstance(form, Sheet) and form.letters:
        return Range(form.max_tokens / 5, form.max_tokens / 3, form.max_tokens)
    return Range(form.max_tokens / 8, 0.4 * form.max_tokens, form.max_tokens)


def sent_size(picture: Picture) -> Size:
    """Width and height of an encoded picture; its pixels are not decoded."""
    with Image.open(io.BytesIO(picture.data)) as opened:
        return opened.size


def _rule(vlm: Vlm) -> PictureRule:
    return picture_rule(str(getattr(vlm, "model", "")))


def _place(vlm: Vlm) -> Path | None:
    """Where the model's processor lies; None where it is not on this machine or cannot be loaded here."""
    if isinstance(vlm, ReplayBackend) or find_spec("transformers") is None or find_spec("torch") is None:
        return None
    if isinstance(vlm, OpenAIBackend):
        # A name without an owner is a vendor's, or a folder of the server's.
        return _cached(vlm.model, None) if vlm.model.count("/") == 1 else None
    if vlm.model == DEMO:
        return resource("demo/model")
    return Path(vlm.model) if Path(vlm.model).is_dir() else _cached(vlm.model, vlm.revision)


def _cached(model: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
