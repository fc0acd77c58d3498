from pathlib import Path

import pytest

from train_reference.data.clips import NO_LABEL
from train_reference.data.labels import read_clips
from train_reference.data.release import open_release
from train_reference.data.truth import read_truth
from train_reference.errors import TrainError


@pytest.mark.parametrize(
    "text",
    [
        "clip_id,label\n0000000000000001,high\n",
        "name,truth\nclip_1.mp4,high\n",
        "file,label\nclips/clip_1.mp4,high\nelsewhere/x.mp4,low\n",
    ],
)
def test_clips_are_found_by_id_or_name(text: str, release: Path, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text(text)
    opened = open_release(str(release))
    found = read_truth(tmp_path / "truth.csv", opened, read_clips(opened))
    assert found[1] == 2
    assert (found != NO_LABEL).sum() == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "clip,label\nclip_1.mp4,hihg\n",
            "column label: hihg are no classes of the release, which has low, middle",
        ),
        ("clip,label\nx.mp4,high\n", "column clip: names no clip of the release"),
        ("a,b\n1,2\n", "has the columns a, b; clip_id or name, and label, were expected"),
    ],
)
def test_what_cannot_be_used(text: str, said: str, release: Path, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text(text)
    opened = open_release(str(release))
    with pytest.raises(TrainError, match=said):
        read_truth(tmp_path / "truth.csv", opened, read_clips(opened))
