"""What is cut out of a clip's pictures: the same face or person, followed."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from curate.frames.people.boxes import Box
from curate.frames.people.detectors import open_finder
from curate.frames.people.finder import Detection, Finder
from curate.frames.people.follow import follow
from curate.recipe import Frames


def open_crops(frames: Frames) -> "Crops | None":
    """What tells the crops of a clip's pictures; None if whole frames are shown.

    Raises:
        MissingPartError: A package is not installed.
        InputError: There is no such detector, or it does not find what is looked for.
    """
    if frames.crop == "none":
        return None
    return Crops(open_finder(frames.crop, frames.detector, frames.detector_revision), frames)


@dataclass(frozen=True, slots=True)
class Crops:
    """Finds, follows and cuts; safe to use from several threads."""

    finder: Finder
    frames: Frames

    def __call__(self, images: Sequence[Image.Image], times_s: Sequence[float]) -> list[Box | None]:
        """The crop of each picture of a clip, inside it; None where the person is not there.

        A face's crop is a square, moved inside the picture where it would reach
        beyond it: a face is as high as wide for whoever looks at it, and a
        square does not change its shape when the mouth opens. A person's crop
        has the shape of the person.
        """
        if not images:
            return []
        size = (float(images[0].width), float(images[0].height))
        found = _in_one_size(self._believed(images), images, size)
        followed = follow(found, times_s, size, smoothing_s=self.frames.smoothing_s)
        return [
            box and self._cut(box.scaled(image.width / size[0], image.height / size[1]), image)
            for box, image in zip(followed, images, strict=True)
        ]

    def _believed(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        least = self.frames.least_score
        return [[each for each in found if each.score >= least] for found in self.finder.find(images)]

    def _cut(self, box: Box, image: Image.Image) -> Box | None:
        grown = box.with_margin(self.frames.margin)
        wanted = grown.squared() if self.frames.crop == "face" else grown
        inside = wanted.moved_inside(image.width, image.height)
        return inside if inside.width >= 1 and inside.height >= 1 else None


def _in_one_size(
    found: Sequence[Sequence[Detection]], images: Sequence[Image.Image], size: tuple[float, float]
) -> list[list[Detection]]:
    """Findings in pixels of the first picture: a stream may change its size on the way."""
    return [
        [Detection(one.box.scaled(size[0] / image.width, size[1] / image.height), one.score) for one in here]
        for here, image in zip(found, images, strict=True)
    ]
