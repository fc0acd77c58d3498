import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from curate.clips.finding import Finding
from curate.clips.media import FolderStore
from curate.errors import InputError, MediaError
from curate.frames.decode import Picture, Pictures
from curate.frames.pictures import PictureStore
from curate.frames.sample import Moment
from curate.recipe import Embeddings, Frames
from curate.sequences.columns import Row
from curate.sequences.embed import embed
from curate.sequences.embedding_model import Embedder, Tensors, Vectors, load_embedding_model
from curate.sequences.parts import read_parts, write_parts
from curate.sequences.seen import Look, Places, sampling_of
from curate.sequences.store import ArrayStore


@dataclass
class Colours:
    """Stands for a network: the vector of a picture is its mean colour. Notes the size of each pass."""

    batch: int = 4
    name: str = "colours@1"
    passes: list[int] = field(default_factory=list)
    decided_by: Mapping[str, object] = field(default_factory=lambda: {"model": "colours@1"})

    def prepare(self, picture: bytes) -> Tensors:
        if picture == b"spoiled":
            raise MediaError("gives a picture that colours@1 cannot take")
        image = Image.open(io.BytesIO(picture))
        return {"colour": torch.tensor(np.asarray(image, dtype=np.float32).mean(axis=(0, 1)))[None]}

    def vectors(self, pictures: Sequence[Tensors]) -> Vectors:
        self.passes.append(len(pictures))
        return torch.cat([tensors["colour"] for tensors in pictures]).numpy()

    @property
    def n_computed(self) -> int:
        return sum(self.passes)


