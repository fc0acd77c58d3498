from curate.vlm.spellings import ALONE, spellings, token_ids


def test_every_way_to_write_a_letter() -> None:
    assert spellings("AB", ALONE) == ["A", " A", "B", " B"]
    assert spellings("A") == ["A", " A", '"A', ' "A', 'A"', '"A"', ' "A"']


def test_ids_of_the_spellings_that_are_tokens() -> None:
    tokens = {"A": 5, " A": 9, '"A': 7, "B": 6, " B": 6}
    assert token_ids(tokens, "AB") == [5, 9, 6]  # one id twice is asked for once
    assert token_ids(tokens, ["A"], (*ALONE, '"{}')) == [5, 9, 7]
    assert token_ids(tokens, ["C"]) == []
