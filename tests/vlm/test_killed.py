"""A process that asks is killed or interrupted, and started again."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curate.vlm.client import Letter, Prompt
from curate.vlm.desk.keys import prompt_digest
from curate.vlm.desk.ledger import Ledger

PROGRAM = Path(__file__).with_name("asking_program.py")


class Program:
    """A process that asks 40 questions, to be killed; and what is left of it."""

    def __init__(self, server: Any, folder: Path, reply: bytes) -> None:
        self.server, self.ledger, self._reply = server, folder / "ledger.sqlite", reply
        self.questions: list[str] = []
        """Those that came to the server, in order."""
        self.reached = threading.Event()
        """So many questions came as were waited for."""
        self.let_go = threading.Event()
        """Those that hang are answered."""
        self._wanted = self._answered = 1000
        self._lock = threading.Lock()
        server.answer = self._answer

    def start(self, *, until: int = 1000, answered: int = 1000) -> subprocess.Popen[bytes]:
        """The process; `reached` once so many questions have come. Those after the first `answered` hang."""
        self._wanted, self._answered = len(self.questions) + until, len(self.questions) + answered
        self.reached.clear()
        command = [sys.executable, str(PROGRAM), self.server.url, str(self.ledger)]
        return subprocess.Popen(command, stderr=subprocess.PIPE)

    def recorded(self) -> set[str]:
        """The questions that have a reply."""
        prompts = [Prompt((f"question {i}",), Letter(("A", "B"))) for i in range(40)]
        texts = {prompt_digest(prompt): prompt.text for prompt in prompts}
        with Ledger(self.ledger) as ledger:
            return {texts[row[0]] for row in ledger._base.execute("SELECT prompt FROM calls")}

    def _answer(self, n: int, sent: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        with self._lock:
            self.questions.append(sent["messages"][0]["content"][-1]["text"])
            if len(self.questions) >= self._wanted:
                self.reached.set()
            hangs = len(self.questions) > self._answered
        if hangs:
            self.let_go.wait(100)
        return 200, {}, self._reply


def test_killed_at_any_moment_no_reply_that_arrived_is_paid_for_twice(
    tmp_path: Path, server: Any, body: Callable[..., bytes]
) -> None:
    """The process is killed during its 8th question, its 14th, then left to finish."""
    program = Program(server, tmp_path, body("A"))
    known: set[str] = set()
    for until in (8, 14, None):
        before = len(program.questions)
        with program.start(until=until or 1000) as process:
            if until:
                assert program.reached.wait(100)
                os.kill(process.pid, signal.SIGKILL)
        assert process.returncode == (-signal.SIGKILL if until else 0)
        asked = set(program.questions[before:])
        assert not asked & known, "a reply that was in the ledger was asked for again"
        known = program.recorded()
    assert len(known) == 40
    # What was under way when the process died may be asked again: at most 4 at once, twice.
    assert len(program.questions) <= 40 + 2 * 4


def test_interrupted_while_questions_hang_it_ends_and_goes_on_later(
    tmp_path: Path, server: Any, body: Callable[..., bytes]
) -> None:
    """Ctrl-C comes while 4 questions hang; the next run asks for what is missing, and nothing else."""
    program = Program(server, tmp_path, body("A"))
    with program.start(until=14, answered=10) as process:
        assert program.reached.wait(100)
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)  # they would hang for 100 s
    program.let_go.set()
    assert said.rstrip().endswith(b"KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT
    known, before = program.recorded(), len(program.questions)
    assert (len(known), before) == (10, 14)
    with program.start() as process:
        process.communicate(timeout=100)
    assert len(program.recorded()) == 40
    again = program.questions[before:]
    assert len(again) == 30
    assert not set(again) & known
