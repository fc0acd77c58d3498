"""Do a clip's pictures cost more than decoding it, and do they show what happens in it?

    python benchmarks/frames.py             all parts
    python benchmarks/frames.py decode      16 pictures of a clip, beside PyAV, OpenCV, torchcodec and decord
    python benchmarks/frames.py events      strategy events beside uniform
    python benchmarks/frames.py workers     two workers beside one
    python benchmarks/frames.py memory      of a worker
    python benchmarks/frames.py hour        a video of one hour: memory and time
    python benchmarks/frames.py changes     drawn clips with a short change: is a picture inside it?
    python benchmarks/frames.py sheets [--sheets FOLDER]   contact sheets of each strategy, to look at

decode: a clip of 250 frames, 640x480, in h264 and in HEVC, encoded on the spot
with FFmpeg's defaults. The peers only decode the 16 frames and give them as RGB
arrays; curate reads the frame times of the packets, decodes, scales down and
encodes JPEGs. Lines below give curate without the latter, and the peers with it. Each
library has a process of its own; they take turns, one decode a turn; a figure
is the median over turns of the CPU seconds of all threads, a ratio the median
over turns of the ratio in a turn. `make peers` makes the environment of the
peers; without it curate's own figures are given alone.

Exits with 1 if a limit is missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from frames_parts import readers, scenes

COUNT, N_FRAMES, TURNS = 16, 250, 9
PEERS = ("PyAV", "OpenCV", "torchcodec", "decord")
MOST_OF_BEST_PEER, MOST_OF_UNIFORM, LEAST_OF_ONE_WORKER, LIMIT_MB = 1.05, 1.4, 1.8, 150.0
PARTS_FOLDER = Path(readers.SCRIPT).parent


def main(parts: Sequence[str], sheets_folder: Path | None) -> int:
    """Print the parts that were asked for; 1 if a limit is missed."""
    cores = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{cores}, load {os.getloadavg()[0]:.1f} before")
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for part in parts or PARTS:
            print()
            missed += PARTS[part](sheets_folder or Path(folder) if part == "sheets" else Path(folder))
    print(f"\nlimits: {'MISSED: ' + ', '.join(missed) if missed else 'hold'}")
    return int(bool(missed))


def decode(folder: Path) -> list[str]:
    """Beside the peers; the limits that were missed."""
    if not readers.has_peers():
        print("The peers are left out: make peers makes the environment for them")
    peers = PEERS if readers.has_peers() else ()
    missed = []
    for codec in scenes.CODECS:
        video = _clip(folder, codec)
        took = readers.rounds(
            ["curate uniform", "curate decode", *peers, *(f"{peer}+jpeg" for peer in peers)],
            video,
            COUNT,
            TURNS,
        )
        print(f"{codec}: {COUNT} of {N_FRAMES} frames, {scenes.WIDTH}x{scenes.HEIGHT}, CPU seconds a clip")
        _print_times(took)
        missed += _slower_than_peers(took, codec)
    return missed


def _slower_than_peers(took: Mapping[str, Sequence[float]], codec: str) -> list[str]:
    times = {name: readers.ratio(took, "curate uniform", name) for name in took if name in PEERS}
    if not times:
        return []
    worst = max(times, key=times.__getitem__)
    print(f"  {times[worst]:.2f} of {worst}, the best that only decodes (at most {MOST_OF_BEST_PEER})")
    print(f"  {readers.ratio(took, 'curate decode', worst):.2f} of it where curate, too, only decodes")
    alike = max(readers.ratio(took, "curate uniform", name) for name in took if name.endswith("+jpeg"))
    print(f"  {alike:.2f} of the best that scales and encodes too")
    return [f"{codec} beside {worst}"] if times[worst] > MOST_OF_BEST_PEER else []


def events(folder: Path) -> list[str]:
    """Strategy events beside uniform; the limits that were missed."""
    missed = []
    for codec in scenes.CODECS:
        video = _clip(folder, codec)
        took = readers.rounds(["curate uniform", "curate events"], video, COUNT, TURNS)
        times = readers.ratio(took, "curate events", "curate uniform")
        print(f"{codec}: {COUNT} of {N_FRAMES} frames, CPU seconds a clip")
        _print_times(took)
        print(f"  events takes {times:.2f} of uniform (at most {MOST_OF_UNIFORM})")
        missed += [f"{codec} events"] if times > MOST_OF_UNIFORM else []
    return missed


def workers(folder: Path) -> list[str]:
    """Two threads beside one, in turns; the limits that were missed."""
    video = _clip(folder, "h264")
    gains, costs = [], []
    for _ in range(5):
        one, two = (_measured("workers.py", video, COUNT, n, 12) for n in (1, 2))
        gains.append(one["wall_s"] / two["wall_s"])
        costs.append(two["cpu_s"] / one["cpu_s"])
    print(f"two workers take {median(gains):.2f} times as many clips a second as one", end=" ")
    print(f"(at least {LEAST_OF_ONE_WORKER}), at {median(costs):.2f} of the CPU seconds a clip")
    print(f"load {os.getloadavg()[0]:.1f}: what else runs takes from two cores more than from one")
    return ["two workers"] if median(gains) < LEAST_OF_ONE_WORKER else []


def memory(folder: Path) -> list[str]:
    """Of a worker with everything that it imports; the limits that were missed."""
    missed = []
    for codec in scenes.CODECS:
        video = _clip(folder, codec)
        missed += _memory(video, f"{codec}, {N_FRAMES} frames", times=4)
    return missed


def hour(folder: Path) -> list[str]:
    """The clip over and over, as one video of an hour; the limits that were missed."""
    missed = []
    for codec in scenes.CODECS:
        times = round(3600 * scenes.FPS / N_FRAMES)
        video = scenes.repeated(_clip(folder, codec), folder / f"{codec}-hour.mp4", times)
        missed += _memory(video, f"{codec}, one hour", times=1)
    return missed


def _clip(folder: Path, codec: str) -> Path:
    """Encoded by the first part that needs it."""
    video = folder / f"{codec}.mp4"
    return video if video.exists() else scenes.write_scene(video, codec, N_FRAMES)


def _memory(video: Path, name: str, times: int) -> list[str]:
    missed = []
    for strategy in ("uniform", "events"):
        took = _measured("memory.py", video, COUNT, strategy, times)
        print(f"{name}, {strategy:8} {took['cpu_s']:7.2f} CPU s, {took['peak_mb']:.0f} MB resident", end=" ")
        print(f"(at most {LIMIT_MB:.0f}), {took['before_mb']:.0f} MB of it before the first video")
        missed += [f"memory, {name}, {strategy}"] if took["peak_mb"] > LIMIT_MB else []
    return missed


def changes(_: Path) -> list[str]:
    """Drawn clips with short changes; the limits that were missed."""
    from frames_parts.changes import report

    return list(report() or ())


def sheets(folder: Path) -> list[str]:
    """Contact sheets, to be looked at."""
    from frames_parts.sheets import draw

    draw(folder)
    return []


PARTS: dict[str, Callable[[Path], list[str]]] = {
    "decode": decode,
    "events": events,
    "workers": workers,
    "memory": memory,
    "hour": hour,
    "changes": changes,
    "sheets": sheets,
}


def _measured(script: str, *arguments: object) -> dict[str, float]:
    """What a fresh process took."""
    command = [sys.executable, str(PARTS_FOLDER / script), *map(str, arguments)]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return {str(name): float(value) for name, value in json.loads(ran.stdout).items()}


def _print_times(took: Mapping[str, Sequence[float]]) -> None:
    for name, seconds in took.items():
        print(f"  {name:16} {median(seconds):.3f}  ({min(seconds):.3f} to {max(seconds):.3f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all of them if none is named")
    parser.add_argument("--sheets", type=Path, help="where contact sheets go; nowhere if left out")
    typed = parser.parse_args()
    sys.exit(main(typed.parts, typed.sheets))
