"""Many questions about one clip in one sequence, each seeing only the pictures and itself.

Asked one by one, every question pays for the pictures again. Here the prefix
that all questions share (pictures, preamble, "Question:") stands once, the
rest of each question follows, and the attention mask and the positions make
every question believe that it follows the prefix directly. The logits equal
those of one question a prompt; `tests/demo/test_packing.py` checks it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from curate.demo.tiny_vlm import MERGE, PATCH
from curate.demo.training_pictures import PIXELS
from curate.questionnaire import Item, Questionnaire, question_text

Replies = Sequence[Sequence[int]] | None

GRID = PIXELS // PATCH
PICTURE_TOKENS = (GRID // MERGE) ** 2


@dataclass(frozen=True, slots=True)
class Asked:
    """One way to put one item, as tokens after the shared prefix."""

    tokens: tuple[int, ...]
    option_ends: tuple[int, ...]
    """Where in `tokens` each option's last word stands, in the order shown."""
    order: tuple[int, ...]
    """Which of the item's own options stands behind each letter."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch ready for the language model; `n` clips with `q` questions each."""

    tokens: Tensor
    """Shape (n, length)."""
    positions: Tensor
    """Shape (3, n, length): time, row, column."""
    mask: Tensor
    """Shape (n, 1, length, length), true where a token may look."""
    ends: Tensor
    """Shape (n, q): where each question's last token stands: its answer is predicted here."""
    option_ends: Tensor
    """Shape (n, q, options): where each option's last word stands; 0 where there is none."""


class Asker:
    """Turns items into tokens with the checkpoint's own chat template."""

    def __init__(self, tokenizer: Any, questionnaire: Questionnaire) -> None:
        """Find the prefix that every question shares."""
        self.tokenizer, self.questionnaire = tokenizer, questionnaire
        self.letters = [tokenizer.convert_tokens_to_ids(letter) for letter in "ABCDEFGHI"]
        whole = [self._chat(question_text(questionnaire, item)) for item in questionnaire.items]
        shared = 0
        while len({tokens[shared] for tokens in whole}) == 1:
            shared += 1
        self.opening = whole[0][:shared]

    def ask(self, item: Item, order: Sequence[int] | None = None, wording: Item | None = None) -> Asked:
        """One item, its options in another order or all of it in another wording if asked to."""
        wording, shown = wording or item, tuple(order or range(len(item.all_options)))
        lines = question_text(self.questionnaire, wording, order=shown).split("\n")
        whole = self._chat("\n".join(lines))
        shared = len(self.opening)
        if whole[:shared] != self.opening:
            raise ValueError(f"the prefix is not shared by {wording.ask!r}")
        first = next(k for k, line in enumerate(lines) if line.startswith("A) "))
        ends = [len(self._chat("\n".join(lines[: first + k + 1]), close=False)) for k in range(len(shown))]
        return Asked(tuple(whole[shared:]), tuple(end - 1 - shared for end in ends), shown)

    def prefix(self, n_pictures: int) -> tuple[list[int], Tensor]:
        """Tokens and positions, shape (3, length), of the pictures and the words all questions share."""
        tokens: list[int] = []
        places: list[tuple[int, int, int]] = []
        position = 0
        special = self.tokenizer.convert_tokens_to_ids(
            ["<|vision_start|>", "<|image_pad|>", "<|vision_end|>"]
        )
        start = len(self.tokenizer("<|im_start|>user\n", add_special_tokens=False)["input_ids"])
        words: list[list[int]] = [self.opening[:start]]
        for _ in range(n_pictures):
            words += [[special[0]], [special[1]] * PICTURE_TOKENS, [special[2]]]
        words.append(self.opening[start:])
        for run in words:
            tokens += run
            if run and run[0] == special[1]:
                side = GRID // MERGE
                places += [(position, position + y, position + x) for y in range(side) for x in range(side)]
                position += side
            else:
                places += [(position + k,) * 3 for k in range(len(run))]
                position += len(run)
        return tokens, torch.tensor(places).T

    def _chat(self, text: str, *, close: bool = True) -> list[int]:
        rendered = f"<|im_start|>user\n{text}" + ("<|im_end|>\n<|im_start|>assistant\n" if close else "")
        return list(self.tokenizer(rendered, add_special_tokens=False)["input_ids"])


