"""Which modalities a release has, and their sequences."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from train_reference.data.clips import Clips
from train_reference.data.release import Release
from train_reference.data.sequences import Sequences
from train_reference.errors import Problem, TrainError
from train_reference.features.engagement import engagement_sequences
from train_reference.features.images import given_sequences, has_media, made_sequences
from train_reference.features.keypoints import keypoint_sequences
from train_reference.features.text import text_sequences
from train_reference.settings import MODALITIES, Settings


def load_modalities(
    release: Release, clips: Clips, settings: Settings, folder: Path, device: torch.device
) -> dict[str, Sequences]:
    """The sequences of each wanted modality that the release has, in the order of `MODALITIES`.

    Args:
        release: An open one.
        clips: Its clips.
        settings: Which modalities, and how.
        folder: Where sequences are kept; what is there already is opened.
        device: That embeds frames.

    Raises:
        TrainError: There is none of them, or clips that have none.
    """
    folder = folder / _fingerprint(release, clips, settings)
    readers: Mapping[str, Callable[[Path], Sequences]] = {
        "images": lambda to: _images(release, clips, settings, to, device),
        "keypoints": lambda to: keypoint_sequences(release, clips.clip_ids, settings.keypoints.every, to),
        "features": lambda to: engagement_sequences(
            release, clips.clip_ids, settings.features.columns, settings.features.segments, to
        ),
        "text": lambda to: text_sequences(clips.clip_ids, clips.transcripts, *_text(settings), to),
    }
    wanted = [name for name in MODALITIES if name in settings.modalities and _has(release, clips, name)]
    found: dict[str, Sequences] = {name: readers[name](folder / name) for name in wanted}
    _check(release, clips, found, settings)
    return found


def _has(release: Release, clips: Clips, modality: str) -> bool:
    if modality == "text":
        return any(said and said.strip() for said in clips.transcripts)
    if modality == "images":
        return "embeddings" in release.configs or has_media(release)
    return modality in release.configs


def _images(release: Release, clips: Clips, settings: Settings, to: Path, device: torch.device) -> Sequences:
    if "embeddings" in release.configs:
        return given_sequences(release, clips.clip_ids, to)
    return made_sequences(release, settings.config, clips.clip_ids, settings.images, to.parent.parent, device)


def _text(settings: Settings) -> tuple[str, str | None, int]:
    return settings.text.model, settings.text.revision, settings.text.most_tokens


def _check(release: Release, clips: Clips, found: Mapping[str, Sequences], settings: Settings) -> None:
    if not found:
        what = (
            f"the release has none of {', '.join(settings.modalities)}; it has {', '.join(release.configs)}"
        )
        raise TrainError(release.name, [Problem("modalities", what)])
    lengths = np.sum([one.lengths for one in found.values()], axis=0)
    bare = np.flatnonzero(lengths == 0)
    if len(bare) and not settings.drop:
        some = ", ".join(clips.clip_ids[row] for row in bare[:3]) + (" and more" if len(bare) > 3 else "")
        what = f"{len(bare)} clips have none of {', '.join(found)} ({some})"
        raise TrainError(release.name, [Problem("modalities", what, "drop=true leaves them out")])


def _fingerprint(release: Release, clips: Clips, settings: Settings) -> str:
    """Of everything that sequences depend on."""
    parts = [
        release.files(name) for name in release.configs if name in ("keypoints", "features", "embeddings")
    ]
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for part in parts for _, path in part]
    how = [getattr(settings, name).model_dump() for name in MODALITIES]
    told = json.dumps([str(release.folder.resolve()), files, how, clips.clip_ids, clips.transcripts])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
