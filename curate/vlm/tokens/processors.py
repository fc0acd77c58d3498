"""Tokens counted by a model's own processor, without the model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from curate.vlm.client import Picture, Prompt
from curate.vlm.local.checkpoint import Checkpoint
from curate.vlm.local.processor import load_processor
from curate.vlm.tokens.ranges import Range, exactly

_MOST_KEPT = 10_000
"""Texts whose length is remembered: questions come again and again, transcripts only once."""


class ProcessorCounter:
    """Counts what the processor makes of words, and of pictures by their size."""

    def __init__(self, model: str, processor: Any) -> None:
        """Count nothing yet."""
        self.said_by = f"the processor of {model}"
        self._processor = processor
        self._checkpoint = Checkpoint(model, None, processor, {})
        self._words: dict[tuple[str | None, ...], int] = {}
        self._pictures: dict[tuple[int, int], int] = {}

    said_by: str

    def prompt(self, prompt: Prompt, size_of: Callable[[Picture], tuple[int, int]]) -> Range:
        """Tokens of a prompt; `size_of` gives its pictures' sizes."""
        pictures = sum(self._beyond_its_sign(size_of(picture)) for picture in prompt.pictures)
        return exactly(self._with_signs(prompt) + pictures)

    def _with_signs(self, prompt: Prompt) -> int:
        """Tokens where each picture is the one token that marks its place."""
        shape = tuple(part if isinstance(part, str) else None for part in prompt.parts)
        if shape not in self._words:
            if len(self._words) >= _MOST_KEPT:
                self._words.clear()
            (ids,) = self._checkpoint.ids([prompt])
            self._words[shape] = len(ids)
        return self._words[shape]

    def _beyond_its_sign(self, size: tuple[int, int]) -> int:
        """Tokens that a picture adds to its sign."""
        if size not in self._pictures:
            self._pictures[size] = self._measured(size)
        return self._pictures[size]

    def _measured(self, size: tuple[int, int]) -> int:
        content = [{"type": "image"}, {"type": "text", "text": "A"}]
        text = self._processor.apply_chat_template([{"role": "user", "content": content}], tokenize=False)
        whole = self._processor(text=[text], images=[[Image.new("RGB", size)]])["input_ids"][0]
        return len(whole) - len(self._processor.tokenizer([text])["input_ids"][0])


def load_counter(place: Path, model: str) -> ProcessorCounter | None:
    """The counter of the processor in a folder; None where there is none that can be loaded."""
    try:
        return ProcessorCounter(model, load_processor(str(place), None))
    except (OSError, ValueError, ImportError):
        return None
