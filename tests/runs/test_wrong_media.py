"""Servers whose answers are not about the pictures that were sent, and the same when they are well."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eyes import Eyes, Say, Seen
from inputs import ALL_CONTROLS, Clip, changed, images, write_inputs
from left import asking, card, first_lines, new_calls, replies

N_ITEMS = 2
CANARIES = {"canary": 1, "no_media": 0, "shuffled": 0}
WRONG = "The answers are not about the pictures that were sent: "
FROM_MEMORY = "the server answers from memory by the words alone, or the pictures do not reach the model"


def remembers_words(say: Say) -> Say:
    """A server whose cache looks at the words alone."""
    remembered: dict[tuple[str, ...], Any] = {}

    def answer(prompt: Seen) -> Any:
        return remembered.setdefault(prompt.texts, say(prompt))

    return answer


def drops_pictures(say: Say) -> Say:
    """A server whose model gets the words alone."""
    return lambda prompt: say(Seen((), prompt.texts, prompt.parameters))


ILL = pytest.mark.parametrize("illness", [remembers_words, drops_pictures])


def verdict(folder: Path) -> str:
    return str(asking(folder)["verdict"]["verdict"])


@ILL
def test_the_run_stops_says_why_and_keeps_what_was_answered(
    illness: Callable[[Say], Say], server: Any, curate: Any, tmp_path: Path
) -> None:
    eyes = Eyes().open_at(server)
    eyes.say = illness(eyes.see)
    n_clips = 40
    recipe = write_inputs(tmp_path, server.url, images(n_clips), answers={"controls": CANARIES})
    run, n_calls = tmp_path / "run", n_clips * N_ITEMS * 2
    ended = curate("run", recipe, "--out", run)
    assert ended.code == 1
    said = ended.err.splitlines()[-1]
    assert said.startswith("error: answers are not about the pictures that were sent: ")
    assert FROM_MEMORY in said
    assert "What was answered so far is kept." in said
    assert "run into another folder (--out)" in said
    assert said.endswith("or set answers.controls.wrong_media to warn, to go on all the same")
    # Ten canaries tell it; the rest is not paid for.
    assert 0 < replies(run) <= len(server.bodies) < n_calls
    assert not (run / "release").exists()

    # Going on all the same, it asks for the rest only, and says what to think of it.
    kept = replies(run)
    warned = curate(
        "run", changed(recipe, answers={"controls": CANARIES | {"wrong_media": "warn"}}), "--out", run
    )
    assert warned.code == 0
    assert new_calls(run) == n_calls - kept
    assert f"warning: {WRONG}" in warned.out
    top_of_report, top_of_card = first_lines(run)
    assert f"Warning. {WRONG}" in top_of_report
    assert f"> **Warning.** {WRONG}" in top_of_card
    assert verdict(run) == "wrong_media"


@pytest.mark.parametrize("logprobs", [True, False])
def test_the_same_server_without_the_fault_raises_nothing(
    logprobs: bool, server: Any, curate: Any, tmp_path: Path
) -> None:
    Eyes(logprobs=logprobs).open_at(server)
    recipe = write_inputs(tmp_path, server.url, images(20), answers={"controls": ALL_CONTROLS})
    ended = curate("run", recipe, "--out", tmp_path / "run")
    assert ended.code == 0
    assert "warning" not in ended.out + ended.err
    assert verdict(tmp_path / "run") == "sound"
    assert not any("Warning" in lines for lines in first_lines(tmp_path / "run"))


@ILL
def test_without_probabilities_it_is_said_that_nothing_can_be_told(
    illness: Callable[[Say], Say], server: Any, curate: Any, tmp_path: Path
) -> None:
    eyes = Eyes(logprobs=False).open_at(server)
    eyes.say = illness(eyes.see)
    recipe = write_inputs(tmp_path, server.url, images(20), answers={"controls": ALL_CONTROLS})
    ended = curate("run", recipe, "--out", tmp_path / "run")
    # All clips are asked in the same words, so all answers are the same: the model may be as dull as that.
    assert ended.code == 0
    assert "warning: Whether the answers are about the pictures that were sent cannot be told" in ended.out
    assert verdict(tmp_path / "run") == "cannot_tell"
    assert "- Whether the answers are about the pictures that were sent cannot be told" in card(
        tmp_path / "run"
    )


def test_where_clips_have_words_of_their_own_letters_alone_tell_it(
    server: Any, curate: Any, tmp_path: Path
) -> None:
    eyes = Eyes(logprobs=False, structured=False).open_at(server)
    eyes.say = remembers_words(eyes.see)
    clips = [Clip(one.name, one.colours, one.label, f"This is {one.name}.") for one in images(40)]
    answers = {"controls": CANARIES, "transcript": True}
    recipe = write_inputs(tmp_path, server.url, clips, answers=answers)
    ended = curate("run", recipe, "--out", tmp_path / "run")
    assert ended.code == 1
    assert "the server answers by the words alone, or the pictures do not reach the model" in ended.err
