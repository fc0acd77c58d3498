import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from curate.vlm.tokens.pictures import merged_patches, picture_rule
from curate.vlm.tokens.ranges import exactly

SIDES = st.integers(16, 4096)


@given(SIDES, SIDES, st.sampled_from([(28, 3_136, 12_845_056), (32, 65_536, 1_048_576)]))
def test_merged_patches_are_those_of_the_processor(
    width: int, height: int, limits: tuple[int, int, int]
) -> None:
    side_px, least, most = limits
    if max(width, height) / min(width, height) > 200:
        return  # the processor refuses such a strip
    rows, columns = smart_resize(height, width, side_px, least, most)
    found = merged_patches(width, height, side_px=side_px, least=least, most=most)
    assert found == exactly(rows // side_px * (columns // side_px) + 2)


@pytest.mark.parametrize(
    ("model", "width", "height", "tokens"),
    [
        # OpenAI's own examples: 1024 x 1024 becomes 768 x 768, four tiles: 85 + 4 x 170;
        # 2048 x 4096 becomes 768 x 1536, six tiles: 85 + 6 x 170; one tile stays one.
        ("gpt-4o", 1024, 1024, 765),
        ("gpt-4o-2024-08-06", 2048, 4096, 1105),
        ("gpt-4.1", 512, 512, 255),
        ("gpt-4o-mini", 448, 252, 2833 + 5667),
        # 32 x 32 patches of 32 pixels.
        ("gpt-4.1-mini", 1024, 1024, math.ceil(1024 * 1.62)),
        # A crop's side is 540 / 1.5 = 360: 3 x 2 of them.
        ("gemini-2.5-flash", 960, 540, 6 * 258),
        ("gemini-2.0-flash", 384, 216, 258),
        # 448 / 28 by 252 / 28, and the two marks.
        ("Qwen/Qwen2.5-VL-7B-Instruct", 448, 252, 16 * 9 + 2),
        # 448 / 32 = 14 by 252 / 32 = 7.9, rounded.
        ("Qwen/Qwen3-VL-8B-Instruct", 448, 252, 14 * 8 + 2),
        # A million pixels / 750.
        ("claude-sonnet-4", 1000, 1000, 1_000_000 / 750),
    ],
)
def test_published_examples(model: str, width: int, height: int, tokens: float) -> None:
    assert picture_rule(model).tokens(width, height).expected == pytest.approx(tokens)


@given(SIDES, SIDES, st.sampled_from(["gpt-4o", "claude-3-5-haiku", "gemini-1.5-pro", "o4-mini", "nobody/x"]))
def test_a_range_is_one(width: int, height: int, model: str) -> None:
    found = picture_rule(model).tokens(width, height)
    assert 0 < found.low <= found.expected <= found.high


def test_an_unknown_model_is_counted_by_a_general_rule_that_says_so() -> None:
    rule = picture_rule("somebody/some-vlm")
    assert rule.said_by == "a general rule"
    assert not rule.tokens(448, 448).is_exact
