"""Letters from the next token's probabilities, with one pass over what a clip's prompts share."""

import itertools
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curate.vlm.client import Picture, Prompt, Reply
from curate.vlm.local.checkpoint import Checkpoint, Images

if TYPE_CHECKING:
    import torch

_BY_TOKEN = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")
"""Inputs with a column a token."""


class CannotShareError(Exception):
    """Prompts do not begin with the same tokens, or the model does not go on from a prefix."""


@dataclass(frozen=True, slots=True)
class _Clip:
    """Prompts about the same pictures, which come before all that differs."""

    places: tuple[int, ...]
    """Of the prompts in their batch."""
    suffixes: tuple[tuple[int, ...], ...]
    """Token ids of each prompt after those that all share; none is empty."""


class LetterReader:
    """Answers prompts that ask for a letter.

    The prompts of a clip begin alike. That beginning, pictures included, is
    computed once; its cache is then spread over the clip's prompts, of which
    only the rest is computed, padded on the right where no token sees it. Clip
    by clip: what else waits changes no bit of a reply, so that a run made again
    is the same to the byte. Not
    every model can go on from a cache so: the first batch, and the first one
    of much longer prompts, are also computed the plain way, and a model that
    does not say the same is asked the plain way from then on.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Nothing is computed yet."""
        self.plain_because: str | None = None
        """Why prompts are computed each on its own; None while they share."""
        self._checkpoint = checkpoint
        self._longest_checked = 0

    def answer(self, prompts: Sequence[Prompt], images: Images) -> list[Reply]:
        """A reply a prompt, in order."""
        replies: dict[int, Reply] = {}
        for places in _by_clip(prompts):
            replies |= self._shared(places, prompts, images) or _plain(
                self._checkpoint, places, prompts, images
            )
        return [replies[place] for place in range(len(prompts))]

    def _shared(self, places: list[int], prompts: Sequence[Prompt], images: Images) -> dict[int, Reply]:
        """Replies by place; none where there is nothing to share, or the model turns out not to."""
        if self.plain_because or len(places) < 2 or not prompts[places[0]].pictures:
            return {}
        try:
            clip = _clip(self._checkpoint, places, prompts)
            replies = _from_prefix(self._checkpoint, clip, prompts, images)
            longest = max(reply.tokens_in or 0 for reply in replies.values())
            if longest > 2 * self._longest_checked:
                plain = _plain(self._checkpoint, list(replies), prompts, images)
                _check_same(replies, plain, _tolerance(self._checkpoint))
                self._longest_checked = longest
        except CannotShareError as error:
            self.plain_because = str(error)
            return {}
        return replies


def _by_clip(prompts: Sequence[Prompt]) -> list[list[int]]:
    """Places of the prompts that are computed together."""
    places: dict[Hashable, list[int]] = {}
    for place, prompt in enumerate(prompts):
        places.setdefault(together(prompt), []).append(place)
    return list(places.values())


def together(prompt: Prompt) -> Hashable:
    """What is the same for all prompts that are computed together: what they show, and what for.

    A control that shows another clip's pictures is no part of that clip: it may
    come at any time.
    """
    return opening(prompt), prompt.again


def opening(prompt: Prompt) -> tuple[Hashable, ...]:
    """What a prompt shows: its parts up to the last picture; empty without a picture."""
    last = max((place for place, part in enumerate(prompt.parts) if isinstance(part, Picture)), default=-1)
    return prompt.parts[: last + 1]


def _clip(checkpoint: Checkpoint, places: Sequence[int], prompts: Sequence[Prompt]) -> _Clip:
    rows = checkpoint.ids([prompts[place] for place in places])
    # At least one token is left of each prompt: it is the one that the letter comes after.
    longest = min(map(len, rows)) - 1
    differs = (place for place in range(longest) if len({row[place] for row in rows}) > 1)
    n_shared = next(differs, longest)
    return _Clip(tuple(places), tuple(tuple(row[n_shared:]) for row in rows))


def _from_prefix(
    checkpoint: Checkpoint, clip: _Clip, prompts: Sequence[Prompt], images: Images
) -> dict[int, Reply]:
    """Replies to the prompts of a clip, by place.

    Raises:
        CannotShareError: See there.
    """
    import torch

    inputs = checkpoint.inputs([prompts[clip.places[0]]], images)
    n_prefix = _prefix_length(inputs, clip)
    try:
        with torch.inference_mode():
            logits = _logits(checkpoint, inputs, n_prefix, clip.suffixes)
    except torch.OutOfMemoryError:
        raise
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise CannotShareError(
            f"it does not go on from a prefix ({type(error).__name__}: {error})"
        ) from error
    rows = zip(clip.places, clip.suffixes, logits, strict=True)
    return {
        place: checkpoint.letter_reply(prompts[place], row, n_prefix + len(suffix), n_prefix * (nth > 0))
        for nth, (place, suffix, row) in enumerate(rows)
    }


