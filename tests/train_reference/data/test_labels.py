from typing import Any

import numpy as np
import pytest

from train_reference.data.clips import NO_LABEL
from train_reference.data.labels import read_clips
from train_reference.data.release import open_release
from train_reference.errors import TrainError


def said(written: Any) -> str:
    with pytest.raises(TrainError) as error:
        read_clips(open_release(str(written.write())))
    return str(error.value)


def test_what_is_read(written: Any) -> None:
    nothing = {"label_given": None, "reliability": None, "reliability_split": None}
    pseudo = {"pseudo_label": 2, "pseudo_confidence": 0.9, "pseudo_accepted": True}
    written.pseudo = [{**written.rows[0], "clip_id": "f" * 16, "label": 2, **nothing, **pseudo}]
    clips = read_clips(open_release(str(written.write())))
    assert (len(clips), clips.classes, clips.is_ordinal) == (61, ("low", "middle", "high"), True)
    # Subjects 0 to 9 with six clips each; of every five, the fourth is validation and the last test.
    assert [len(clips.rows(split)) for split in ("train", "validation", "test")] == [37, 12, 12]
    assert (clips.given[3], clips.label[3], clips.is_high[3]) == (1, 0, False)
    # An accepted pseudo-label stands in column label as well; here it is one thing only.
    assert (clips.given[60], clips.label[60], clips.pseudo[60]) == (NO_LABEL, NO_LABEL, 2)
    assert clips.pseudo_accepted[60]
    assert np.isnan(clips.reliability[60])
    assert clips.soft[0].tolist() == pytest.approx([0.8, 0.1, 0.1])


def test_all_problems_at_once(written: Any) -> None:
    written.rows[0]["soft_label"] = [0.5, 0.1, 0.1]
    written.rows[1]["soft_label"] = [0.5, 0.5]
    written.rows[2]["soft_label"] = [float("nan"), 0.5, 0.5]
    written.rows[4]["label_given"] = 7
    written.rows[5]["clip_id"] = written.rows[6]["clip_id"]
    written.rows[7]["group"] = "subject 4"
    found = said(written)
    assert "6 to fix" in found
    assert "column soft_label: has not 3 numbers for 0000000000000001" in found
    assert "column soft_label: does not sum to 1 for 0000000000000000" in found
    assert "column soft_label: holds what is no number for 0000000000000002" in found
    assert "column label_given: is no class of the 3 for 0000000000000004" in found
    assert "column clip_id: 0000000000000006 stand twice" in found
    assert "column group: subject 4 are in more than one split" in found


def test_a_class_that_train_lacks(written: Any) -> None:
    for row in written.rows:
        if row["split"] == "train" and row["label"] == 1:
            row["label"] = 0
    assert "column label: no clip of train is middle. Merge classes in the recipe" in said(written)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_split_that_is_missing(split: str, written: Any) -> None:
    for row in written.rows:
        row["split"] = "train" if row["split"] == split else row["split"]
    assert f"column split: no labelled clip is in {split}. Set splits.make" in said(written)


def test_a_release_without_soft_labels_names_the_column(written: Any) -> None:
    for row in written.rows:
        del row["soft_label"]
    assert "all-00000-of-00001.parquet, column soft_label: is not there. Publish the release again" in said(
        written
    )


def test_a_config_that_is_not_there(release: Any) -> None:
    with pytest.raises(TrainError, match="config: the release has no config high; it has default, keypoints"):
        read_clips(open_release(str(release)), "high")
