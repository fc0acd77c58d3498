"""Looking and asking at the same time, and one after the other: the same tables."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from curate import interview
from curate.demo.demonstrate import draw
from curate.errors import ClientError
from curate.frames.take import FrameTables
from curate.interview import ask, look_and_ask, partial_frames
from curate.manifest import Manifest
from curate.pipeline import _carry_out
from curate.run_folder import Run, open_run, silent
from curate.stages import CLIPS, find_clips
from curate.vlm.canned import CannedClient
from curate.vlm.client import Letter, Prompt, Reply

N_CLIPS = 6


def first_letter(prompt: Prompt) -> Reply:
    assert isinstance(prompt.form, Letter)
    rest = [-3.0 - len(prompt.pictures)] * (len(prompt.form.letters) - 1)
    return Reply(
        "A", "m", option_logprobs=(-0.1, *rest), logprobs_kind="before_mask", tokens_in=10, tokens_out=1
    )


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw(folder, silent, n_clips=N_CLIPS, seed=3)
    recipe = folder / "recipe.yaml"
    # A client that answers by a function cannot be told from a faulty server.
    recipe.write_text(recipe.read_text() + "\nanswers: {controls: {wrong_media: warn}}\n")
    return folder


@pytest.fixture
def run(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(interview, "open_client", lambda vlm, environ: CannedClient(first_letter))
    opened = open_run(drawn / "recipe.yaml", tmp_path / "run", environ={})
    opened.folder.mkdir()
    _carry_out(CLIPS, find_clips, opened, Manifest.load(opened.folder))
    return opened


def test_both_ways_give_the_same_tables(run: Run) -> None:
    clips = {"clips": run.read("clips")}
    (frames, frame_counts), (together, counts) = look_and_ask(run, clips)
    assert frame_counts["frames"] == 4 * N_CLIPS
    assert counts["new_calls"] == counts["new_tokens_out"] > 8 * N_CLIPS
    after, again = ask(run, {**clips, **frames})
    assert again["new_calls"] == 0
    assert set(after) == set(together)
    for name, table in together.items():
        assert_frame_equal(after[name], table)
    assert after["calls"].height == counts["new_calls"]


def test_what_was_taken_before_asking_failed_is_not_decoded_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = {"clips": run.read("clips")}

    def fails(prompt: Prompt) -> str:
        raise ClientError("HTTP 401: no such key")

    monkeypatch.setattr(interview, "open_client", lambda vlm, environ: CannedClient(fails))
    with pytest.raises(ClientError, match="no such key"):
        look_and_ask(run, clips)
    kept = len(partial_frames(run).read_text().splitlines()) - 1
    assert 1 <= kept <= N_CLIPS
    decoded: list[Path] = []

    def counted(place: Any, frames: Any, **settings: Any) -> Any:
        decoded.append(place)
        return video_pictures(place, frames, **settings)

    from curate.frames import take

    video_pictures = take.video_pictures
    monkeypatch.setattr(take, "video_pictures", counted)
    monkeypatch.setattr(interview, "open_client", lambda vlm, environ: CannedClient(first_letter))
    (frames, _), (asked, _) = look_and_ask(run, clips)
    assert len(decoded) == N_CLIPS - kept
    assert frames["frames"]["clip_id"].n_unique() == N_CLIPS
    assert asked["answers"].filter(pl.col("control") == "none").height == 8 * N_CLIPS


def test_what_ends_the_taking_ends_the_asking(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **settings: Any) -> FrameTables:
        raise OSError("no space left on device")

    monkeypatch.setattr(interview, "take_frames", full)
    with pytest.raises(OSError, match="no space left"):
        look_and_ask(run, {"clips": run.read("clips")})
