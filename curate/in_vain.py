"""What a recipe asks for that could not have any effect: a mistake more often than not."""

from collections.abc import Iterator, Mapping

from curate.errors import Problem
from curate.recipe import Answers, DatasetClips, FolderClips, Frames, Release
from curate.sections import Section

_CROP_KEYS = ("detector", "detector_revision", "margin", "smoothing_s", "least_score")


def asked_in_vain(sections: Mapping[str, Section]) -> list[Problem]:
    """Keys of a recipe that others make useless; sections that are wrong themselves are left out.

    Args:
        sections: Name in the recipe to section, as far as they are sound.
    """
    return [*_answers(sections), *_frames(sections), *_release(sections)]


def _answers(sections: Mapping[str, Section]) -> Iterator[Problem]:
    answers, clips, frames = sections.get("answers"), sections.get("clips"), sections.get("frames")
    if not isinstance(answers, Answers):
        return
    if answers.transcript and isinstance(clips, FolderClips | DatasetClips) and not _transcripts(clips):
        where = "clips.labels.transcript" if isinstance(clips, FolderClips) else "clips.transcript"
        what = "is true, and no column of transcripts is named"
        yield Problem("answers.transcript", what, f"Name one in {where}")
    if answers.context == "between" and isinstance(frames, Frames) and frames.count == 1:
        what = "is between, and one picture a clip has nothing between it and another"
        yield Problem("answers.context", what, "Raise frames.count")


def _transcripts(clips: FolderClips | DatasetClips) -> str | None:
    if isinstance(clips, DatasetClips):
        return clips.transcript
    return clips.labels.transcript if clips.labels else None


def _frames(sections: Mapping[str, Section]) -> Iterator[Problem]:
    frames = sections.get("frames")
    if not isinstance(frames, Frames):
        return
    if "fps" in frames.model_fields_set and frames.strategy != "fps":
        what = f"is {frames.fps:g}, and strategy {frames.strategy} takes no rate"
        yield Problem("frames.fps", what, "Leave it out, or set frames.strategy to fps")
    if frames.crop == "none":
        for key in _CROP_KEYS:
            if key in frames.model_fields_set:
                what = "is set, and nothing is cut out"
                yield Problem(f"frames.{key}", what, "Leave it out, or set frames.crop to face or person")


def _release(sections: Mapping[str, Section]) -> Iterator[Problem]:
    release = sections.get("release")
    if not isinstance(release, Release) or release.faces == "blur":
        return
    if "face_detector" in release.model_fields_set:
        what = "is set, and no faces are blurred"
        yield Problem("release.face_detector", what, "Leave it out, or set release.faces to blur")
