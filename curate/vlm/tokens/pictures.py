"""How many tokens a picture takes, by what the makers of models publish."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from curate.vlm.tokens.ranges import Range, exactly

Tokens = Callable[[int, int], Range]
"""From width and height, in pixels as sent."""


@dataclass(frozen=True, slots=True)
class PictureRule:
    """A way of counting that holds for some models."""

    said_by: str
    """Whose rule it is, for a reader."""
    tokens: Tokens


def picture_rule(model: str) -> PictureRule:
    """The rule for a model by its name; a general one, with a wide range, where none is known."""
    name = model.casefold()
    return next((rule for pattern, rule in _RULES if re.search(pattern, name)), _GENERAL)


def merged_patches(width: int, height: int, *, side_px: int, least: int, most: int) -> Range:
    """Squares of `side_px` that cover a picture once its sides are rounded to whole squares.

    Args:
        width: As sent, in pixels.
        height: As sent, in pixels.
        side_px: Of what becomes one token: the patch times the merge size.
        least: Pixels to which a smaller picture is enlarged.
        most: Pixels to which a larger picture is reduced.

    Source:
        `smart_resize` of Qwen2-VL's image processor,
        https://github.com/huggingface/transformers/blob/main/src/transformers/models/qwen2_vl/image_processing_qwen2_vl.py
        with the limits of the checkpoints' preprocessor_config.json. Two more
        tokens mark where a picture begins and ends.
    """
    # A side of less than half a square rounds to none: the picture is then enlarged, as any small one.
    rows, columns = (round(side / side_px) for side in (height, width))
    area, pixels = rows * columns * side_px**2, height * width
    if area > most:
        scale = math.sqrt(pixels / most)
        rows, columns = (max(1, math.floor(side / scale / side_px)) for side in (height, width))
    elif area < least:
        scale = math.sqrt(least / pixels)
        rows, columns = (math.ceil(side * scale / side_px) for side in (height, width))
    return exactly(rows * columns + 2)


def tiles(width: int, height: int, *, base: int, tile: int) -> Range:
    """`base` tokens a picture, and `tile` a square of 512 pixels that it takes to cover it.

    It is first reduced to fit into 2048 pixels a side, and then until its
    shorter side has at most 768.

    Source:
        OpenAI, *Images and vision*, Calculating costs, GPT-4o and its kind at
        high detail, https://platform.openai.com/docs/guides/images-vision
    """
    scale = min(1.0, 2048 / max(width, height))
    scale *= min(1.0, 768 / (min(width, height) * scale))
    across, down = (math.ceil(round(side * scale, 6) / 512) for side in (width, height))
    return exactly(base + tile * across * down)


def weighted_patches(width: int, height: int, *, weight: float) -> Range:
    """Patches of 32 pixels, at most 1536, each counted `weight` times.

    A picture of more patches is reduced until it has at most so many; how many
    it then has depends on its shape, so that the limit stands for them.

    Source:
        OpenAI, *Images and vision*, Calculating costs, GPT-4.1-mini and its
        kind, https://platform.openai.com/docs/guides/images-vision
    """
    patches = math.ceil(width / 32) * math.ceil(height / 32)
    return exactly(math.ceil(min(patches, 1536) * weight))


def area(width: int, height: int) -> Range:
    """A token for every 750 pixels, at most 1600 or so; a tenth more or less.

    Source:
        Anthropic, *Vision*, Calculate image costs,
        https://docs.anthropic.com/en/docs/build-with-claude/vision; called
        approximate there. Pictures of more than 1568 pixels are reduced first.
    """
    scale = min(1.0, 1568 / max(width, height))
    tokens = min(1600.0, width * height * scale**2 / 750)
    return Range(0.9 * tokens, tokens, 1.1 * tokens)


def crops(width: int, height: int) -> Range:
    """258 tokens, and so many for each crop of a picture of more than 384 pixels a side.

    Source:
        Google, *Gemini API*, Understand and count tokens, and the rough formula
        of Image understanding: crops of a side of two thirds of the shorter
        side, https://ai.google.dev/gemini-api/docs/image-understanding
    """
    if max(width, height) <= 384:
        return exactly(258)
    side_px = max(1, math.floor(min(width, height) / 1.5))
    n_crops = math.ceil(width / side_px) * math.ceil(height / side_px)
    return Range(258, 258 * n_crops, 258 * n_crops)


def unknown(width: int, height: int) -> Range:
    """A token for every 28 by 28 pixels; from 64 a picture to one for every 14 by 14."""
    expected = max(64.0, width * height / 28**2)
    return Range(64.0, expected, max(4 * expected, 768.0))


_SMALL_28 = partial(merged_patches, side_px=28, least=56 * 56, most=12_845_056)
_SMALL_32 = partial(merged_patches, side_px=32, least=65_536, most=16_777_216)
_OPENAI = "OpenAI's published rule"
_RULES = (
    (r"qwen-?(2|2\.5)-?vl", PictureRule("the published processor of Qwen2-VL and Qwen2.5-VL", _SMALL_28)),
    (r"qwen-?3-?vl", PictureRule("the published processor of Qwen3-VL", _SMALL_32)),
    (r"gemma-?3-\d+b", PictureRule("the published processor of Gemma 3", lambda width, height: exactly(258))),
    (r"gpt-4o-mini", PictureRule(_OPENAI, partial(tiles, base=2833, tile=5667))),
    (r"gpt-4\.1-mini|gpt-5-mini", PictureRule(_OPENAI, partial(weighted_patches, weight=1.62))),
    (r"gpt-4\.1-nano|gpt-5-nano", PictureRule(_OPENAI, partial(weighted_patches, weight=2.46))),
    (r"o4-mini", PictureRule(_OPENAI, partial(weighted_patches, weight=1.72))),
    (r"gpt-4o|gpt-4\.1|gpt-4-turbo", PictureRule(_OPENAI, partial(tiles, base=85, tile=170))),
    (r"claude", PictureRule("Anthropic's published rule", area)),
    (r"gemini-(1\.5|2\.0|2\.5)", PictureRule("Google's published rule", crops)),
)
"""By a pattern of the model's name; the first that fits counts."""

_GENERAL = PictureRule("a general rule", unknown)
