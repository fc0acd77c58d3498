"""What stands in the way of the release that a recipe asks for, as far as that can be told before a run."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from curate.errors import Problem, ReleaseError
from curate.recipe import Answers, DatasetClips, FolderClips, Release, Splits
from curate.release.hub.reference import resolve
from curate.sections import Section


def release_problems(sections: Mapping[str, Section]) -> list[Problem]:
    """What can be told from the recipe and its folders; the Hub is not asked.

    Args:
        sections: Name in the recipe to section, as far as they are sound.
    """
    return [*_release(sections), *_times(sections), *_further(sections)]


def _release(sections: Mapping[str, Section]) -> Iterator[Problem]:
    release = sections.get("release")
    if not isinstance(release, Release):
        return
    if not release.licence:
        what = "is not stated, and curate publish will refuse a release without one"
        yield Problem("release.licence", what, "Name it as the Hub does: cc-by-4.0", mends_itself=True)
    if release.media == "none" and release.faces == "blur":
        what = "is asked for, and no media are released in which a face could be seen"
        yield Problem("release.faces", what, "Leave it out, or release media", mends_itself=True)
    try:
        if release.previous is not None:
            resolve(release.previous)
    except ReleaseError as error:
        yield Problem("release.previous", str(error))


def _times(sections: Mapping[str, Section]) -> Iterator[Problem]:
    splits, clips = sections.get("splits"), sections.get("clips")
    if not isinstance(splits, Splits) or splits.order != "time":
        return
    said = (
        clips.labels if isinstance(clips, FolderClips) else clips if isinstance(clips, DatasetClips) else None
    )
    if said is None or said.recorded_at is None:
        what = "is time, and no column says when clips were recorded"
        yield Problem("splits.order", what, "Name it under recorded_at, where the group is named")


def _further(sections: Mapping[str, Section]) -> Iterator[Problem]:
    answers = sections.get("answers")
    for place in answers.further if isinstance(answers, Answers) else ():
        if not Path(place).is_dir():
            yield Problem("answers.further", f"{place}: no such folder", "Name a finished run, or a release")