def pack(
    asker: Asker, n_pictures: int, questions: Sequence[Sequence[Asked]], replies: Replies = None
) -> Packed:
    """Lay out each clip's questions behind the prefix; shorter clips are padded at the end.

    With `replies`, one token a question, each question is followed by its answer.
    """
    extra = 0 if replies is None else 1
    prefix, places = asker.prefix(n_pictures)
    start, next_position = len(prefix), int(places.max()) + 1
    length = start + max(sum(len(asked.tokens) + extra for asked in row) for row in questions)
    n, most = len(questions), max(len(asked.order) for row in questions for asked in row)
    tokens = np.full((n, length), asker.tokenizer.pad_token_id)
    part = np.full((n, length), -1)  # 0: prefix, 1...: question, -1: padding
    offsets = np.zeros((n, length), dtype=np.int64)
    ends = np.zeros((n, len(questions[0])), dtype=np.int64)
    option_ends = np.zeros((n, len(questions[0]), most), dtype=np.int64)
    tokens[:, :start], part[:, :start] = prefix, 0
    for i, row in enumerate(questions):
        at = start
        for k, asked in enumerate(row):
            stop = at + len(asked.tokens) + extra
            tokens[i, at : at + len(asked.tokens)], part[i, at:stop] = asked.tokens, k + 1
            if replies is not None:
                tokens[i, stop - 1] = replies[i][k]
            offsets[i, at:stop] = next_position + np.arange(stop - at)
            ends[i, k] = stop - 1 - extra
            option_ends[i, k, : len(asked.order)] = at + np.array(asked.option_ends)
            at = stop
    positions = torch.from_numpy(offsets).expand(3, n, length).clone()
    positions[:, :, :start] = places[:, None]
    of = torch.from_numpy(part)
    sees = (of[:, None, :] == 0) | (of[:, :, None] == of[:, None, :])
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    mask = (sees & causal) | torch.eye(length, dtype=torch.bool)
    return Packed(
        torch.from_numpy(tokens),
        positions,
        mask[:, None],
        torch.from_numpy(ends),
        torch.from_numpy(option_ends),
    )


def patches_of(pixels: Tensor) -> Tensor:
    """Cut pictures as the image processor does, without its copy in time.

    Args:
        pixels: Shape (n, PIXELS, PIXELS, 3), from -1 to 1.

    Returns:
        Shape (n, GRID * GRID, 3 * PATCH * PATCH), in blocks of MERGE x MERGE.
    """
    n, side = len(pixels), GRID // MERGE
    blocks = pixels.reshape(n, side, MERGE, PATCH, side, MERGE, PATCH, 3)
    return blocks.permute(0, 1, 4, 2, 5, 7, 3, 6).reshape(n, GRID * GRID, 3 * PATCH * PATCH)


class Eyes(nn.Module):
    """The model's own vision tower, run on a batch of equal squares at once.

    transformers runs pictures one after the other on a CPU, because they may
    differ in size. The modules, and so the weights, are the same.
    """

    def __init__(self, visual: Any) -> None:
        """Take over the tower, and what it computes from the pictures' size."""
        super().__init__()
        self.visual = visual
        caught: dict[str, tuple[Tensor, Tensor]] = {}
        hook = visual.blocks[0].register_forward_pre_hook(
            lambda _, args, named: caught.update(turn=named["position_embeddings"]), with_kwargs=True
        )
        channels = 3 * 2 * PATCH * PATCH
        with torch.no_grad():
            visual(torch.zeros(GRID * GRID, channels), grid_thw=torch.tensor([[1, GRID, GRID]]))
        hook.remove()
        self.cos, self.sin = (
            turn.float()[:, None].transpose(0, 1) for turn in caught["turn"]
        )  # (1, tokens, head)
        index = torch.arange(GRID * GRID).reshape(GRID // MERGE, MERGE, GRID // MERGE, MERGE)
        self.order = index.permute(0, 2, 1, 3).reshape(-1)

    def forward(self, patches: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Picture tokens, shape (n, PICTURE_TOKENS, hidden), and the deeper layers' likes of them."""
        visual: Any = self.visual
        n = len(patches)
        weight = visual.patch_embed.proj.weight.sum(dim=2).flatten(1)  # still pictures: both moments are one
        x = (
            functional.linear(patches, weight, visual.patch_embed.proj.bias)
            + visual.pos_embed.weight[self.order]
        )
        deeper = []
        for k, block in enumerate(visual.blocks):
            x = x + self._attend(block.attn, block.norm1(x))
            x = x + block.mlp(block.norm2(x))
            if k in visual.deepstack_visual_indexes:
                merger = visual.deepstack_merger_list[visual.deepstack_visual_indexes.index(k)]
                deeper.append(merger(x.flatten(0, 1)).reshape(n, PICTURE_TOKENS, -1))
        return visual.merger(x.flatten(0, 1)).reshape(n, PICTURE_TOKENS, -1), deeper

    def _attend(self, attention: Any, x: Tensor) -> Tensor:
        n, length, width = x.shape
        qkv = attention.qkv(x).reshape(n, length, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
        query, key = (part * self.cos + _half_turned(part) * self.sin for part in (qkv[0], qkv[1]))
        seen = functional.scaled_dot_product_attention(query, key, qkv[2])
        attended: Tensor = attention.proj(seen.transpose(1, 2).reshape(n, length, width))
        return attended


def _half_turned(x: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def read(model: Any, packed: Packed, picture_tokens: Tensor, deeper: list[Tensor]) -> Tensor:
    """The language model's last hidden states, shape (n, length, hidden).

    Args:
        model: The whole Qwen3-VL.
        packed: What is asked, of n clips.
        picture_tokens: Shape (n * n_pictures, PICTURE_TOKENS, hidden).
        deeper: As `picture_tokens`, for the first layers of the language model.
    """
    language = model.model.language_model
    is_picture = packed.tokens == model.config.image_token_id
    words = language.embed_tokens(packed.tokens)
    words = words.masked_scatter(is_picture[..., None], picture_tokens.to(words.dtype))
    output: Tensor = language(
        inputs_embeds=words,
        attention_mask=packed.mask,
        position_ids=packed.positions,
        visual_pos_masks=is_picture,
        deepstack_visual_embeds=[layer.flatten(0, 1) for layer in deeper],
        use_cache=False,
    ).last_hidden_state
    return output
