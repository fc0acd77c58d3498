"""From a label back to everything that it rests on, out of the release alone."""

from pathlib import Path

import pytest

from curate.errors import ReleaseError
from curate.release.lineage import lineage, lineage_lines
from curate.release.load import load_release


def test_everything_behind_a_label_is_there(release: Path) -> None:
    loaded = load_release(release)
    clip_id, name = loaded.clips.row(3, named=True)["clip_id"], loaded.clips["name"][3]
    found = lineage(release, clip_id)
    assert found == lineage(release, name) == lineage(release, clip_id[:8])
    mine = loaded.answers.filter(clip_id=clip_id)
    assert len(found["answers"]) == mine.height
    # Each call that an answer names is there, with its reply.
    assert {key for one in found["answers"] for key in one["calls"]} <= {one["key"] for one in found["calls"]}
    assert len(found["frames"]) == loaded.frames.filter(clip_id=clip_id).height
    assert found["rule"] == "a reliability of at least 0.8"


def test_a_person_reads_the_label_first_and_what_it_rests_on_below(release: Path) -> None:
    loaded = load_release(release)
    changed = loaded.labels.filter(loaded.labels["label_given"] != loaded.labels["label_refined"]).row(
        0, named=True
    )
    lines = list(lineage_lines(lineage(release, changed["clip_id"])))
    assert lines[0].startswith(changed["clip_id"])
    assert lines[1] == f"given {changed['label_given']}, refined {changed['label_refined']}"
    against = f"for {changed['label_refined']} against {changed['label_given']}"
    assert any(against in line for line in lines)
    assert any(line.startswith("  +1.25  item:gaze: always") for line in lines)
    assert any("Does the person look at the screen?" in line for line in lines)
    assert any("call " in line and "example/tiny-vlm@0123abc" in line for line in lines)
    assert any(" s, frame " in line for line in lines)
    assert any(line.startswith("  vote of ada: ") for line in lines)


def test_a_clip_that_came_without_a_label(release: Path) -> None:
    loaded = load_release(release)
    clip_id = loaded.labels.filter(loaded.labels["label_given"].is_null())["clip_id"][0]
    assert list(lineage_lines(lineage(release, clip_id)))[1].startswith("came without a label; pseudo-label")


def test_no_clip_and_too_many(release: Path) -> None:
    with pytest.raises(ReleaseError, match="no clip is called 'nobody'"):
        lineage(release, "nobody")
    with pytest.raises(ReleaseError, match="means 24 clips"):
        lineage(release, "")
