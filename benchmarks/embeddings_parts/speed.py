"""Pictures a second of our loop around a network, beside a bare one."""

import io
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModel, Dinov2Config, Dinov2Model
from transformers.models.bit import BitImageProcessorPil

from curate.clips.media import FolderStore
from curate.frames.pictures import PictureStore
from curate.recipe import Embeddings
from curate.sequences.embed import embed
from curate.sequences.embedding_model import load_embedding_model
from curate.sequences.seen import Places
from curate.sequences.store import ArrayStore

N_CLIPS, PICTURES_A_CLIP, BATCH, ROUNDS = 24, 4, 16, 3
WIDTH_PX, HEIGHT_PX = 448, 336
WANTED = 0.95
"""Share of the bare loop's speed."""


def report_speed() -> bool:
    """Print the speeds; whether ours is fast enough. The two take turns, and the best of each counts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = _saved_model(folder / "dinov2-random")
        pictures = PictureStore(folder / "pictures")
        digests = [pictures.put(_picture(number)) for number in range(N_CLIPS * PICTURES_A_CLIP)]
        bare_s, ours_s = [], []
        for number in range(ROUNDS):
            bare_s.append(_bare(model, pictures, digests))
            ours_s.append(_ours(model, pictures, digests, folder / f"kept-{number}"))
        again_s = _ours(model, pictures, digests, folder / "kept-0")
    bare, ours = (len(digests) / min(times_s) for times_s in (bare_s, ours_s))
    print(f"\nspeed: {len(digests)} pictures of {N_CLIPS} clips, batches of {BATCH}, {ROUNDS} rounds")
    print(f"bare loop {bare:.2f} pictures/s, ours {ours:.2f}: {ours / bare:.3f} of it, wanted {WANTED}")
    print(f"all of it known: {again_s:.2f} s instead of {min(ours_s):.2f} s")
    return ours / bare >= WANTED


def _bare(model: Path, pictures: PictureStore, digests: Sequence[str]) -> float:
    """Seconds of a loop that does nothing but compute."""
    processor = AutoImageProcessor.from_pretrained(model, backend="pil")
    network = AutoModel.from_pretrained(model).eval()
    files = [pictures.path(digest) for digest in digests]
    started_s = time.perf_counter()
    for first in range(0, len(files), BATCH):
        images = [Image.open(file).convert("RGB") for file in files[first : first + BATCH]]
        with torch.inference_mode():
            network(**processor(images=images, return_tensors="pt")).pooler_output.numpy()
    return time.perf_counter() - started_s


def _ours(model: Path, pictures: PictureStore, digests: Sequence[str], kept: Path) -> float:
    """Seconds from tables to rows."""
    loaded = load_embedding_model(Embeddings(model=str(model), batch=BATCH, device="cpu"))
    places = Places(pictures, FolderStore(kept), ArrayStore(kept))
    ids = [f"{number:016x}" for number in range(N_CLIPS)]
    clips = pl.DataFrame({"clip_id": ids, "name": ids, "uri": ids, "media": "video"})
    number = range(len(digests))
    frames = pl.DataFrame(
        {
            "clip_id": [ids[place // PICTURES_A_CLIP] for place in number],
            "role": "key",
            "index": [place % PICTURES_A_CLIP for place in number],
            "t_s": [float(place % PICTURES_A_CLIP) for place in number],
            "sha256": digests,
        }
    )
    started_s = time.perf_counter()
    assert len(list(embed(clips, frames, loaded, places))) == N_CLIPS
    return time.perf_counter() - started_s


def _saved_model(folder: Path) -> Path:
    """A network as large as DINOv2-Small, and the processor of all DINOv2 models."""
    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=384, num_hidden_layers=12, num_attention_heads=6, image_size=518)
    Dinov2Model(config).save_pretrained(folder)
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    size, crop = {"shortest_edge": 256}, {"height": 224, "width": 224}
    processor = BitImageProcessorPil(size=size, crop_size=crop, image_mean=mean, image_std=deviation)
    processor.save_pretrained(folder)
    return folder


def _picture(seed: int) -> bytes:
    """A JPEG file of smooth noise."""
    small = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(small).resize((WIDTH_PX, HEIGHT_PX)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
