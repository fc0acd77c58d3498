"""Sheets and words: replies of many tokens, written by a model in this process."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from curate.vlm.client import Letter, Prompt, Reply, Sheet
from curate.vlm.letters import Token, field_logprobs
from curate.vlm.local.checkpoint import Checkpoint, Images, noise

if TYPE_CHECKING:
    import torch

TOP = 20
"""Alternatives of a token that are kept, as many as servers give."""


def write(checkpoint: Checkpoint, prompts: Sequence[Prompt], images: Images) -> list[Reply]:
    """A reply a prompt, in order; none of the prompts asks for a letter.

    The most probable token is taken each time, or one drawn at temperature 1
    where the prompt is warm. Nothing keeps a reply to the sheet's schema.
    """
    replies: dict[int, Reply] = {}

    def alike(place: int) -> tuple[int, int]:
        return _max_tokens(prompts[place]), len(prompts[place].pictures)

    for (max_tokens, _), group in itertools.groupby(sorted(range(len(prompts)), key=alike), key=alike):
        places = list(group)
        written = _write_alike(checkpoint, [prompts[place] for place in places], images, max_tokens)
        replies |= dict(zip(places, written, strict=True))
    return [replies[place] for place in range(len(prompts))]


def _max_tokens(prompt: Prompt) -> int:
    return 1 if isinstance(prompt.form, Letter) else prompt.form.max_tokens


@dataclass(slots=True)
class _Choice:
    """Chooses each next token, and keeps what else was likely; transformers calls it between two tokens."""

    prompts: Sequence[Prompt]
    chosen: list["torch.Tensor"] = field(default_factory=list)
    """Shape (n_prompts,) a token."""
    top: list[tuple["torch.Tensor", "torch.Tensor"]] = field(default_factory=list)
    """Log-probabilities and ids, each of shape (n_prompts, at most TOP + 1), a token."""

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        """Scores of which the largest is the choice, shape (n_prompts, vocabulary)."""
        import torch

        logprobs = scores.float().log_softmax(dim=-1)
        said = logprobs.clone()
        for row, prompt in enumerate(self.prompts):
            if prompt.warm:
                said[row] += noise(prompt, said.shape[1], len(self.chosen)).to(said.device)
        chosen = said.argmax(dim=-1)
        likely = logprobs.topk(min(TOP, said.shape[1]), dim=-1)
        # A drawn token need not be among the likely ones.
        ids = torch.cat([chosen[:, None], likely.indices], dim=1)
        self.chosen.append(chosen.cpu())
        self.top.append((logprobs.gather(1, ids).cpu(), ids.cpu()))
        return said


def _write_alike(
    checkpoint: Checkpoint, prompts: Sequence[Prompt], images: Images, max_tokens: int
) -> list[Reply]:
    """Replies to prompts with as many pictures and the same limit, in one go."""
    import torch
    from transformers import LogitsProcessorList

    inputs, choice = checkpoint.inputs(prompts, images), _Choice(prompts)
    with torch.inference_mode():
        checkpoint.model.generate(
            **inputs,
            generation_config=_settings(checkpoint, max_tokens),
            logits_processor=LogitsProcessorList([choice]),
        )
    lengths = inputs["attention_mask"].sum(dim=1).tolist()
    return [_reply(checkpoint, prompt, choice, row, lengths[row]) for row, prompt in enumerate(prompts)]


def _settings(checkpoint: Checkpoint, max_tokens: int) -> Any:
    """Plain greedy search: what a checkpoint brings along, such as a penalty, would bend probabilities."""
    from transformers import GenerationConfig

    ends = _ends(checkpoint)
    return GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=max_tokens,
        do_sample=False,
        num_beams=1,
        temperature=1.0,
        top_p=1.0,
        top_k=50,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        eos_token_id=ends or None,
        pad_token_id=ends[0] if ends else 0,
    )


def _ends(checkpoint: Checkpoint) -> list[int]:
    """Ids of the tokens that end a reply."""
    told = checkpoint.model.generation_config.eos_token_id
    found = checkpoint.processor.tokenizer.eos_token_id if told is None else told
    return [found] if isinstance(found, int) else list(found or ())


def _reply(checkpoint: Checkpoint, prompt: Prompt, choice: _Choice, row: int, n_tokens: int) -> Reply:
    ids = [int(chosen[row]) for chosen in choice.chosen]
    ends = _ends(checkpoint)
    n_said = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    ended = n_said < len(ids)
    told = {}
    if isinstance(prompt.form, Sheet) and prompt.form.letters:
        told = field_logprobs(_tokens(checkpoint, choice, row, n_said), prompt.form)
    return Reply(
        text=checkpoint.processor.tokenizer.decode(ids[:n_said], skip_special_tokens=True),
        model=checkpoint.name,
        field_logprobs=told or None,
        logprobs_kind="before_mask" if told else None,
        finish_reason="stop" if ended else "length",
        tokens_in=n_tokens,
        tokens_out=n_said + ended,
        tokens_cached=0,
    )


def _tokens(checkpoint: Checkpoint, choice: _Choice, row: int, n_tokens: int) -> list[Token]:
    """The first tokens of a row's reply, with what else was likely."""
    spelled = cache(lambda token: str(checkpoint.processor.tokenizer.decode([token])))
    tokens = []
    for logprobs, ids in choice.top[:n_tokens]:
        alternatives: dict[str, float] = {}
        for token, logprob in dict(zip(ids[row].tolist(), logprobs[row].tolist(), strict=True)).items():
            # Two tokens may be spelled alike.
            before = alternatives.get(spelled(token), -math.inf)
            alternatives[spelled(token)] = float(np.logaddexp(before, logprob))
        tokens.append(Token(spelled(int(ids[row, 0])), alternatives))
    return tokens
