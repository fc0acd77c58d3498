"""Takes pictures of the same video many times with some threads; a process of its own.

    python workers.py VIDEO COUNT WORKERS TIMES

Prints seconds by the clock, and CPU seconds, that all of it took.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path

from curate.clips.pool import in_threads
from curate.frames.decode import video_pictures
from curate.recipe import Frames


def main(video: Path, count: int, workers: int, times: int) -> None:
    """As `take_frames` does it, which always has a thread a core."""
    take = partial(video_pictures, frames=Frames(count=count))
    take(video)
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    in_threads(take, [video] * times, workers=workers)
    print(json.dumps({"wall_s": time.perf_counter() - start_s, "cpu_s": time.process_time() - start_cpu_s}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
