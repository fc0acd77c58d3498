import polars as pl

from curate import tables
from curate.show.review.keep import Reviewed, keep_decisions

IDS = [letter * 16 for letter in "abc"]
CLIPS = tables.table("clips", [{"clip_id": clip_id, "name": f"{clip_id[0]}.mp4"} for clip_id in IDS])
VOTES = tables.table("votes", [{"clip_id": IDS[0], "annotator": "crowd", "label": "calm"}])


def decided(*rows: tuple[int, str, str | None, str]) -> pl.DataFrame:
    """(clip, reviewer, label or None for unsure, kept as), each a minute after the one before."""
    return tables.table(
        "decisions",
        [
            {
                "clip_id": IDS[clip],
                "reviewer": who,
                "verdict": "label" if label else "unsure",
                "label": label,
                "decided_at": f"2026-01-01T12:{minute:02}:00.000Z",
                "tool": "csv",
                "kept_as": kept,
            }
            for minute, (clip, who, label, kept) in enumerate(rows)
        ],
    )


def kept(ledger: pl.DataFrame, gold: pl.DataFrame | None = None, drawn: tuple[str, ...] = ()) -> Reviewed:
    return keep_decisions(CLIPS, VOTES, tables.empty("gold") if gold is None else gold, ledger, drawn)


def votes(found: Reviewed) -> list[tuple[str, str, str]]:
    return found.votes.select(pl.col("clip_id").str.head(1), "annotator", "label").rows()


def gold(found: Reviewed) -> list[tuple[str, str, str | None, bool | None]]:
    return found.gold.select(pl.col("clip_id").str.head(1), "label", "by", "at_random").rows()


def test_gold_tells_whether_its_clip_was_drawn() -> None:
    found = kept(decided((0, "ada", "bored", "gold"), (1, "ada", "calm", "gold")), drawn=(IDS[1],))
    assert gold(found) == [("a", "bored", "ada", False), ("b", "calm", "ada", True)]
    assert votes(found) == [("a", "crowd", "calm")]
    assert not found.findings


def test_votes_stand_beside_those_that_came() -> None:
    found = kept(decided((0, "ada", "bored", "votes")))
    assert votes(found) == [("a", "crowd", "calm"), ("a", "ada", "bored")]
    assert found.votes["asked_at"].to_list() == [None, "2026-01-01T12:00:00.000Z"]
    assert found.gold.is_empty()


def test_who_is_unsure_says_nothing() -> None:
    found = kept(decided((0, "ada", None, "gold")))
    assert (votes(found), gold(found)) == ([("a", "crowd", "calm")], [])


def test_reviewers_who_agree_are_one_gold_label() -> None:
    found = kept(decided((0, "bob", "bored", "gold"), (0, "ada", "bored", "gold")))
    assert gold(found) == [("a", "bored", "ada, bob", False)]


def test_reviewers_who_disagree_are_votes_and_told() -> None:
    found = kept(decided((0, "ada", "bored", "gold"), (0, "bob", "calm", "gold")))
    assert gold(found) == []
    assert votes(found) == [("a", "crowd", "calm"), ("a", "ada", "bored"), ("a", "bob", "calm")]
    assert [(finding.clip, finding.what) for finding in found.findings] == [
        (
            "a.mp4",
            "reviewers disagree ('ada': bored; 'bob': calm), so that each counts as a vote and none as gold",
        )
    ]


def test_gold_that_came_with_the_data_stays() -> None:
    came = tables.table("gold", [{"clip_id": IDS[0], "label": "calm", "by": "board"}])
    found = kept(decided((0, "ada", "bored", "gold")), gold=came)
    assert gold(found) == [("a", "calm", "board", None)]
    assert votes(found)[1:] == [("a", "ada", "bored")]
    assert found.findings[0].what == (
        "the gold that came with the data says 'calm', and stays; 'ada': bored counts as a vote"
    )
    # Who says the same adds nothing, and a clip whose turn came in the random order was drawn all the same.
    again = kept(decided((0, "ada", "calm", "gold")), gold=came, drawn=(IDS[0],))
    assert gold(again) == [("a", "calm", "board", True)]
    assert not again.findings


def test_a_decision_that_was_taken_back_counts_no_more() -> None:
    found = kept(decided((0, "ada", "bored", "gold"), (0, "ada", None, "gold")))
    assert gold(found) == []


def test_clips_that_are_no_longer_there_are_passed_over() -> None:
    ledger = decided((0, "ada", "bored", "gold")).with_columns(clip_id=pl.lit("f" * 16))
    found = kept(ledger)
    assert (gold(found), votes(found)) == ([], [("a", "crowd", "calm")])
