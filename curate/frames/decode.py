"""Pictures of the moments of a clip that a recipe asks for."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

from PIL import Image

from curate.clips.decoding import decoding
from curate.clips.video import Timeline, Video, open_video, timeline
from curate.errors import MediaError
from curate.frames.look import Looked, look
from curate.frames.people.boxes import Boxes
from curate.frames.picture import Picture, make_picture, still
from curate.frames.reading import Served, can_begin_again, upright, wanted_frames
from curate.frames.sample import Course, Moment, moments
from curate.recipe import Frames


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of one clip."""

    shown: tuple[Picture, ...]
    """By rising index, none twice."""
    replaced: tuple[tuple[int, int], ...] = ()
    """Index of each wanted frame that is damaged, and of the frame that stands for it."""


def video_pictures(
    place: Path | bytes, frames: Frames, *, between: int = 0, boxes: Boxes | None = None
) -> Pictures:
    """Take the moments of a video that a recipe asks for.

    Packets are read through once for the frame times, without decoding. Then
    frames are decoded once: for strategy events, small looks are taken of all
    of them, and those that may be chosen are held as far as memory allows; for
    the others, up to the last wanted one, or by seeking where that decodes
    fewer.

    A wanted frame that is damaged is replaced by the nearest sound frame before
    it; at the very start, by the first one after it. A frame is never given
    twice: one that stands for a key frame is a key frame.

    Args:
        place: The file, or its bytes.
        frames: The recipe's section.
        between: Frames that are wanted in each gap between two key frames.
        boxes: Tells what is cut out of each picture.

    Raises:
        MediaError: It cannot be read, or not one frame can be decoded.
    """
    with decoding("is a video that cannot be read"), ExitStack() as opened:
        video = opened.enter_context(open_video(place))
        line = timeline(video)

        def again() -> Video:
            """The video to be read from its first frame on; opening takes some milliseconds."""
            return video if can_begin_again(line) else opened.enter_context(open_video(place))

        looked = look(again(), line) if frames.strategy == "events" else Looked()
        course = Course(line.times_s, line.duration_s, looked.changes)
        wanted = moments(course, frames, between=between)
        indices = [moment.index for moment in wanted]
        taken = _held(looked, indices) or wanted_frames(again(), line, indices)
        pictures, replaced = _settled(zip(wanted, taken, strict=False), line, frames.size_px, boxes)
    if not pictures:
        raise MediaError("has a video stream of which no frame can be decoded without damage")
    return Pictures(tuple(pictures), tuple(replaced))


def image_pictures(place: Path | bytes, frames: Frames, boxes: Boxes | None = None) -> Pictures:
    """A still image as one picture, upright as its EXIF data say.

    Raises:
        MediaError: It cannot be read.
    """
    image = still(place)
    box = boxes([image], [0.0])[0] if boxes else None
    return Pictures((make_picture(Moment("key", 0, 0.0), image, image.size, frames.size_px, box),))


def _held(looked: Looked, wanted: Sequence[int]) -> list[Served] | None:
    """Wanted frames, if all of them were held."""
    if not all(index in looked.held for index in wanted):
        return None
    return [looked.held[index] for index in wanted]


def _settled(
    taken: Iterable[tuple[Moment, Served]], line: Timeline, size_px: int, boxes: Boxes | None
) -> tuple[list[Picture], list[tuple[int, int]]]:
    """Pictures by rising index, and which wanted frames others stand for."""
    pictures: dict[int, Picture] = {}
    held: dict[int, Served] = {}
    replaced: list[tuple[int, int]] = []
    keys: set[int] = set()
    for moment, served in taken:
        index = served.index
        if boxes:
            held.setdefault(index, served)
        elif index not in pictures:
            # At once: decoded frames would fill memory.
            pictures[index] = make_picture(moment, upright(served.frame), served.size, size_px)
        keys |= {index} if moment.role == "key" else set()
        if index != moment.index:
            replaced.append((moment.index, index))
    if boxes:
        pictures = _cut(held, line, size_px, boxes)
    return [_placed(picture, index, keys, line) for index, picture in pictures.items()], replaced


def _placed(picture: Picture, index: int, keys: set[int], line: Timeline) -> Picture:
    """One that stands for a key frame is a key frame, whatever else it stands for."""
    return replace(picture, moment=Moment("key" if index in keys else "between", index, line.times_s[index]))


def _cut(held: Mapping[int, Served], line: Timeline, size_px: int, boxes: Boxes) -> dict[int, Picture]:
    """Pictures of what the boxes show of each frame."""
    images = _Shown(tuple(held.values()))
    found = boxes(images, [line.times_s[index] for index in held])
    return {
        index: make_picture(Moment("key", index, 0.0), image, image.size, size_px, box)
        for index, image, box in zip(held, images, found, strict=True)
    }


@dataclass(frozen=True, slots=True)
class _Shown(Sequence[Image.Image]):
    """Frames as they are displayed, converted when they are asked for: as RGB they take twice the memory."""

    frames: tuple[Served, ...]

    def __len__(self) -> int:
        return len(self.frames)

    @overload
    def __getitem__(self, place: int) -> Image.Image: ...
    @overload
    def __getitem__(self, place: slice) -> list[Image.Image]: ...
    def __getitem__(self, place: int | slice) -> Image.Image | list[Image.Image]:
        if isinstance(place, slice):
            return [served.shown for served in self.frames[place]]
        return self.frames[place].shown
