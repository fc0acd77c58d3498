"""A server that repeats the key wherever it can: nothing that a run leaves behind holds it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from eyes import Eyes, Seen
from inputs import NO_CONTROLS, changed, images, write_inputs
from left import unpacked

from curate import verbs
from curate.errors import CurateError

KEY = "sk-zyx/98+secret_0123"
PHP = KEY.replace("/", r"\/")
"""As PHP writes it into JSON."""
CODES = "".join(f"\\u{ord(character):04x}" for character in KEY)
"""As nobody writes it; it is the same text all the same."""
FORMS = (KEY, PHP, CODES, CODES.replace("\\", "\\\\"))
"""As it may stand in a body; the last shows the key only where the text in the body is read as JSON again."""


class Parrot:
    """Sees, and repeats the key in headers, errors and replies."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        self.faults: Iterator[int] = cycle(range(24))
        self.folder: Path | None = None
        self.peeked: list[str] = []
        """Files of the run that held the key while it was going on."""

    def say(self, prompt: Seen) -> Any:
        if self.folder is not None and not self.peeked:
            self.peeked = files_with_key(self.folder, tables=False)
        headers = {"X-Echo": f"Bearer {KEY}", "Set-Cookie": f"key={KEY}", "Retry-After": KEY}
        fault = next(self.faults)
        form = FORMS[fault % 4]
        if fault == 0:
            return 400, headers, f'{{"error": {{"message": "bad header: Bearer {form} {PHP}"}}}}'.encode()
        if fault == 1:
            return 500, headers, f"<h1>Authorization: Bearer {form}</h1>".encode()
        if fault == 2:
            return 200, headers, f'{{"choices": [{{"message": {{"content": "{form}'.encode()
        if fault == 3:
            return 302, {**headers, "Location": f"/v1/{KEY}"}, form.encode()
        status, _, body = self.eyes.see(prompt)
        content = json.loads(body)
        content |= {"model": "KEY", "id": "KEY", "system_fingerprint": "KEY"}
        content["choices"][0]["finish_reason"] = "KEY"
        text = content["choices"][0]["message"]["content"]
        told = text.replace(" shows it", " KEY shows it").replace("The colour goes", "KEY The colour goes")
        told = told.replace("red 0.", "KEY red 0.").replace("The colours say", "KEY The colours say")
        content["choices"][0]["message"]["content"] = told if len(text) > 1 else f"{text} KEY"
        return status, headers, json.dumps(content).replace("KEY", form).encode()


@pytest.fixture
def parrot(server: Any) -> Parrot:
    found = Parrot(Eyes().open_at(server))
    found.eyes.say = found.say
    listed = {"data": [{"id": f"models/{KEY}/m", "owned_by": KEY}]}
    server.pages["/v1/models"] = 200, {"X-Echo": KEY}, json.dumps(listed).encode()
    return found


def files_with_key(folder: Path, *, tables: bool = True) -> list[str]:
    """Files that hold the key, as bytes or once they are unpacked."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    found = [path for path in paths if _holds(_content(path)) or (tables and _holds(unpacked(path).encode()))]
    return [str(path.relative_to(folder)) for path in found]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a run that is going on puts files in their places meanwhile
        return b""


def _holds(content: bytes) -> bool:
    return any(form.encode() in content for form in (*FORMS, "zyx", "secret_0123"))


def test_no_file_and_no_word_of_a_run_holds_the_key(
    parrot: Parrot, server: Any, curate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"reasons": "all", "controls": NO_CONTROLS}
    recipe = write_inputs(
        tmp_path, server.url, images(16, unlabelled=4), answers=answers, vlm={"api_key_env": "SECRET_OF_MINE"}
    )
    parrot.folder = run = tmp_path / "run"
    monkeypatch.setenv("SECRET_OF_MINE", KEY)
    ended = curate("run", recipe, "--out", run)
    assert ended.code == 0, ended.err
    assert not _holds(f"{ended.out}{ended.err}".encode())
    assert {sent.get("Authorization") for sent in server.headers} == {f"Bearer {KEY}"}
    assert parrot.peeked == []
    assert files_with_key(tmp_path) == []
    # It did come back, in replies of every kind and in errors, and was taken out there.
    with closing(sqlite3.connect(run / "ledger.sqlite")) as base:
        kept = [reply for (reply,) in base.execute("SELECT reply FROM calls")]
        errors = [message for (message,) in base.execute("SELECT message FROM errors")]
    assert sum("[key]" in reply for reply in kept) == len(kept) > 40
    assert any("bad header: Bearer [key] [key]" in message for message in errors)
    assert "[key]" in "".join(pl.read_parquet(run / "reasons.parquet")["reasoning"].drop_nulls())


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "Check the key in the environment variable SECRET_OF_MINE"), (404, "Check vlm.model")],
)
def test_no_error_holds_it(status: int, said: str, parrot: Parrot, server: Any, tmp_path: Path) -> None:
    body = f'{{"error": {{"message": "no: {KEY} {CODES}"}}}}'.encode()
    parrot.eyes.say = lambda prompt: (status, {"X-Echo": KEY}, body)
    recipe = write_inputs(tmp_path, server.url, images(16), vlm={"api_key_env": "SECRET_OF_MINE"})
    with pytest.raises(CurateError) as caught:
        verbs.run(recipe, tmp_path / "run", environ={"SECRET_OF_MINE": KEY})
    assert said in str(caught.value)
    assert "no: [key] [key]" in str(caught.value)
    assert files_with_key(tmp_path) == []


def test_no_name_of_a_model_holds_it(parrot: Parrot, server: Any, tmp_path: Path) -> None:
    recipe = write_inputs(
        tmp_path, server.url, images(2), vlm={"api_key_env": "SECRET_OF_MINE", "model": "n"}
    )
    with pytest.raises(CurateError, match=r"It serves models/\[key\]/m\. Set vlm\.model") as caught:
        verbs.run(recipe, tmp_path / "run", environ={"SECRET_OF_MINE": KEY})
    assert not _holds(str(caught.value).encode())
    stopped = changed(recipe, vlm={"model": "m"}, answers={"probabilities": "logprobs"})
    server.probed = lambda body: (200, {}, b'{"choices": [{"message": {"content": "x"}}]}')
    with pytest.raises(CurateError, match=r"server of \[key\] tells no log-probabilities"):
        verbs.run(stopped, tmp_path / "run", environ={"SECRET_OF_MINE": KEY})
    assert files_with_key(tmp_path) == []
