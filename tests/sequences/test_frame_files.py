import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.clips.names import clip_names
from curate.errors import MediaError
from curate.sequences.frame_files import FrameFile, frame_files, numbering

CLIPS = clip_names(["train/anna.mp4", "train/take_2.mp4", "test/anna.mp4", "smile.jpg", "7.mp4"])
ANNA, TAKE, OTHER_ANNA, SMILE, SEVEN = range(5)


@pytest.mark.parametrize(
    ("name", "clip", "number"),
    [
        # Side by side, as OpenPose names them.
        ("take_2_000000000012_keypoints.json", TAKE, 12),
        ("train/anna_000000000000_keypoints.json", ANNA, 0),
        ("deep/er/take_2_000000000003_keypoints.json", TAKE, 3),
        # A picture has no number, or one that belongs to its name.
        ("smile_keypoints.json", SMILE, 0),
        ("take_2_keypoints.json", TAKE, 0),
        # A folder a clip, whatever its files are called.
        ("train/anna/anna_000000000005_keypoints.json", ANNA, 5),
        ("test/anna/frame_7.json", OTHER_ANNA, 7),
        ("take_2/000012.json", TAKE, 12),
        ("out/take_2/json/3_keypoints.JSON", TAKE, 3),
        # In a folder, a number alone is no clip's name.
        ("7/000000000001_keypoints.json", SEVEN, 1),
        ("7.json", SEVEN, 0),
    ],
)
def test_which_frame_of_which_clip(name: str, clip: int, number: int) -> None:
    files = frame_files([name], CLIPS)
    assert files.found == {clip: [FrameFile(number, name)]}
    assert not files.lost
    assert not files.unclear


def test_names_that_mean_no_clip_or_several() -> None:
    files = frame_files(["berta_000_keypoints.json", "anna_000_keypoints.json", "other/7.json"], CLIPS)
    assert files.found == {}
    assert files.lost == ["berta_000_keypoints.json", "other/7.json"]
    assert files.unclear == ["anna_000_keypoints.json"]


def test_frames_are_sorted_by_number_not_by_name() -> None:
    files = frame_files([f"smile/{name}.json" for name in ("10", "9", "1")], CLIPS)
    assert [file.number for file in files.found[SMILE]] == [1, 9, 10]


@pytest.mark.parametrize(
    ("numbers", "first", "step", "n_frames"),
    [
        ([0], 0, 1, 1),
        ([7], 7, 7, 1),  # a file alone is one frame
        ([0, 1, 2], 0, 1, 3),
        ([1, 2, 3], 1, 1, 3),  # counted from 1
        ([0, 1, 4], 0, 1, 5),  # two are missing
        ([3, 4, 5], 0, 1, 6),  # three are missing at the start
        ([0, 5, 10, 20], 0, 5, 5),  # every fifth, one is missing
        ([5, 10, 15], 5, 5, 3),
    ],
)
def test_numbers(numbers: list[int], first: int, step: int, n_frames: int) -> None:
    found = numbering([FrameFile(number, "a") for number in numbers])
    assert (found.first, found.step, found.n_frames) == (first, step, n_frames)


@given(st.sets(st.integers(0, 1000), min_size=1))
def test_every_file_has_a_frame_of_its_own(numbers: set[int]) -> None:
    found = numbering([FrameFile(number, "a") for number in sorted(numbers)])
    places = [found.place(number) for number in sorted(numbers)]
    assert sorted(set(places)) == places
    assert places[0] >= 0
    assert places[-1] == found.n_frames - 1


def test_a_number_that_went_wrong_makes_no_clip_of_millions() -> None:
    files = [
        FrameFile(0, "a_0.json"),
        FrameFile(1, "a_1.json"),
        FrameFile(10**17, "a_100000000000000000.json"),
    ]
    with pytest.raises(MediaError, match="has 3 files, but numbers up to 100000000000000000"):
        numbering(files)


def test_two_files_of_one_frame() -> None:
    with pytest.raises(MediaError, match=r"has two files of frame 3: a/3\.json and a/03\.json"):
        numbering([FrameFile(3, "a/3.json"), FrameFile(3, "a/03.json")])
