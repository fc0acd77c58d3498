"""What stands in the way of looking at clips as a recipe asks: packages, detectors, folders."""

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import replace

from curate.errors import Problem
from curate.frames.people.detectors import detector_problems, face_detector_problems
from curate.recipe import DatasetClips, Embeddings, FolderClips, Frames, Pose, Release
from curate.sections import Section

_MODELS = ("torch", "transformers")


def seeing_problems(sections: Mapping[str, Section]) -> list[Problem]:
    """What can be told without loading a model; a configuration on the Hub is fetched if it is not at hand.

    Args:
        sections: Name in the recipe to section, as far as they are sound.
    """
    return [*_crops(sections), *_faces(sections), *_models(sections), *_files(sections)]


def _crops(sections: Mapping[str, Section]) -> Iterator[Problem]:
    frames, pose = sections.get("frames"), sections.get("pose")
    if isinstance(frames, Frames):
        yield from detector_problems(frames)
    if isinstance(pose, Pose):
        people = Frames(crop="person", detector=pose.detector, detector_revision=pose.detector_revision)
        for problem in detector_problems(people):
            yield replace(problem, where=problem.where.replace("frames.", "pose."))


def _faces(sections: Mapping[str, Section]) -> Iterator[Problem]:
    release = sections.get("release")
    if isinstance(release, Release) and release.faces == "blur":
        yield from face_detector_problems(release.face_detector, "release.faces")


def _models(sections: Mapping[str, Section]) -> Iterator[Problem]:
    missing = [name for name in _MODELS if importlib.util.find_spec(name) is None]
    for key, kind in (("pose", Pose), ("embeddings", Embeddings)):
        if missing and isinstance(sections.get(key), kind):
            what = f"needs {' and '.join(missing)}, which cannot be found"
            yield Problem(key, what, "pip install torch transformers")


def _files(sections: Mapping[str, Section]) -> Iterator[Problem]:
    clips = sections.get("clips")
    if not isinstance(clips, FolderClips | DatasetClips):
        return
    for key, files in (("keypoints", clips.keypoints), ("features", clips.features)):
        if files is not None and not files.path.exists():
            yield Problem(f"clips.{key}.path", f"{files.path}: no such folder", "Check the path")
