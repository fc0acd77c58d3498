"""Does asking cost anything beside the model's own time?

    python benchmarks/asking.py               all parts
    python benchmarks/asking.py throughput    10,000 calls with 4 pictures each, to a local endpoint
    python benchmarks/asking.py resume        200,000 replies that a ledger already holds
    python benchmarks/asking.py overlap       pictures taken while clips are asked about
    python benchmarks/asking.py prefill       what a clip's prompts save by sharing its pictures, in process
    python benchmarks/asking.py vllm          a clip's questions to a real vLLM server; after make test-vllm

throughput: the endpoint is a process of its own that answers every request
after 200 ms, 64 at once, so that the least time for all calls is known. They
are asked as a run asks them: clip by clip, the items of a clip together, with
pictures from a folder, every reply durable in a ledger. The client may make
more calls at once than the endpoint answers, and begins with few. Memory is
that of the asking process.

resume: a process opens the ledger, asks the same calls again, and 8 that are
new. Measured is the time from opening until the first new one is asked if they
come first, how long all known replies take if they come last, and how many
calls are repeated.

overlap, prefill and vllm: see `asking_parts/`.

Exits with 1 if a limit is missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from asking_parts.endpoint import CAPACITY, LATENCY_S, endpoint
from asking_parts.overlap import overlap
from asking_parts.prefill import prefill

CALLS, PICTURES, KNOWN = 10_000, 4, 200_000
"""As in `asking_parts/process.py`, which this process does not import: it pays only for its own part."""
PICTURE_FILES = 1000
PROCESS = Path(__file__).with_name("asking_parts") / "process.py"

SHARE, LIMIT_MB = 0.92, 400.0
"""Of the ideal throughput, and resident memory, that are asked for."""
READY_S = 3.0
MOST_TIMES = 2.5
"""The wall time of one item that eight about one clip may take."""

VLLM_PYTHON = Path(__file__).parents[1] / ".venv-vllm" / "bin" / "python"
VLLM_PROCESS = Path(__file__).with_name("asking_parts") / "real_vllm.py"
SHIM = Path(__file__).parents[1] / "tests_vllm" / "cpu"
VLLM_ENVIRONMENT = {
    "VLLM_TARGET_DEVICE": "cpu",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "HF_HUB_OFFLINE": "1",
    "TORCHDYNAMO_DISABLE": "1",
}


def main(parts: Sequence[str]) -> int:
    """Print the parts that were asked for; 1 if a limit is missed."""
    cores = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{cores}, load {os.getloadavg()[0]:.1f} before")
    missed: list[str] = []
    for part in parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            print()
            missed += PARTS[part](Path(folder))
    print(f"\nlimits: {'MISSED: ' + ', '.join(missed) if missed else 'hold'}")
    return int(bool(missed))


def throughput(folder: Path) -> list[str]:
    """Beside the ideal of an endpoint whose latency and capacity are known; the limits that were missed."""
    size_kb = draw_pictures(folder) / 1024
    with endpoint() as url:
        took = measured("endpoint", url, str(folder))
    ideal_s = CALLS / CAPACITY * LATENCY_S
    share = ideal_s / took["seconds"]
    print(f"{CALLS:,} calls with {PICTURES} pictures of {size_kb:.0f} kB each,", end=" ")
    print(f"endpoint of {LATENCY_S * 1000:.0f} ms and {CAPACITY} at once")
    print(f"{took['seconds']:.2f} s beside {ideal_s:.2f} s: {share:.1%} of the ideal throughput", end=" ")
    print(f"({SHARE:.0%} asked for), {took['cpu_s'] / CALLS * 1000:.2f} ms CPU a call")
    print(f"{took['peak_mb']:.0f} MB resident (under {LIMIT_MB:.0f} asked for)")
    return [
        *(["throughput"] if share < SHARE else []),
        *(["memory while asking"] if took["peak_mb"] >= LIMIT_MB else []),
        *(["a reply to every call"] if took["replies"] != CALLS else []),
    ]


def resume(folder: Path) -> list[str]:
    """A ledger that holds all calls but those of one clip; the limits that were missed."""
    measured("fill", str(folder))
    first, last = measured("first", str(folder)), measured("last", str(folder))
    size_mb = (folder / "ledger.sqlite").stat().st_size / 1024**2
    print(f"{KNOWN:,} replies in a ledger of {size_mb:.0f} MB")
    print(f"{first['ready_s'] * 1000:.0f} ms until a new call is asked ({READY_S:.0f} s asked for)")
    print(f"{last['cpu_s'] / KNOWN * 1e6:.0f} us CPU for each known reply,", end=" ")
    print(f"{last['seconds']:.1f} s for all, {last['peak_mb']:.0f} MB resident")
    repeated = first["repeated"] + last["repeated"]
    print(f"{repeated:.0f} calls repeated")
    return [
        *(["time until ready"] if first["ready_s"] > READY_S else []),
        *(["no call repeated"] if repeated else []),
        *(["memory while resuming"] if last["peak_mb"] >= LIMIT_MB else []),
    ]


def vllm(_: Path) -> list[str]:
    """One clip's questions in several ways, each on clips of its own; the limits that were missed."""
    environment = {**os.environ, "PYTHONPATH": str(SHIM), **VLLM_ENVIRONMENT}
    if not VLLM_PYTHON.is_file():
        print("vllm: left out, make test-vllm makes the environment for it")
        return []
    ran = subprocess.run(
        [VLLM_PYTHON, VLLM_PROCESS],
        check=True,
        capture_output=True,
        env=environment,
    )
    took = json.loads(ran.stdout)
    one_s = took["ways"]["one item"]["seconds"]
    for name, way in took["ways"].items():
        print(f"{name:28} {way['seconds']:.2f} s, {way['seconds'] / one_s:.2f} of one item,", end=" ")
        print(f"tokens in {way['tokens_in']:.0f} ({way['tokens_cached']:.0f} cached),", end=" ")
        print(f"out {way['tokens_out']:.0f}")
    print(
        f"prefix cache by the server's own count: {took['cache']['hits'] / took['cache']['queries']:.0%} hits"
    )
    same = took["agreement"]
    print(
        f"demo model, one reply for all items: {same['same']} of {same['total']} answers as one by one",
        end=" ",
    )
    print("(it was taught one question at a time)")
    times = took["ways"]["eight items, pictures first"]["seconds"] / one_s
    return ["eight items in 2.5 of one"] if times > MOST_TIMES else []


