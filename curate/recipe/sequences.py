"""What is measured at many frames of a clip: key points, features, embeddings."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from curate.recipe.fields import FolderOrId, Share, Text
from curate.sections import Section


class KeypointFiles(Section):
    """Key points that came with the clips."""

    path: Path
    """Folder or ZIP file with a folder of JSON files a clip, one a frame, named by the clip's stem; or
    with such files of all clips side by side, as OpenPose names them: CLIP_000000000000_keypoints.json."""

    format: Literal["openpose"] = "openpose"
    """openpose: 25 points of the body, 70 of the face, 21 of each hand."""

    fps: float | None = Field(default=None, gt=0, le=1000)
    """Files a second; that of the clip if left out."""


class FeatureFiles(Section):
    """Tables of features that came with the clips."""

    path: Path
    """Folder or ZIP file with a CSV file a clip, named by the clip's stem."""

    format: Literal["openface"] = "openface"
    """openface: a row a frame: gaze, head pose, action units, as OpenFace writes them."""

    columns: tuple[Text, ...] = ()
    """Columns to keep, by name or by beginning (gaze, pose, AU); all if left out."""


class Pose(Section):
    """Key points of the person, estimated by a transformers model."""

    model: FolderOrId = "usyd-community/vitpose-plus-base"
    """Hub id or folder of a pose model: 17 points (COCO) or 133 (COCO-WholeBody)."""

    revision: Text | None = None
    """Revision on the Hub; name one, so that a run can be repeated."""

    detector: FolderOrId | None = None
    """What finds people, as in frames.detector."""

    detector_revision: Text | None = None
    """Revision of the detector on the Hub."""

    least_score: Share = 0.5
    """Lowest score at which a detector's finding is believed."""

    fps: float | None = Field(default=None, gt=0, le=120)
    """Frames a second; every frame if left out."""

    batch: int = Field(default=16, ge=1)
    """Pictures in one pass of the model."""

    device: Text = "auto"
    """auto, cpu, cuda, mps, or cuda:N."""


class Embeddings(Section):
    """What a vision model makes of frames, as numbers."""

    model: FolderOrId = "facebook/dinov2-base"
    """Hub id or folder of a transformers vision model."""

    revision: Text | None = None
    """Revision on the Hub; name one, so that a run can be repeated."""

    fps: float | None = Field(default=None, gt=0, le=120)
    """Frames a second; only the pictures that the questionnaire is about if left out."""

    most: int = Field(default=512, ge=1)
    """Frames a clip, at most; longer clips are looked at more thinly."""

    batch: int = Field(default=32, ge=1)
    """Pictures in one pass of the model. Another number makes the vectors anew: their last digits depend
    on it."""

    device: Text = "auto"
    """auto, cpu, cuda, mps, or cuda:N."""

    judge: bool = True
    """Whether a classifier on the embeddings is an instrument of the label model: it judges each clip by
    the labels and votes of other groups."""