def grey(level: int) -> bytes:
    """Of levels from 256 on, grey with some blue."""
    buffer = io.BytesIO()
    level, blue = level % 256, (level + 16 * (level // 256)) % 256
    Image.new("RGB", (8, 8), (level, level, blue)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@dataclass
class Run:
    """Clips with pictures in a folder; of clip i, picture j is of grey level 10 i + j."""

    places: Places
    clips: pl.DataFrame
    frames: pl.DataFrame

    def embed(self, model: Embedder, sampling: Frames | None = None, look: Look | None = None) -> Iterator:
        more = {} if look is None else {"look": look}
        return embed(self.clips, self.frames, model, self.places, sampling, **more)


def make_run(folder: Path, sizes: Sequence[int], media: str = "video") -> Run:
    pictures = PictureStore(folder / "pictures")
    ids = [hashlib.sha256(bytes([number])).hexdigest()[:16] for number in range(len(sizes))]
    clips = pl.DataFrame(
        {"clip_id": ids, "name": ids, "uri": [f"{clip_id}.mp4" for clip_id in ids], "media": media},
        schema={"clip_id": pl.String, "name": pl.String, "uri": pl.String, "media": pl.String},
    )
    rows = [
        (ids[number], role, 5 * place, place / 5, pictures.put(grey(10 * number + place)))
        for number, size in enumerate(sizes)
        for place in range(size)
        for role in ["key" if place != 1 or size < 3 else "between"]
    ]
    names = ["clip_id", "role", "index", "t_s", "sha256"]
    types = [pl.String, pl.String, pl.Int64, pl.Float64, pl.String]
    frames = pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")
    return Run(Places(pictures, FolderStore(folder), ArrayStore(folder / "kept")), clips, frames)


def rows(found: Iterator[Row | Finding]) -> list[Row]:
    listed = list(found)
    assert not [one for one in listed if isinstance(one, Finding)], listed
    return [one for one in listed if isinstance(one, dict)]


def bytes_of(found: Sequence[Row]) -> list[object]:
    return [(row["clip_id"], row["index"], row["t_s"], np.asarray(row["vectors"]).tobytes()) for row in found]


def test_a_row_a_clip_of_its_key_pictures(tmp_path: Path) -> None:
    run = make_run(tmp_path, [2, 3, 0])
    found = rows(run.embed(Colours()))
    # In order of ids; the clip without pictures is left out, and so is a picture with the role between.
    assert [row["clip_id"] for row in found] == sorted(run.clips["clip_id"][:2])
    by_id = {row["clip_id"]: row for row in found}
    first, second = (by_id[clip_id] for clip_id in run.clips["clip_id"][:2])
    assert (first["index"], first["t_s"], first["model"]) == ([0, 5], [0.0, 0.2], "colours@1")
    assert (second["index"], second["t_s"]) == ([0, 10], [0.0, 0.4])
    assert np.asarray(first["vectors"]).tolist() == [[0] * 3, [1] * 3]
    assert np.asarray(second["vectors"]).tolist() == [[10] * 3, [12] * 3]
    assert np.asarray(first["vectors"]).dtype == np.float16


def test_a_pass_holds_pictures_of_several_clips(tmp_path: Path) -> None:
    model = Colours(batch=4)
    rows(make_run(tmp_path, [2] * 5).embed(model))
    assert model.passes == [4, 4, 2]  # 10 pictures


@settings(max_examples=20, deadline=None)  # each writes files
@given(st.lists(st.integers(0, 7), max_size=8), st.integers(1, 5))
def test_every_picture_once_whatever_the_batch(sizes: list[int], batch: int) -> None:
    with TemporaryDirectory() as folder:
        run, model = make_run(Path(folder), sizes), Colours(batch=batch)
        found = rows(run.embed(model))
        n_keys = run.frames.filter(pl.col("role") == "key").height
        assert model.n_computed == n_keys == sum(len(np.asarray(row["vectors"])) for row in found)
        assert len(model.passes) == -(-n_keys // batch)
        again = Colours(batch=batch)
        assert bytes_of(rows(run.embed(again))) == bytes_of(found)
        assert again.passes == []


def test_stopped_half_way_it_goes_on_to_the_same_bytes(tmp_path: Path, tiny_dinov2: Path) -> None:
    sizes = [1, 4, 2, 5, 1, 1, 6, 2, 3]
    model = load_embedding_model(Embeddings(model=str(tiny_dinov2), batch=4, device="cpu"))
    whole = bytes_of(rows(make_run(tmp_path / "a", sizes).embed(model)))
    for n_done in (1, 4, 7):
        run = make_run(tmp_path / str(n_done), sizes)
        stopped = run.embed(model)
        assert len(list(islice(stopped, n_done))) == n_done
        stopped.close()  # type: ignore[attr-defined]
        # Lost as well: one vector file of a clip that had been done.
        next(iter(sorted((tmp_path / str(n_done) / "kept").rglob("*.npy")))).unlink()
        assert bytes_of(rows(run.embed(model))) == whole


def test_what_is_kept_is_not_computed_again(tmp_path: Path) -> None:
    run = make_run(tmp_path, [2, 2, 2, 2])
    stopped = run.embed(Colours(batch=2))
    list(islice(stopped, 2))
    stopped.close()  # type: ignore[attr-defined]
    n_kept = len(list((tmp_path / "kept").rglob("*.npy")))
    assert n_kept >= 2
    again = Colours(batch=2)
    rows(run.embed(again))
    assert again.n_computed == 2 * (4 - n_kept)


def test_a_damaged_vector_is_made_anew(tmp_path: Path) -> None:
    run = make_run(tmp_path, [2, 2])
    whole = bytes_of(rows(run.embed(Colours())))
    damaged = next((tmp_path / "kept").rglob("*.npy"))
    damaged.write_bytes(damaged.read_bytes()[:-40])
    again = Colours()
    assert bytes_of(rows(run.embed(again))) == whole
    assert again.passes == [2]


def test_another_model_is_another_key(tmp_path: Path) -> None:
    run = make_run(tmp_path, [2, 2])
    rows(run.embed(Colours()))
    other = Colours(decided_by={"model": "colours@2"})
    rows(run.embed(other))
    assert other.n_computed == 4


def test_many_kept_clips_do_not_wait_for_a_full_batch(tmp_path: Path) -> None:
    run = make_run(tmp_path, [1] * 200)
    rows(run.embed(Colours()))
    first = sorted((tmp_path / "kept").rglob("*.npy"))
    for path in first[:50:10]:
        path.unlink()
    again = Colours(batch=32)
    found = run.embed(again)
    next(iter(found))
    assert len(rows(found)) == 199
    assert again.n_computed == 5


def test_a_picture_that_was_taken_away(tmp_path: Path) -> None:
    run = make_run(tmp_path, [2, 2])
    run.places.pictures.path(run.frames["sha256"][0]).unlink()
    with pytest.raises(InputError, match="is not there"):
        list(run.embed(Colours()))


def look_of(n: int) -> tuple[Look, list[str]]:
    """Gives n pictures a video, and notes which it looked at."""
    looked: list[str] = []

    def look(place: Path | bytes, frames: Frames) -> Pictures:
        looked.append(Path(str(place)).name)
        shown = [Picture(Moment("key", i, i / frames.fps), 8, 8, grey(40 + i)) for i in range(n)]
        return Pictures(tuple(shown))

    return look, looked


def test_moments_of_its_own(tmp_path: Path) -> None:
    run = make_run(tmp_path, [2, 2])
    for uri in run.clips["uri"]:
        (tmp_path / uri).touch()
    sampling = sampling_of(Embeddings(fps=2, most=9), Frames(count=4, size_px=64))
    assert sampling == Frames(strategy="fps", fps=2, count=9, size_px=64)
    look, looked = look_of(3)
    found = rows(run.embed(Colours(), sampling, look))
    assert [(row["index"], row["t_s"]) for row in found] == [([0, 1, 2], [0.0, 0.5, 1.0])] * 2
    assert np.asarray(found[0]["vectors"])[:, 0].tolist() == [40, 41, 42]
    again = Colours()
    assert bytes_of(rows(run.embed(again, sampling, look))) == bytes_of(found)
    assert (again.passes, len(looked)) == ([], 2)  # neither computed nor decoded again


def test_another_detector_is_another_key(tmp_path: Path) -> None:
    run = make_run(tmp_path, [2])
    (tmp_path / run.clips["uri"][0]).touch()
    look, looked = look_of(3)
    for looked_by in ("faces@1", "faces@2", "faces@1"):
        found = embed(run.clips, run.frames, Colours(), run.places, Frames(), look=look, looked_by=looked_by)
        assert len(rows(found)) == 1
    assert len(looked) == 2


def test_a_real_video_and_a_parquet_file_of_it(test_data: Path, tmp_path: Path, tiny_dinov2: Path) -> None:
    run = make_run(tmp_path / "run", [1])
    name = "test_462_frames.mp4"
    clips = run.clips.with_columns(uri=pl.lit(name))
    places = Places(run.places.pictures, FolderStore(test_data / "clips"), run.places.kept)
    asked = Embeddings(model=str(tiny_dinov2), fps=2, most=6, batch=4, device="cpu")
    sampling = sampling_of(asked, Frames(size_px=64))
    results = embed(clips, run.frames, load_embedding_model(asked), places, sampling)
    assert write_parts(tmp_path / "embeddings", "embeddings", results).rows == 1
    (part,) = read_parts(tmp_path / "embeddings", "embeddings")
    assert np.array(part["vectors"].to_list()).shape == (1, 6, 32)
    assert part["model"][0].startswith("dinov2-tiny@sha256:")


def test_a_still_image_has_its_one_picture(tmp_path: Path) -> None:
    run = make_run(tmp_path, [1], media="image")
    look, looked = look_of(3)
    (row,) = rows(run.embed(Colours(), Frames(strategy="fps"), look))
    assert (row["index"], looked) == ([0], [])


def test_no_fps_no_sampling() -> None:
    assert sampling_of(Embeddings(), Frames()) is None


def broken_file(place: Path | bytes, frames: Frames) -> Pictures:
    raise MediaError("is a video that cannot be read")


def spoiled_picture(place: Path | bytes, frames: Frames) -> Pictures:
    moments = [Moment("key", place, 0.0) for place in range(2)]
    shown = (grey(1), b"spoiled")
    return Pictures(tuple(Picture(at, 8, 8, jpeg) for at, jpeg in zip(moments, shown, strict=True)))


@pytest.mark.parametrize("look", [broken_file, spoiled_picture])
def test_a_bad_clip_is_set_aside_and_the_others_go_on(look: Look, tmp_path: Path) -> None:
    run = make_run(tmp_path, [2, 2, 2])
    for uri in run.clips["uri"]:
        (tmp_path / uri).touch()
    bad = sorted(run.clips["clip_id"])[1]

    def some(place: Path | bytes, frames: Frames) -> Pictures:
        return (look if bad in str(place) else look_of(2)[0])(place, frames)

    first, finding, last = list(run.embed(Colours(), Frames(strategy="fps"), some))
    assert isinstance(first, dict)
    assert isinstance(last, dict)
    assert isinstance(finding, Finding)
    assert (finding.clip, finding.kind, finding.action) == (bad, "embeddings", "set_aside")
    assert "cannot" in finding.what


def test_numbers_that_do_not_fit_are_said(tmp_path: Path) -> None:
    class Loud(Colours):
        def vectors(self, pictures: Sequence[Tensors]) -> Vectors:
            return super().vectors(pictures) * 1e6 + 1e6

    run = make_run(tmp_path, [2])
    (finding,) = run.embed(Loud())
    assert isinstance(finding, Finding)
    assert "not finite in 16 bits" in finding.what
    assert not list((tmp_path / "kept").rglob("*.npy"))


def test_no_clips(tmp_path: Path) -> None:
    assert list(make_run(tmp_path, []).embed(Colours())) == []


def test_progress_is_told(tmp_path: Path) -> None:
    run, told = make_run(tmp_path, [2, 2, 2]), list[tuple[int, int]]()
    note: Callable[[int, int], None] = lambda done, total: told.append((done, total))  # noqa: E731
    list(embed(run.clips, run.frames, Colours(), run.places, progress=note))
    assert told == [(1, 3), (2, 3), (3, 3)]