PARTS: dict[str, Callable[[Path], list[str]]] = {
    "throughput": throughput,
    "resume": resume,
    "overlap": overlap,
    "prefill": prefill,
    "vllm": vllm,
}


def measured(*arguments: str) -> dict[str, float]:
    """What a fresh process took."""
    ran = subprocess.run([sys.executable, PROCESS, *arguments], check=True, stdout=subprocess.PIPE)
    return {str(name): float(value) for name, value in json.loads(ran.stdout).items()}


def draw_pictures(folder: Path) -> float:
    """JPEGs of smooth noise in the folder's store, and a list of their digests; their mean size in bytes."""
    import io

    import numpy as np
    from PIL import Image

    from curate.frames.pictures import PictureStore

    store, rng = PictureStore(folder / "pictures"), np.random.default_rng(0)
    pictures = []
    for _ in range(PICTURE_FILES):
        coarse = Image.fromarray(rng.integers(0, 256, (80, 106, 3), dtype=np.uint8))
        file = io.BytesIO()
        coarse.resize((320, 240), Image.Resampling.BICUBIC).save(file, "JPEG", quality=60)
        pictures.append(file.getvalue())
    (folder / "digests.json").write_text(json.dumps([store.put(picture) for picture in pictures]))
    return float(np.mean([len(picture) for picture in pictures]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all of them if none is named")
    sys.exit(main(parser.parse_args().parts))
