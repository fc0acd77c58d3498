import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from curate import tables
from curate.answers.shown import Moment, shown
from curate.frames.receipt import receipt

IDS = ("0" * 15 + "2", "0" * 15 + "1")


def moment(index: int) -> Moment:
    return Moment(index, index / 4, f"{index:064x}")


def frames(roles: dict[str, str]) -> pl.DataFrame:
    """A frame a letter of each clip's word: k for key, b for between, - for none; last first."""
    rows: list[dict[str, object]] = [
        {
            "clip_id": clip_id,
            "role": {"k": "key", "b": "between"}[letter],
            "index": index,
            "t_s": index / 4,
            "width": 64,
            "height": 64,
            "sha256": f"{index:064x}",
        }
        for clip_id, word in roles.items()
        for index, letter in reversed(list(enumerate(word)))
        if letter != "-"
    ]
    return tables.validate("frames", tables.table("frames", rows))


def clips(ids: tuple[str, ...] = IDS) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "clip_id": ids,
            "name": [f"clip {clip_id[-1]}" for clip_id in ids],
            "transcript": ["well", *[None] * (len(ids) - 1)],
        },
        schema_overrides={"transcript": pl.String},
    )


def test_frames_between_stand_in_their_gap() -> None:
    two, one = shown(clips(), frames({IDS[1]: "k-k", IDS[0]: "kb-bkkbk"}))
    assert (two.clip_id, two.name, one.name) == (IDS[0], "clip 2", "clip 1")
    assert two.keys == (moment(0), moment(4), moment(5), moment(7))
    assert two.between == ((moment(1), moment(3)), (), (moment(6),))
    assert (one.keys, one.between) == ((moment(0), moment(2)), ((),))


def test_frames_outside_all_gaps_and_clips_without_key_frames_are_left_out() -> None:
    (clip,) = shown(clips(), frames({IDS[0]: "bbkb", IDS[1]: "bb"}))
    assert (clip.keys, clip.between) == ((moment(2),), ())
    assert shown(clips(), tables.empty("frames")) == []


def test_what_is_said_is_sent_only_if_wanted() -> None:
    taken = frames(dict.fromkeys(IDS, "k"))
    assert [clip.transcript for clip in shown(clips(), taken)] == [None, None]
    assert [clip.transcript for clip in shown(clips(), taken, transcript=True)] == ["well", None]


@given(st.text("kb-", max_size=12))
def test_a_receipt_is_that_of_the_key_frames_in_the_published_table(word: str) -> None:
    table = frames({IDS[0]: word})
    keys = table.filter(pl.col("role") == "key").sort("index")
    assert [clip.receipt for clip in shown(clips(), table)] == ([receipt(keys)] if "k" in word else [])


@given(st.text("kb-", max_size=12))
def test_there_is_a_gap_fewer_than_key_frames_and_all_is_in_order_of_time(word: str) -> None:
    for clip in shown(clips(), frames({IDS[0]: word})):
        assert len(clip.between) == len(clip.keys) - 1
        woven = [clip.keys[0].index]
        for gap, key in zip(clip.between, clip.keys[1:], strict=True):
            woven += [*(each.index for each in gap), key.index]
        first, last = word.index("k"), word.rindex("k")
        assert woven == [index for index in range(first, last + 1) if word[index] != "-"]
