"""What the clients make of a real vLLM: the answers of transformers, whichever door they come through."""

import json
import math

import numpy as np
from asked import QUESTIONNAIRE, Seen
from numpy.typing import NDArray

from curate.vlm.client import Abilities, Reply

ITEMS = QUESTIONNAIRE.items


def probabilities(replies: list[Reply]) -> list[NDArray[np.float64]]:
    """Of each reply's letters as the next token, over the whole vocabulary."""
    return [np.exp(np.array(reply.option_logprobs, dtype=np.float64)) for reply in replies]


def test_it_was_found_out_what_vllm_can_tell(seen: Seen, door: str) -> None:
    where = " in this process" if door == "engine" else ""
    assert seen.abilities == Abilities(f"vllm 0.32.0{where}", logprobs="before_mask", structured=True)


def test_the_same_answers_as_transformers(seen: Seen, measure: list[Reply]) -> None:
    told, wanted = probabilities(seen.letters), probabilities(measure)
    same = [one.argmax() == other.argmax() for one, other in zip(told, wanted, strict=True)]
    assert np.mean(same) >= 0.99
    assert max(np.abs(one - other).max() for one, other in zip(told, wanted, strict=True)) < 1e-3


def test_every_answer_is_a_letter_with_its_probabilities(seen: Seen) -> None:
    # The random weights would hardly ever say a letter of themselves: the engine keeps to what is allowed.
    for place, reply in enumerate(seen.letters):
        assert reply.text.strip() in ITEMS[place % len(ITEMS)].letters
        assert (reply.logprobs_kind, reply.tokens_out) == ("before_mask", 1)
        assert 0 < math.fsum(np.exp(reply.option_logprobs or ())) <= 1 + 1e-6


def test_all_items_of_a_clip_share_what_was_computed_for_its_pictures(seen: Seen, door: str) -> None:
    before, after = seen.counts
    assert before is not None
    assert after is not None
    queries, hits = after.queries - before.queries, after.hits - before.hits
    assert queries >= sum(reply.tokens_in or 0 for reply in seen.letters) * 0.99
    # Four pictures are 4 x 18 of about 130 tokens; blocks of 32 hold two thirds of the shared beginning.
    assert hits / queries > 0.3
    assert sum(reply.tokens_cached or 0 for reply in seen.letters) > 0.3 * queries


def test_a_sheet_holds_a_letter_an_item_with_its_probabilities(seen: Seen) -> None:
    for reply in seen.sheets:
        said = json.loads(reply.text)
        assert list(said) == [item.id for item in ITEMS]
        assert reply.field_logprobs is not None
        assert reply.logprobs_kind == "after_mask"
        for item in ITEMS:
            shares = np.exp(reply.field_logprobs[item.id])
            assert shares.sum() > 0.99  # the grammar allows nothing else
            assert said[item.id] == item.letters[int(shares.argmax())]


def test_letters_asked_at_the_same_time_take_nothing_from_a_sheet(seen: Seen) -> None:
    for alone, beside in zip(seen.sheets, seen.sheets_beside, strict=True):
        assert alone.text == beside.text
        assert alone.field_logprobs is not None
        assert beside.field_logprobs is not None
        for key, logprobs in alone.field_logprobs.items():
            np.testing.assert_allclose(np.exp(beside.field_logprobs[key]), np.exp(logprobs), atol=1e-3)


def test_free_words(seen: Seen) -> None:
    for reply in seen.words:
        assert 1 <= (reply.tokens_out or 0) <= 8
        assert reply.logprobs_kind is None


def test_a_draw_can_be_drawn_again(seen: Seen) -> None:
    first, again, *others = (reply.text for reply in seen.drawn)
    assert first == again
    assert all(text.strip() in ITEMS[0].letters for text in others)


def test_a_prompt_that_is_too_long_says_what_to_do(seen: Seen) -> None:
    assert "Lower frames.count" in seen.refused
    assert "2048" in seen.refused
