"""A MongoDB of a benchmark's own: FiftyOne by itself would join whichever of its databases runs already."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_S = 60.0


@contextmanager
def own_mongod(folder: Path) -> Iterator[str]:
    """Start the MongoDB that came with FiftyOne; its address.

    Args:
        folder: Where it keeps what it holds.
    """
    from fiftyone.core.service import DatabaseService

    folder.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [DatabaseService.find_mongod(), "--dbpath", str(folder), "--port", str(port)]
    with subprocess.Popen([*command, "--bind_ip", "127.0.0.1"], stdout=subprocess.DEVNULL) as process:
        try:
            until_s = time.monotonic() + START_S
            while not _answers(port) and time.monotonic() < until_s:
                time.sleep(0.1)
            yield f"mongodb://127.0.0.1:{port}"
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
