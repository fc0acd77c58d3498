"""Takes pictures of a video with one worker, and tells its memory; a process of its own.

    python memory.py VIDEO COUNT STRATEGY TIMES

Prints the peak resident memory [MB] with everything that the worker imports,
what it was before the first video, and how long one video took [CPU s].
"""

import json
import sys
import time
from pathlib import Path

from curate.frames.decode import video_pictures
from curate.recipe import Frames


def main(video: Path, count: int, strategy: str, times: int) -> None:
    """The same video several times, as memory may grow from one to the next."""
    frames = Frames.model_validate({"strategy": strategy, "count": count})
    before_mb = peak_mb()
    start_s = time.process_time()
    for _ in range(times):
        video_pictures(video, frames)
    cpu_s = (time.process_time() - start_s) / times
    print(json.dumps({"peak_mb": peak_mb(), "before_mb": before_mb, "cpu_s": cpu_s}))


def peak_mb() -> float:
    """Peak resident memory of this process, by the kernel's word, imports and decoders included."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
