"""Which clip a name means."""

from hypothesis import given
from hypothesis import strategies as st

from curate.clips.names import clip_names

NAMES = clip_names(["a/one.mp4", "a/two.mp4", "b/two.mp4", "three.mp4", "three.jpg"])


def test_path_then_file_name_then_stem() -> None:
    assert (
        NAMES.find("a/one.mp4") == NAMES.find("a/one") == NAMES.find("one.mp4") == NAMES.find("one") == (0,)
    )
    assert NAMES.find("./b/two.mp4") == NAMES.find("b\\two.mp4") == (2,)


def test_ambiguous_names_keep_all_their_meanings() -> None:
    assert NAMES.find("two.mp4") == NAMES.find("two") == (1, 2)
    assert NAMES.find("three") == (3, 4)
    assert NAMES.find("three.jpg") == (4,)


def test_unknown_names_get_advice_where_there_is_some() -> None:
    assert NAMES.find("one.avi") == ()
    assert NAMES.near("one.avi") == "Did you mean a/one.mp4?"
    assert NAMES.near("four") == ""


@given(st.lists(st.text(min_size=1, alphabet="ab./"), unique=True))
def test_every_clip_answers_to_its_whole_name(names: list[str]) -> None:
    found = clip_names(names)
    assert all(found.find(name) == (position,) for position, name in enumerate(names))


def test_a_path_may_begin_with_the_clips_own_folder() -> None:
    names = clip_names(["a.mp4", "b/c.mp4"], folder="clips")
    assert names.find("clips/a.mp4") == (0,)
    assert names.find("./clips/b/c.mp4") == (1,)
    assert names.find("other/a.mp4") == ()
