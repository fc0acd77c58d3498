import sys
from pathlib import Path

import pytest

from curate.recipe import Embeddings, FeatureFiles, FolderClips, Frames, KeypointFiles, Pose, Release
from curate.sections import Section
from curate.seeing_check import seeing_problems


def told(**sections: Section) -> list[str]:
    return [str(problem) for problem in seeing_problems(sections)]


def test_whole_frames_need_nothing() -> None:
    assert told(frames=Frames(), release=Release(), embeddings=Embeddings()) == []


def test_a_detector_that_cannot_be_had_is_told_by_its_key(tmp_path: Path) -> None:
    (frames,) = told(frames=Frames(crop="person", detector=str(tmp_path)))
    assert frames.startswith("frames.detector: ")
    (pose,) = told(pose=Pose(detector=str(tmp_path)))
    assert pose.startswith("pose.detector: ")


def test_without_opencv_no_face_can_be_blurred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    (problem,) = told(release=Release(faces="blur"))
    assert problem.startswith("release.faces: finding faces needs OpenCV")


def test_without_transformers_nothing_is_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert told(embeddings=Embeddings()) == [
        "embeddings: needs torch and transformers, which cannot be found. pip install torch transformers"
    ]


def test_folders_that_are_not_there_are_told(tmp_path: Path) -> None:
    clips = FolderClips(
        source="folder",
        path=tmp_path,
        keypoints=KeypointFiles(path=tmp_path / "openpose"),
        features=FeatureFiles(path=tmp_path),
    )
    assert told(clips=clips) == [f"clips.keypoints.path: {tmp_path}/openpose: no such folder. Check the path"]
