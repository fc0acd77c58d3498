"""Transcripts as token ids."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

from train_reference.data.sequences import Sequences
from train_reference.errors import Problem, TrainError, in_short
from train_reference.features.aligned import aligned


def text_sequences(
    clip_ids: Sequence[str],
    transcripts: Sequence[str | None],
    model: str,
    revision: str | None,
    most_tokens: int,
    folder: Path,
) -> Sequences:
    """Token ids of each transcript, cut at `most_tokens`; a clip that says nothing has length 0.

    Raises:
        TrainError: The tokenizer is not at hand.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(model, revision=revision, trust_remote_code=False)
    except (OSError, ValueError) as error:
        what = f"the tokenizer of {model} cannot be loaded ({in_short(error)})"
        fix = "Name a folder or an id that can be reached, or leave text out: modalities=images,keypoints"
        raise TrainError("settings", [Problem("text.model", what, fix)]) from error
    tokens = (
        (
            clip_id,
            np.array(tokenizer(said, truncation=True, max_length=most_tokens)["input_ids"], dtype=np.int64),
        )
        for clip_id, said in zip(clip_ids, transcripts, strict=True)
        if said and said.strip()
    )
    return aligned(tokens, clip_ids, folder, None, "int64")
