"""Frame embeddings: those of the release, or made by a vision model and kept."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import AutoImageProcessor, AutoModel
from transformers.utils.logging import disable_progress_bar

from train_reference.data.release import Release, read
from train_reference.data.sequences import Sequences
from train_reference.errors import Problem, TrainError, in_short
from train_reference.features.aligned import aligned
from train_reference.settings import Images

Vectors = NDArray[np.float32]
"""Shape (n_frames, width)."""


def given_sequences(release: Release, clip_ids: Sequence[str], folder: Path) -> Sequences:
    """The release's own config `embeddings`.

    Raises:
        TrainError: Clips differ in the width of their vectors.
    """
    rows = release.rows("embeddings", ["clip_id", "vectors"])
    found = {row["clip_id"]: np.asarray(row["vectors"], dtype=np.float32) for row in rows}
    widths = {one.shape[1] for one in found.values() if one.ndim > 1}
    if len(widths) != 1:
        what = f"vectors have widths {sorted(widths)}, and one was expected"
        raise TrainError(
            release.name, [Problem("config embeddings", what, "Publish with one embeddings.model")]
        )
    return aligned(iter(found.items()), clip_ids, folder, widths.pop(), "float16")


def made_sequences(
    release: Release,
    config: str,
    clip_ids: Sequence[str],
    settings: Images,
    folder: Path,
    device: torch.device,
) -> Sequences:
    """Embeddings of frames of the release's media.

    Those of each clip are kept by the content of its media, the model with its
    revision and the frames: who is stopped goes on with the next clip, and
    another release with the same clips finds them made.

    Args:
        release: With media in it.
        config: Which clips.
        clip_ids: Of all clips, in order.
        settings: Model and frames.
        folder: Where they are kept.
        device: That the model runs on.

    Raises:
        TrainError: The model is not at hand, or no clip has media.
    """
    disable_progress_bar()  # type: ignore[no-untyped-call]  # the trainer shows its own
    embed: Callable[[Sequence[Image.Image]], Vectors] | None = None
    found: dict[str, Vectors] = {}
    for clip_id, media in _media(release, config):
        path = folder / "clips" / f"{_key(media, settings)}.npy"
        if not path.exists():
            embed = embed or open_embedder(settings, device)
            _write(path, embed(frames(media, settings.fps)))
        found[clip_id] = np.load(path, allow_pickle=False)
    if not found:
        what = "the release has neither embeddings nor media"
        fix = "Leave images out: modalities=keypoints,features,text; or publish with media"
        raise TrainError(release.name, [Problem("modalities", what, fix)])
    whole = (
        folder / hashlib.sha256("".join(clip_ids).encode() + _key(b"", settings).encode()).hexdigest()[:16]
    )
    return aligned(iter(found.items()), clip_ids, whole, next(iter(found.values())).shape[1], "float16")


def has_media(release: Release) -> bool:
    """Whether clips come with their videos or images."""
    return any(path.exists() and _media_column(path) for _, path in release.files("default")[:1])


def frames(media: bytes, fps: float) -> list[Image.Image]:
    """Pictures of a video at the middle of every 1 / fps seconds, at least one; of an image itself."""
    try:
        return [Image.open(BytesIO(media)).convert("RGB")]
    except OSError:
        pass
    found: list[Image.Image] = []
    container: Any
    with av.open(BytesIO(media)) as container:
        container.streams.video[0].thread_count = 1
        for frame in container.decode(video=0):
            now_s = float(frame.time or 0.0)
            if now_s + 1e-6 >= (len(found) + 0.5) / fps or not found:
                found.append(frame.to_image())
    return found


def open_embedder(settings: Images, device: torch.device) -> Callable[[Sequence[Image.Image]], Vectors]:
    """A function from pictures to vectors: the model's pooled output, or its first token if it pools nothing.

    Raises:
        TrainError: The model is not at hand.
    """
    try:
        load: dict[str, Any] = {"revision": settings.revision, "trust_remote_code": False}
        processor = AutoImageProcessor.from_pretrained(settings.model, backend="pil", **load)  # type: ignore[no-untyped-call]
        model = AutoModel.from_pretrained(settings.model, use_safetensors=True, **load).to(device).eval()
    except (OSError, ValueError) as error:
        what = f"{settings.model} cannot be loaded ({in_short(error)})"
        fix = "Name a folder or an id that can be reached, or leave images out: modalities=keypoints,text"
        raise TrainError("settings", [Problem("images.model", what, fix)]) from error
    return _Embedder(processor, model, settings.batch_size, device)


@dataclass(frozen=True, slots=True)
class _Embedder:
    processor: Any
    model: Any
    batch_size: int
    device: torch.device

    @torch.no_grad()
    def __call__(self, pictures: Sequence[Image.Image]) -> Vectors:
        found = []
        for first in range(0, len(pictures), self.batch_size):
            batch = self.processor(list(pictures[first : first + self.batch_size]), return_tensors="pt")
            said = self.model(batch["pixel_values"].to(self.device))
            pooled = getattr(said, "pooler_output", None)
            found.append(said.last_hidden_state[:, 0] if pooled is None else pooled.flatten(1))
        return torch.cat(found).float().cpu().numpy()


def _media(release: Release, config: str) -> Iterator[tuple[str, bytes]]:
    """Clip id and the bytes of its video or image, file by file."""
    for name in (config, "pseudo_labeled"):
        if name in release.configs:
            for _, path in release.files(name):
                yield from _media_of(path, release.folder)


def _media_of(path: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    column = _media_column(path)
    if column is None:
        return
    for row in read(path, ["clip_id", column]).iter_rows(named=True):
        media = row[column] or {}
        if media.get("bytes"):
            yield row["clip_id"], media["bytes"]
        elif media.get("path") and (folder / media["path"]).is_file():
            yield row["clip_id"], (folder / media["path"]).read_bytes()


def _media_column(path: Path) -> str | None:
    there = pl.read_parquet_schema(path)
    return next((name for name in ("video", "image") if name in there), None)


def _key(media: bytes, settings: Images) -> str:
    told = f"{settings.model}@{settings.revision} {settings.fps:g}".encode()
    return hashlib.sha256(hashlib.sha256(media).digest() + told).hexdigest()[:32]


def _write(path: Path, vectors: Vectors) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.save(file, vectors, allow_pickle=False)
    partial.replace(path)
