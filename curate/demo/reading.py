"""Asks a checkpoint as a run does: one question a prompt, the next token's letters as the answer."""

import hashlib
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.questionnaire import Item, Questionnaire, question_text
from curate.recipe import TransformersBackend
from curate.vlm.client import Letter, Picture, Prompt, Reply
from curate.vlm.local.local_model import load_model

_BATCH = 32


class Reader:
    """A checkpoint in a folder, ready to be asked."""

    def __init__(self, folder: Path) -> None:
        """Load it with transformers; no code of the checkpoint is run."""
        self.local = load_model(TransformersBackend(backend="transformers", model=str(folder), threads=1))

    def chances(
        self, clips: NDArray[np.uint8], questionnaire: Questionnaire, item: Item
    ) -> NDArray[np.float64]:
        """Chance of each letter for one item of each clip, shape (n_clips, n_options), rows sum to 1.

        Args:
            clips: Shape (n_clips, n_pictures, height, width, 3).
            questionnaire: Gives the preamble.
            item: Need not be one of the questionnaire's own.
        """
        replies = self.replies(clips, questionnaire, item)
        logs = np.array([reply.option_logprobs for reply in replies])
        shares: NDArray[np.float64] = np.exp(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True))
        return shares

    def replies(self, clips: NDArray[np.uint8], questionnaire: Questionnaire, item: Item) -> list[Reply]:
        """What came back for one item of each clip."""
        text = question_text(questionnaire, item)
        prompts = [Prompt((*map(_picture, clip), text), Letter(item.letters)) for clip in clips]
        batches = [prompts[start : start + _BATCH] for start in range(0, len(prompts), _BATCH)]
        return [_checked(reply) for batch in batches for reply in self.local.answer(batch)]


def _picture(pixels: NDArray[np.uint8]) -> Picture:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    data = file.getvalue()
    return Picture(hashlib.sha256(data).hexdigest(), lambda digest: data, "image/png")


def _checked(reply: Reply | Exception) -> Reply:
    if isinstance(reply, Exception):
        raise reply
    return reply
