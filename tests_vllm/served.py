"""A real vLLM server on this machine's CPU, and checkpoints for it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curate.resources import resource

DEMO = resource("demo/model")
MODEL = "vlm"
"""Under which every checkpoint is served."""
MOST_PICTURES = 8

_START_S = 400
_FLAGS = {
    "dtype": "float32",
    "max-model-len": "2048",
    "max-num-seqs": "16",
    "max-num-batched-tokens": "2048",
    # A prompt of four small pictures is about 150 tokens: with blocks of 128 little could be shared.
    "block-size": "32",
    "limit-mm-per-prompt": f'{{"image": {MOST_PICTURES}, "video": 0}}',
    "structured-outputs-config": '{"backend": "xgrammar", "disable_any_whitespace": true}',
    "seed": "0",
}


def write_random_checkpoint(folder: Path, *, seed: int) -> Path:
    """The demo's model with half as many layers and random weights, so large that pictures matter."""
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    shutil.copytree(DEMO, folder)
    config = AutoConfig.from_pretrained(DEMO)
    config.text_config.num_hidden_layers = 2
    torch.manual_seed(seed)
    model = AutoModelForImageTextToText.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4)
    model.save_pretrained(folder)
    return folder


@contextmanager
def vllm_server(model: Path, log: Path) -> Iterator[str]:
    """Serve a checkpoint over loopback while the block runs; gives the server's address.

    Raises:
        RuntimeError: It did not start; the end of its log is in the message.
    """
    port = _free_port()
    flags = [part for name, value in _FLAGS.items() for part in (f"--{name}", value)]
    command = [str(Path(sys.executable).with_name("vllm")), "serve", str(model), *flags]
    command += ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", MODEL]
    command += ["--enforce-eager", "--enable-prefix-caching", "--enable-prompt-tokens-details"]
    with log.open("wb") as opened:
        # A session of its own, so that its workers end with it.
        process = subprocess.Popen(command, stdout=opened, stderr=opened, start_new_session=True)
        try:
            _wait_until_healthy(process, port, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            _end(process)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_healthy(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until_s = time.monotonic() + _START_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.5)
    raise RuntimeError(f"vLLM did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a server and its workers."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, kind)
            process.wait(timeout=30)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
