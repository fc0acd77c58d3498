"""Pictures taken while clips are asked about, beside each alone. Run by `asking.py`.

Clips are encoded on the spot; an endpoint answers after 200 ms, so many at once
that asking alone takes about as long as taking pictures alone: then there is
most to gain, and most to lose by getting in each other's way. The client makes
more calls at once than the endpoint answers, as it finds out by itself.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from asking_parts.endpoint import LATENCY_S, endpoint

CLIPS, FRAMES, WIDTH, HEIGHT = 48, 250, 640, 480
ITEMS, PICTURES, ROUNDS = 8, 16, 2
MOST_TIMES = 1.1
"""The larger of the two alone, that looking and asking together may take."""

_RECIPE = """
name: overlap
task: {{classes: [a, b]}}
clips: {{source: folder, path: {clips}, labels: {{file: {clips}/labels.csv}}}}
frames: {{count: {pictures}, size_px: 320}}
vlm: {{backend: openai, model: m, base_url: "{url}", concurrency: 64}}
answers: {{controls: {{canary: 0, no_media: 0, shuffled: 0}}}}
"""


def overlap(folder: Path) -> list[str]:
    """Seconds of looking, asking and both; the limits that were missed."""
    _draw_clips(folder / "clips")
    calls = CLIPS * ITEMS
    at_once = max(1, round(calls * LATENCY_S / _seconds(folder, "http://127.0.0.1:1/v1", _look)))
    with endpoint(at_once) as url:
        # In turn, and the least of each: other work on the machine only ever adds.
        rounds = [[_seconds(folder, url, work) for work in (_look, _ask, _both)] for _ in range(ROUNDS)]
        looking_s, asking_s, together_s = map(min, zip(*rounds, strict=True))
    times = together_s / max(looking_s, asking_s)
    print(f"{CLIPS} clips of {FRAMES} frames {WIDTH}x{HEIGHT}, {PICTURES} pictures each;", end=" ")
    print(f"{calls} calls, {at_once} at once")
    print(f"looking {looking_s:.2f} s, asking {asking_s:.2f} s, together {together_s:.2f} s:", end=" ")
    print(f"{times:.2f} of the larger ({MOST_TIMES} asked for), {looking_s + asking_s:.2f} s in turn")
    return ["looking while asking"] if times > MOST_TIMES else []


def _seconds(folder: Path, url: str, work: Callable[[Path], float]) -> float:
    """Of `work` on a recipe in a folder of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        recipe = Path(place) / "recipe.yaml"
        recipe.write_text(_RECIPE.format(clips=folder / "clips", pictures=PICTURES, url=url))
        items = [
            f"  - {{id: item_{n}, ask: Which cue {n}, options: [one, two, three], why: w}}"
            for n in range(ITEMS)
        ]
        (Path(place) / "questionnaire.yaml").write_text(
            "\n".join(["name: overlap", "about: Cues.", "items:", *items])
        )
        return work(Path(place))


def _look(place: Path) -> float:
    from curate.clips.media import media_store
    from curate.frames.take import take_frames

    run, clips = _opened(place)
    started_s = time.perf_counter()
    take_frames(clips, media_store(run.recipe.clips), run.recipe.frames, run.pictures)
    return time.perf_counter() - started_s


def _ask(place: Path) -> float:
    from curate.clips.media import media_store
    from curate.frames.take import take_frames
    from curate.interview import ask

    run, clips = _opened(place)
    frames = take_frames(clips, media_store(run.recipe.clips), run.recipe.frames, run.pictures).frames
    started_s = time.perf_counter()
    ask(run, {"clips": clips, "frames": frames})
    return time.perf_counter() - started_s


def _both(place: Path) -> float:
    from curate.interview import look_and_ask

    run, clips = _opened(place)
    started_s = time.perf_counter()
    look_and_ask(run, {"clips": clips})
    return time.perf_counter() - started_s


def _opened(place: Path):  # type: ignore[no-untyped-def]
    from curate.clips.read import read_clips
    from curate.run_folder import open_run

    run = open_run(place / "recipe.yaml", place / "run", environ={})
    run.folder.mkdir()
    return run, read_clips(run.recipe.clips, run.classes).clips


def _draw_clips(folder: Path) -> None:
    """Videos of moving noise, in H.264 as a camera would write it."""
    import av
    import numpy as np

    folder.mkdir()
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (HEIGHT // 16 + 64, WIDTH // 16 + 64, 3), dtype=np.uint8)
    picture = np.kron(coarse, np.ones((16, 16, 1), dtype=np.uint8))
    rows = ["file,label"]
    for clip in range(CLIPS):
        with av.open(str(folder / f"{clip}.mp4"), "w") as opened:
            stream = opened.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "250"})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for n in range(FRAMES):
                top, left = (n + 7 * clip) % 512, (2 * n + 3 * clip) % 512
                shown = np.ascontiguousarray(picture[top : top + HEIGHT, left : left + WIDTH])
                opened.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
            opened.mux(stream.encode(None))
        rows.append(f"{clip}.mp4,{'ab'[clip % 2]}")
    (folder / "labels.csv").write_text("\n".join(rows))