def _prefix_length(inputs: Any, clip: _Clip) -> int:
    """Tokens of the shared beginning, pictures included.

    Raises:
        CannotShareError: The processor made other tokens than the tokenizer alone.
    """
    (row,) = inputs["input_ids"].tolist()
    n_suffix = len(clip.suffixes[0])
    if tuple(row[-n_suffix:]) != clip.suffixes[0]:
        raise CannotShareError("the words after the pictures are not the same tokens in every prompt")
    return len(row) - n_suffix


def _logits(
    checkpoint: Checkpoint, inputs: Any, n_prefix: int, suffixes: Sequence[tuple[int, ...]]
) -> "torch.Tensor":
    """Logits after the last token of each suffix, shape (n_suffixes, vocabulary).

    Args:
        checkpoint: Computes.
        inputs: One row; the first `n_prefix` columns are the prefix.
        n_prefix: How many tokens the prompts of the clip share.
        suffixes: Of each prompt.
    """
    import torch

    model = checkpoint.model
    prefix = {name: each[:, :n_prefix] if name in _BY_TOKEN else each for name, each in inputs.items()}
    past = model(**prefix, use_cache=True, logits_to_keep=1).past_key_values
    past.batch_repeat_interleave(len(suffixes))
    columns = sorted({len(suffix) - 1 for suffix in suffixes})
    padded = torch.zeros(len(suffixes), columns[-1] + 1, dtype=torch.long)
    for row, suffix in zip(padded, suffixes, strict=True):
        row[: len(suffix)] = torch.tensor(suffix)
    # No mask: all rows have the same prefix, and no token looks ahead to the padding on its right.
    # Without one, a model that counts positions by itself goes on from where each prefix ended.
    logits: torch.Tensor = model(
        input_ids=padded.to(model.device),
        past_key_values=past,
        use_cache=True,
        logits_to_keep=torch.tensor(columns, device=model.device),
    ).logits  # (n_suffixes, n_columns, vocabulary)
    return logits[range(len(suffixes)), [columns.index(len(suffix) - 1) for suffix in suffixes]]


def _check_same(shared: Mapping[int, Reply], plain: Mapping[int, Reply], tolerance: float) -> None:
    """Raise CannotShareError where a letter's probability differs by more than `tolerance`."""
    both = [
        (reply.option_logprobs or (), plain[place].option_logprobs or ()) for place, reply in shared.items()
    ]
    pairs = [pair for ours, theirs in both for pair in zip(ours, theirs, strict=True)]
    largest = max(abs(math.exp(ours) - math.exp(theirs)) for ours, theirs in pairs)
    # Written so that nan is a difference too.
    if not largest <= tolerance:
        raise CannotShareError(
            f"a prefix computed once changes probabilities by {largest:.2g}, more than {tolerance:g}"
        )


def _tolerance(checkpoint: Checkpoint) -> float:
    """Largest difference that rounding explains: 0.001, or 8 of the smallest steps of a 16-bit type.

    Batches of other shapes differ by as much in themselves.
    """
    import torch

    return max(1e-3, 8 * torch.finfo(checkpoint.model.dtype).eps)


def _plain(
    checkpoint: Checkpoint, places: Sequence[int], prompts: Sequence[Prompt], images: Images
) -> dict[int, Reply]:
    """Replies to prompts of which nothing is shared, by place."""
    import torch

    replies: dict[int, Reply] = {}

    def n_pictures(place: int) -> int:
        return len(prompts[place].pictures)

    # Prompts with as many pictures are about as long: less padding.
    for _, group in itertools.groupby(sorted(places, key=n_pictures), key=n_pictures):
        chosen = list(group)
        inputs = checkpoint.inputs([prompts[place] for place in chosen], images)
        with torch.inference_mode():
            logits = checkpoint.model(**inputs, logits_to_keep=1, use_cache=False).logits[:, -1]
        lengths = inputs["attention_mask"].sum(dim=1).tolist()
        for place, row, length in zip(chosen, logits, lengths, strict=True):
            replies[place] = checkpoint.letter_reply(prompts[place], row, length)
    return replies
