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
    shape: Hashable
    """Clips of the same shape have prefixes of the same length and can be computed together."""


class LetterReader:
    """Answers prompts that ask for a letter.

    The prompts of a clip begin alike. That beginning, pictures included, is
    computed once; its cache is then spread over the clip's prompts, of which
    only the rest is computed, padded on the right where no token sees it. Not
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
        clips = [] if self.plain_because else _clips(self._checkpoint, prompts, images)
        for _, alike in itertools.groupby(sorted(clips, key=_order), key=_order):
            replies |= self._shared(list(alike), prompts, images)
        left = [place for place in range(len(prompts)) if place not in replies]
        replies |= _plain(self._checkpoint, left, prompts, images)
        return [replies[place] for place in range(len(prompts))]

    def _shared(self, clips: Sequence[_Clip], prompts: Sequence[Prompt], images: Images) -> dict[int, Reply]:
        """Replies by place; none where the model turns out not to share."""
        if self.plain_because:
            return {}
        try:
            replies = _from_prefixes(self._checkpoint, clips, prompts, images)
            longest = max(reply.tokens_in or 0 for reply in replies.values())
            if longest > 2 * self._longest_checked:
                plain = _plain(self._checkpoint, list(replies), prompts, images)
                _check_same(replies, plain, _tolerance(self._checkpoint))
                self._longest_checked = longest
        except CannotShareError as error:
            self.plain_because = str(error)
            return {}
        return replies


def _clips(checkpoint: Checkpoint, prompts: Sequence[Prompt], images: Images) -> list[_Clip]:
    """Those clips that several prompts are about."""
    places: dict[Hashable, list[int]] = {}
    for place, prompt in enumerate(prompts):
        places.setdefault(opening(prompt), []).append(place)
    several = [found for shown, found in places.items() if shown and len(found) > 1]
    return [_clip(checkpoint, found, prompts, images) for found in several]


def opening(prompt: Prompt) -> tuple[Hashable, ...]:
    """What a prompt shows: its parts up to the last picture; empty without a picture."""
    last = max((place for place, part in enumerate(prompt.parts) if isinstance(part, Picture)), default=-1)
    return prompt.parts[: last + 1]


def _clip(checkpoint: Checkpoint, places: list[int], prompts: Sequence[Prompt], images: Images) -> _Clip:
    rows = checkpoint.ids([prompts[place] for place in places])
    # At least one token is left of each prompt: it is the one that the letter comes after.
    longest = min(map(len, rows)) - 1
    differs = (place for place in range(longest) if len({row[place] for row in rows}) > 1)
    n_shared = next(differs, longest)
    sizes = tuple(images[picture.sha256].size for picture in prompts[places[0]].pictures)
    return _Clip(tuple(places), tuple(tuple(row[n_shared:]) for row in rows), (sizes, n_shared, len(places)))


def _order(clip: _Clip) -> str:
    return repr(clip.shape)


def _from_prefixes(
    checkpoint: Checkpoint, clips: Sequence[_Clip], prompts: Sequence[Prompt], images: Images
) -> dict[int, Reply]:
    """Replies to the prompts of clips of the same shape, by place.

    Raises:
        CannotShareError: See there.
    """
    import torch

    inputs = checkpoint.inputs([prompts[clip.places[0]] for clip in clips], images, padding_side="right")
    n_prefix = _prefix_length(inputs, clips)
    try:
        with torch.inference_mode():
            logits = _logits(checkpoint, inputs, n_prefix, [row for clip in clips for row in clip.suffixes])
    except torch.OutOfMemoryError:
        raise
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise CannotShareError(
            f"it does not go on from a prefix ({type(error).__name__}: {error})"
        ) from error
    rows = iter(logits)
    return {
        place: checkpoint.letter_reply(prompts[place], next(rows), n_prefix + len(row), n_prefix * (nth > 0))
        for clip in clips
        for nth, (place, row) in enumerate(zip(clip.places, clip.suffixes, strict=True))
    }


def _prefix_length(inputs: Any, clips: Sequence[_Clip]) -> int:
    """Tokens of the shared beginning, pictures included; the same for all clips.

    Raises:
        CannotShareError: The processor made other tokens than the tokenizer alone.
    """
    lengths = [int(length) for length in inputs["attention_mask"].sum(dim=1)]
    prefixes = {length - len(clip.suffixes[0]) for length, clip in zip(lengths, clips, strict=True)}
    ends = zip(inputs["input_ids"].tolist(), lengths, clips, strict=True)
    if len(prefixes) > 1 or any(
        tuple(row[length - len(clip.suffixes[0]) : length]) != clip.suffixes[0] for row, length, clip in ends
    ):
        raise CannotShareError("the words after the pictures are not the same tokens in every prompt")
    return prefixes.pop()


def _logits(
    checkpoint: Checkpoint, inputs: Any, n_prefix: int, suffixes: Sequence[tuple[int, ...]]
) -> "torch.Tensor":
    """Logits after the last token of each suffix, shape (n_suffixes, vocabulary).

    Args:
        checkpoint: Computes.
        inputs: A row a clip; the first `n_prefix` columns are its prefix.
        n_prefix: How many tokens the prompts of a clip share.
        suffixes: As many for each clip, clip after clip.
    """
    import torch

    model = checkpoint.model
    prefix = {name: each[:, :n_prefix] if name in _BY_TOKEN else each for name, each in inputs.items()}
    past = model(**prefix, use_cache=True, logits_to_keep=1).past_key_values
    past.batch_repeat_interleave(len(suffixes) // len(inputs["input_ids"]))
    columns = sorted({len(suffix) - 1 for suffix in suffixes})
    padded = torch.zeros(len(suffixes), columns[-1] + 1, dtype=torch.long)
    for row, suffix in zip(padded, suffixes, strict=True):
        row[: len(suffix)] = torch.tensor(suffix)
    # No mask: rows have prefixes of equal length, and no token looks ahead to the padding on its right.
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
    """Replies to prompts that are computed each on its own, by place."""
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
