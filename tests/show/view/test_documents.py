"""What is reckoned for FiftyOne, without FiftyOne's database."""

from pathlib import Path

import pytest

from curate import tables
from curate.release.compare.edition import Edition
from curate.run_folder import Run
from curate.show.view.people import person_moments
from curate.show.view.scene import read_scene

A, B = "a" * 16, "b" * 16


def test_boxes_are_shares_of_the_picture() -> None:
    moments = [
        {"index": 0, "t_s": 0.0, "role": "key", "box": [10.0, 20.0, 60.0, 120.0]},
        {"index": 9, "t_s": 1.0, "role": "key", "box": None},
    ]
    row = {"width": 100, "height": 200, "moments": moments}
    (found,) = person_moments(row, {})
    assert (found.frame, found.box) == (1, (0.1, 0.1, 0.5, 0.5))
    both = person_moments(row, {9: ((0.5, 0.5),)})
    assert [(one.frame, one.points) for one in both] == [(1, ()), (10, ((0.5, 0.5),))]


def test_a_release_is_told_clip_by_clip(finished: Run) -> None:
    release = Edition(finished.release)
    scene = read_scene(release)
    labels, answers = release.table("labels"), release.table("answers")
    assert scene.clips["clip_id"].to_list() == sorted(labels["clip_id"])
    assert scene.classes == finished.classes
    assert set(scene.clips["label_refined"]) <= set(scene.classes)
    assert scene.clips["doubt"].is_between(0, 1).all()
    base = answers.filter(variant="base", control="none")
    assert scene.clips["answers"].list.len().sum() == base.height


def answer(clip: str, control: str, said: str, shown: str | None = None) -> dict[str, object]:
    return {
        "clip_id": clip,
        "item": "gaze",
        "variant": "base",
        "control": control,
        "media_clip_id": shown,
        "outcome": "answered",
        "answer": said,
    }


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        # b looks elsewhere: that a's answer stays the same with b's pictures is a failure.
        ([answer(A, "canary", "away", B), answer(B, "none", "here", B)], ["gaze: canary"]),
        # b looks the same way: the same answer is to be expected.
        ([answer(A, "canary", "away", B), answer(B, "none", "away", B)], []),
        ([answer(A, "canary", "here", B), answer(B, "none", "here", B)], []),
        ([answer(A, "no_media", "away")], ["gaze: no_media"]),
        ([answer(A, "no_media", "here")], []),
        ([answer(A, "shuffled", "away", A)], []),  # that order does not matter is no failure
    ],
)
def test_a_control_fails_where_the_pictures_did_not_matter(
    rows: list[dict[str, object]], failed: list[str], tmp_path: Path
) -> None:
    from curate.show.view.scene import _failed_controls

    found = _failed_controls(tables.table("answers", [answer(A, "none", "away", A), *rows]))
    assert [told for row in found["failed_controls"].to_list() for told in row] == failed
