import itertools
import json
import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.vlm.client import Sheet
from curate.vlm.letters import Token, field_logprobs, letter_logprobs

NEVER = -math.inf
LETTERS = ("A", "B", "C")
SHEET = Sheet("{}", 64, (("tilt", LETTERS), ("gaze", ("A", "B"))))

shares = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda xs: [x / sum(xs) for x in xs])


def logs(*values: float) -> tuple[float, ...]:
    return tuple(map(math.log, values))


def sure(*texts: str) -> list[Token]:
    return [Token(text, {text: 0.0}) for text in texts]


def found(tokens: Sequence[Token]) -> Mapping[str, tuple[float, ...]]:
    return field_logprobs(tokens, SHEET)


def test_a_letter_is_the_same_with_a_space_before_it() -> None:
    # 0.5 + 0.25 of B; "Because" and "b" are other words.
    told = {"B": math.log(0.5), " B": math.log(0.25), "Because": math.log(0.1), "b": math.log(0.1)}
    assert letter_logprobs(told, LETTERS) == pytest.approx((NEVER, math.log(0.75), NEVER))


def test_nothing_told() -> None:
    assert letter_logprobs({}, LETTERS) is None
    assert letter_logprobs({"A": -0.1, "B": math.nan}, LETTERS) is None


def test_rounding_never_makes_more_than_certain() -> None:
    assert letter_logprobs({"A": 1e-7, " A": -1.0}, ("A", "B")) == (0.0, NEVER)


@given(st.dictionaries(st.text(max_size=3), st.floats(max_value=1)))
def test_every_letter_gets_a_logprob(told: dict[str, float]) -> None:
    values = letter_logprobs(told, LETTERS)
    assert values is None if not told else values is not None and all(value <= 0 for value in values)


@given(shares, st.permutations(LETTERS))
def test_the_order_of_letters_is_that_of_the_result(parts: list[float], order: list[str]) -> None:
    told = {letter: math.log(share) for letter, share in zip(LETTERS, parts, strict=True)}
    assert letter_logprobs(told, order) == pytest.approx([told[letter] for letter in order])


def test_each_key_has_the_alternatives_of_its_own_token() -> None:
    tilt = {"B": math.log(0.6), "A": math.log(0.3), " C": math.log(0.1)}
    gaze = {"A": math.log(0.8), "B": math.log(0.2)}
    tokens = [*sure('{"', "tilt", '":', ' "'), Token("B", tilt), *sure('",', ' "gaze": "'), Token("A", gaze)]
    assert found([*tokens, *sure('"}')]) == {
        "tilt": pytest.approx(logs(0.3, 0.6, 0.1)),
        "gaze": pytest.approx(logs(0.8, 0.2)),
    }


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ('"B', ('"A', '"C', "B", '"')),
        (' "B"', (' "A"', '"C",', "B", ' "Because')),
        ('B"', ('A"', "C", '"A', "Cat")),
        ('": "B",', ('":"A",', '": "C"', '": ["B"', '":  "')),
    ],
)
def test_what_is_merged_with_the_letter_has_to_be_alike(text: str, others: tuple[str, ...]) -> None:
    told = dict(zip((text, *others), logs(0.5, 0.2, 0.1, 0.1, 0.1), strict=True))
    before, after = '{"tilt": "B", "x": 0}'.split(text, 1)
    tokens = [*sure(before), Token(text, told), *sure(after)]
    assert found(tokens)["tilt"] == pytest.approx(logs(0.2, 0.5, 0.1))


@given(shares, st.data())
def test_where_the_text_is_cut_into_tokens_does_not_matter(parts: list[float], data: st.DataObject) -> None:
    before = '```json\n{"why": "\\"tilt\\": \\"C\\"", "n": [1, {"tilt": "C"}], "tilt" : '
    text = before + '" B ", "gaze": "A"}\n```'
    letter = text.index(" B ") + 1
    cuts = data.draw(st.sets(st.integers(0, len(text))))
    edges = sorted({0, len(text), *cuts})
    pieces = [(text[start:end], letter - start) for start, end in itertools.pairwise(edges)]
    tokens = [Token(piece, _in_place(piece, offset, parts)) for piece, offset in pieces]
    assert found(tokens)["tilt"] == pytest.approx(logs(*parts))


def _in_place(piece: str, offset: int, parts: list[float]) -> dict[str, float]:
    """Alternatives of a piece of the text: those of the letter at `offset`, if it is within."""
    if not 0 <= offset < len(piece):
        return {piece: 0.0}
    texts = [piece[:offset] + letter + piece[offset + 1 :] for letter in LETTERS]
    return dict(zip(texts, logs(*parts), strict=True))


def test_the_last_of_equal_keys_counts() -> None:
    tokens = [
        *sure('{"gaze": "A", "gaze": "'),
        Token("B", {"B": math.log(0.7), "A": math.log(0.3)}),
        *sure('"}'),
    ]
    assert found(tokens)["gaze"] == pytest.approx(logs(0.3, 0.7))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        '{"tilt": ',
        '{"tilt": "B',  # cut off: the value may go on
        '{"tilt": "both A and B"}',
        '{"tilt": "\\u0041"}',
        '{"tilt": ["A"]}',
        '{"other": "A"}',
        '{"tilt" "A"}',
        '{1: "A", "tilt": "A"}',
        '{"a": NaN, "b": ' + "[" * 100_000,
        '{"a": ' + "9" * 5000 + ', "tilt": "A"}',
    ],
)
def test_a_key_that_holds_no_letter_is_left_out(text: str) -> None:
    assert found(sure(*text)) == {}


def test_a_letter_of_several_tokens_is_left_out() -> None:
    sheet = Sheet("{}", 8, (("place", ("10", "11")),))
    assert field_logprobs(sure('{"place": "', "1", "0", '"}'), sheet) == {}
    assert field_logprobs(sure('{"place": "', "10", '"}'), sheet) == {"place": (0.0, NEVER)}


def test_a_token_without_alternatives_tells_nothing() -> None:
    assert found([*sure('{"tilt": "'), Token("B", {}), *sure('"}')]) == {}


@given(st.lists(st.text(st.sampled_from('{}":, ABtilgze[]\\\n'), max_size=6)))
def test_no_text_is_too_strange(texts: list[str]) -> None:
    for key, values in found(sure(*texts)).items():
        assert len(values) == len(dict(SHEET.letters)[key])


@given(st.dictionaries(st.sampled_from(["tilt", "gaze", "why"]), st.sampled_from("ABCX")))
def test_exactly_the_keys_that_hold_one_of_their_letters(content: dict[str, str]) -> None:
    right = {key for key, letters in SHEET.letters if content.get(key) in letters}
    assert found(sure(*json.dumps(content))).keys() == right
