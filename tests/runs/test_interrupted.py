"""A whole run against a server that hangs, interrupted as a person does, and gone on with."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image

CURATE = Path(sys.executable).with_name("curate")
RECIPE = """
name: small
task: {{classes: ["no", "yes"]}}
clips: {{source: folder, path: clips, labels: {{file: labels.csv}}}}
vlm: {{backend: openai, model: m, base_url: "{url}", concurrency: 4, timeout_s: 600}}
answers: {{controls: {{canary: 0, no_media: 0, shuffled: 0}}}}
"""
QUESTIONS = """
name: small
about: Cues.
items:
  - {id: smile, ask: "Is there a smile?", options: [there is none, there is one], why: w}
"""
N_CLIPS, N_ANSWERED = 12, 5


def write_inputs(folder: Path, url: str) -> Path:
    (folder / "clips").mkdir()
    rows = ["file,label"]
    for n in range(N_CLIPS):
        Image.new("RGB", (32, 32), (20 * n, 0, 0)).save(folder / "clips" / f"{n}.png")
        rows.append(f"{n}.png,{'yes' if n % 2 else 'no'}")
    (folder / "labels.csv").write_text("\n".join(rows))
    (folder / "questionnaire.yaml").write_text(QUESTIONS)
    (folder / "recipe.yaml").write_text(RECIPE.format(url=url))
    return folder / "recipe.yaml"


def picture(sent: dict[str, Any]) -> str:
    """The one picture of a request."""
    (url,) = [
        part["image_url"]["url"] for part in sent["messages"][0]["content"] if part["type"] == "image_url"
    ]
    return str(url)


def kept(ledger: Path) -> int:
    """Replies in the ledger."""
    with closing(sqlite3.connect(ledger)) as base:
        (n,) = base.execute("SELECT count(*) FROM calls").fetchone()
    return int(n)


def test_interrupted_it_ends_soon_and_goes_on_from_there(server: Any, body: Any, tmp_path: Path) -> None:
    recipe, hang, enough = write_inputs(tmp_path, server.url), threading.Event(), threading.Event()
    answered: list[str] = []
    lock = threading.Lock()

    def answer(n: int, sent: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        with lock:
            is_hanging = len(answered) >= N_ANSWERED and not enough.is_set()
            if not is_hanging:
                answered.append(picture(sent))
        if is_hanging:
            hang.set()
            enough.wait(60)
        return 200, {}, body("A", {"A": -0.1, "B": -2.5})

    server.answer = answer
    command = [CURATE, "run", recipe, "--out", tmp_path / "run"]
    program = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert hang.wait(120)
    while kept(tmp_path / "run" / "ledger.sqlite") < N_ANSWERED:  # the last reply may be on its way
        time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    # It has 5 s to end; how long a busy machine takes to end a process is not tested here.
    _, said = program.communicate(timeout=60)
    assert program.returncode == 130
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    enough.set()
    subprocess.run(command, check=True, capture_output=True)
    answers = pl.read_parquet(tmp_path / "run" / "answers.parquet")
    assert answers.height == N_CLIPS
    assert set(answers["outcome"]) == {"answered"}
    # What had been answered is not asked again, what was under way is.
    assert len(answered) == len(set(answered)) == N_CLIPS
