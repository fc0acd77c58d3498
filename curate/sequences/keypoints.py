"""Key points that came with the clips, as rows of table keypoints."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curate.clips.finding import Action, Finding
from curate.clips.pool import Progress
from curate.errors import MediaError
from curate.recipe.sequences import KeypointFiles
from curate.sequences.archive import Archive, open_archive
from curate.sequences.columns import Row
from curate.sequences.frame_files import FrameFile, Numbering, frame_files, numbering
from curate.sequences.matching import ListedClip, check_any_matched, listed_clips, names_of, unmatched
from curate.sequences.openpose import people_of
from curate.sequences.person import main_person
from curate.sequences.points import N_POINTS, Points, placed

GIVEN = "given"
"""Source of what came with the clips."""

Instead = Callable[[ListedClip], Row | Finding]
"""What there is of a clip that came without key points."""

_MOST_BYTES = 16_000_000
"""Of one frame's file: hundreds of people take less than one."""
_LATE_S = 1.0
"""So much longer than the clip its files may last: decoders do not agree on the last frames."""
_BEYOND = 1.05
"""So far points may lie, in sizes of the picture, before its size is doubted."""


def read_keypoints(
    clips: pl.DataFrame,
    files: KeypointFiles,
    *,
    folder: str = "",
    instead: Instead | None = None,
    progress: Progress | None = None,
) -> Iterator[Row | Finding]:
    """Read the key points of every clip; one clip is in memory at a time.

    A frame without a file, or in which nobody was found, is all 0. Of several
    people the main one is followed. A clip is set aside as a whole if a file of
    it cannot be read: without that file it is read.

    Args:
        clips: Table clips.
        files: The recipe's section; its path is absolute.
        folder: Name of the clips' own folder, which files may put before a path.
        instead: Gives the row of a clip that has no files; if left out, a finding tells that there are none.
        progress: Told (done, total) after each clip.

    Returns:
        Findings on files that no clip answers to; then by clip id each clip's
        row, or why it has none, and what was odd about it.

    Raises:
        InputError: There is no such folder or ZIP file, or no file in it is about a clip.
    """
    listed = listed_clips(clips)
    names = names_of(listed, folder)
    with open_archive(files.path, "clips.keypoints.path") as archive:
        candidates = [name for name in archive.names() if name.lower().endswith(".json")]
        sorted_files = frame_files(candidates, names)
        check_any_matched(files.path, "clips.keypoints.path", len(sorted_files.found), candidates, names)
        yield from unmatched(files.path, "keypoints", sorted_files.lost, sorted_files.unclear)
        reader = _Reader(archive, files, instead or (lambda clip: _missing(files, clip)))
        for position, clip in enumerate(listed):
            yield from reader.results(clip, sorted_files.found.pop(position, []))
            if progress:
                progress(position + 1, len(listed))


def keypoint_row(clip: ListedClip, source: str, t_s: NDArray[np.float64], points: Points) -> Row:
    """A row of table keypoints.

    Args:
        clip: The clip.
        source: given, or the model.
        t_s: Shape (n_frames,).
        points: Shape (n_frames, 137, 3), in pixels.

    Raises:
        MediaError: A point is so far away that 16 bits cannot say it.
    """
    kept = placed(points, clip.width, clip.height)
    return {
        "clip_id": clip.clip_id,
        "source": source,
        "width": clip.width,
        "height": clip.height,
        "origin_x": kept.origin_x,
        "origin_y": kept.origin_y,
        "t_s": t_s,
        "points": kept.values,
    }


@dataclass(frozen=True, slots=True)
class _Reader:
    archive: Archive
    files: KeypointFiles
    instead: Instead

    def results(self, clip: ListedClip, files: Sequence[FrameFile]) -> Iterator[Row | Finding]:
        if not files:
            yield self.instead(clip)
            return
        try:
            numbers = numbering(files)
            t_s = self._times(clip, numbers)
            points = main_person(self._people(files, numbers), t_s.tolist())
            points, scaled = _in_pixels(points, clip)
            row = keypoint_row(clip, GIVEN, t_s, points)
        except MediaError as error:
            yield self._finding(clip, str(error), "set_aside")
            return
        yield row
        odd = chain(_gaps(files, numbers), scaled, _beyond(points, clip), _late(t_s, clip))
        yield from (self._finding(clip, what, "read") for what in odd)

    def _people(self, files: Sequence[FrameFile], numbers: Numbering) -> list[Points]:
        """Shape (n_frames,) of (n_people, 137, 3) each."""
        people: list[Points] = [np.zeros((0, N_POINTS, 3), dtype=np.float32)] * numbers.n_frames
        for file in files:
            try:
                people[numbers.place(file.number)] = people_of(self.archive.read(file.name, _MOST_BYTES))
            except MediaError as error:
                what = f"file {file.name} {error}; without the file, nobody would be in that frame"
                raise MediaError(what) from error
        return people

    def _times(self, clip: ListedClip, numbers: Numbering) -> NDArray[np.float64]:
        """Shape (n_frames,) [s]."""
        rate = self.files.fps or (clip.fps / numbers.step if clip.fps else None)
        if rate is None and numbers.n_frames > 1:
            what = f"has key points of {numbers.n_frames} frames, and no frame rate of its own"
            raise MediaError(f"{what}: name clips.keypoints.fps")
        return np.arange(numbers.n_frames) / (rate or 1)

    def _finding(self, clip: ListedClip, what: str, action: Action) -> Finding:
        return Finding(self.files.path.name, clip.name, "keypoints", what, action)


def _missing(files: KeypointFiles, clip: ListedClip) -> Finding:
    return Finding(files.path.name, clip.name, "keypoints", "no file is called as the clip")


def _in_pixels(points: Points, clip: ListedClip) -> tuple[Points, list[str]]:
    """Points as OpenPose wrote them, in pixels; it can be told to scale them to the picture.

    Nobody is one pixel large: places that are all within 1 of 0 are shares of
    the picture, from its corner (--keypoint_scale 3) or, if any is negative,
    from its middle in halves (--keypoint_scale 4).
    """
    found = points[..., 2] > 0
    places = points[..., :2][found]  # (n_found, 2)
    if not len(places) or np.abs(places).max() > 1:
        return points, []
    size = np.array([clip.width, clip.height], dtype=np.float32)
    scaled = points.copy()
    scaled[..., :2][found] = places * size if places.min() >= 0 else (places + 1) / 2 * size
    return scaled, ["key points are shares of the picture; they are read as such"]


def _gaps(files: Sequence[FrameFile], numbers: Numbering) -> Iterator[str]:
    if n_lacking := numbers.n_frames - len(files):
        yield f"{n_lacking} of {numbers.n_frames} frames have no file; nobody is in them"


def _beyond(points: Points, clip: ListedClip) -> Iterator[str]:
    right, lower = points[..., :2].max(axis=(0, 1)).tolist()
    if right > _BEYOND * clip.width or lower > _BEYOND * clip.height:
        said = f"key points reach ({right:.0f}, {lower:.0f}), the picture is {clip.width} x {clip.height}"
        yield f"{said}: they may be of another size of it"


def _late(t_s: NDArray[np.float64], clip: ListedClip) -> Iterator[str]:
    if clip.duration_s is not None and t_s[-1] > clip.duration_s + _LATE_S:
        said = f"key points last {t_s[-1]:.1f} s, the clip {clip.duration_s:.1f} s"
        yield f"{said}: is clips.keypoints.fps right?"
