"""Runs that end early, by a person or because the server is gone, and go on where they were."""

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
from chat_server import ChatServer
from eyes import Eyes, Seen
from inputs import images, write_inputs
from left import new_calls, replies

from curate import verbs

CURATE = Path(sys.executable).with_name("curate")
N_CLIPS, N_CALLS, N_ANSWERED = 12, 24, 9


def asked(prompt: Seen) -> tuple[bytes, str]:
    """The one picture and the question."""
    (picture,) = prompt.pictures
    return picture, prompt.texts[-1]


def test_interrupted_it_ends_soon_and_goes_on_from_there(server: Any, tmp_path: Path) -> None:
    eyes = Eyes().open_at(server)
    hang, enough, lock = threading.Event(), threading.Event(), threading.Lock()
    answered: list[tuple[bytes, str]] = []

    def say(prompt: Seen) -> Any:
        with lock:
            is_hanging = len(answered) >= N_ANSWERED and not enough.is_set()
            if not is_hanging:
                answered.append(asked(prompt))
        if is_hanging:
            hang.set()
            enough.wait(60)
        return eyes.see(prompt)

    eyes.say = say
    recipe, run = write_inputs(tmp_path, server.url, images(N_CLIPS)), tmp_path / "run"
    command = [CURATE, "run", recipe, "--out", run]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert hang.wait(120)
    while replies(run) < N_ANSWERED:  # the last reply may be on its way
        time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    # It has 5 s to end; how long a busy machine takes to end a process is not tested here.
    _, told = program.communicate(timeout=60)
    assert program.returncode == 130
    assert "the same command goes on from here" in told
    assert "Traceback" not in told
    enough.set()
    verbs.run(recipe, run, environ={})
    assert set(pl.read_parquet(run / "answers.parquet")["outcome"]) == {"answered"}
    # What had been answered is not asked again, what was under way is.
    assert len(answered) == len(set(answered)) == N_CALLS


def test_the_server_goes_away_and_comes_back(server: Any, curate: Any, tmp_path: Path) -> None:
    eyes, lock = Eyes().open_at(server), threading.Lock()
    answered: list[tuple[bytes, str]] = []

    def say(prompt: Seen) -> Any:
        with lock:
            answered.append(asked(prompt))
            if len(answered) == N_ANSWERED:
                server.close()
        return eyes.see(prompt)

    eyes.say = say
    vlm = {"gone_after_s": 0.2, "retries": 20, "concurrency": 2}
    recipe, run = write_inputs(tmp_path, server.url, images(N_CLIPS), vlm=vlm), tmp_path / "run"
    ended = curate("run", recipe, "--out", run)
    assert ended.code == 1
    told = ended.err.splitlines()[-1]
    kept = replies(run)
    assert told.startswith("error: nothing was answered for ")
    assert f"model m at {server.url}: no connection" in told
    assert told.endswith(
        f"{kept} replies are kept in {run / 'ledger.sqlite'}: the same command goes on from there"
    )
    assert kept == len(answered)
    assert not (run / "answers.parquet").exists()

    back = ChatServer(server.port)
    eyes.open_at(back)
    gone_on = curate("run", recipe, "--out", run)
    back.close()
    assert gone_on.code == 0
    assert new_calls(run) == N_CALLS - kept
    assert Counter(answered).most_common(1)[0][1] == 1
    assert len(answered) == N_CALLS
    assert set(pl.read_parquet(run / "answers.parquet")["outcome"]) == {"answered"}
