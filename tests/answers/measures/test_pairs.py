import polars as pl

from curate.answers.measures.pairs import canary_pairs, control_pairs

ANSWERS = pl.DataFrame(
    [
        ("a", "gaze", "base", "none", [0.9, 0.1], "logprobs"),
        ("b", "gaze", "base", "none", [0.2, 0.8], "logprobs"),
        ("c", "gaze", "base", "none", None, None),
        ("a", "gaze", "order 1", "none", [0.5, 0.5], "logprobs"),
        ("a", "gaze", "base", "canary", [0.3, 0.7], "logprobs"),
        ("b", "gaze", "base", "canary", [0.4, 0.6], "logprobs"),
        ("a", "gaze", "base", "no_media", [1.0, 0.0], "text"),
        ("b", "gaze", "base", "shuffled", [0.1, 0.9], "logprobs"),
        ("c", "gaze", "base", "shuffled", [0.1, 0.9], "logprobs"),
    ],
    schema=["clip_id", "item", "variant", "control", "told", "source"],
    orient="row",
)
PARTNERS = pl.DataFrame(
    [("a", "b", True), ("b", "c", False)], schema=["clip_id", "other", "same_words"], orient="row"
)


def test_a_canary_stands_beside_both_clips_own_answers() -> None:
    # b's canary is left out: c, whose pictures were sent, has no answer of its own.
    assert canary_pairs(ANSWERS, PARTNERS).to_dicts() == [
        {
            "item": "gaze",
            "same_words": True,
            "exact": True,
            "told": [0.3, 0.7],
            "words": [0.9, 0.1],
            "pictures": [0.2, 0.8],
        }
    ]


def test_a_control_stands_beside_the_clips_own_answer() -> None:
    assert control_pairs(ANSWERS, "no_media").rows() == [("gaze", False, [1.0, 0.0], [0.9, 0.1])]
    assert control_pairs(ANSWERS, "shuffled").rows() == [("gaze", True, [0.1, 0.9], [0.2, 0.8])]


def test_without_controls_there_are_no_pairs() -> None:
    plain = ANSWERS.filter(pl.col("control") == "none")
    assert canary_pairs(plain, PARTNERS).is_empty()
    assert control_pairs(plain, "no_media").is_empty()
