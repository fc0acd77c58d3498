"""The App as a person uses it: opened, clicked, decided in; and what comes of it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curate.errors import InputError, MissingPartError
from curate.release.compare.edition import Edition
from curate.run_folder import Run
from curate.show.review.ledger import read_ledger
from curate.show.view.part import check_port, load_fiftyone

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]
WAIT_MS = 120_000


def decide(page: Any, what: str, comment: str) -> None:
    """Fill the form in, and send it."""
    form = page.locator("[data-cy=operators-prompt-modal]")
    form.get_by_text("What is it? (1 selected)").wait_for(timeout=WAIT_MS)
    form.get_by_text(what, exact=True).click()
    form.get_by_role("textbox").nth(0).fill("Ada")
    form.get_by_role("textbox").nth(1).fill(comment)
    page.wait_for_timeout(1000)  # what is typed is checked on the way
    form.get_by_text("Execute").click()
    page.get_by_text("Decided:").wait_for(timeout=WAIT_MS)
    page.get_by_role("button", name="Close").click()


def test_a_decision_in_the_app_comes_out_in_the_next_release(
    browser: Any,
    served: Callable[..., Any],
    finished: Run,
    tmp_path: Path,
    fiftyone_environ: dict[str, str],
) -> None:
    run = tmp_path / "decided run"
    shutil.copytree(finished.folder, run)
    wrong = "highly engaged"
    with served(run, "--name", "decided") as address:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(address)
        page.wait_for_selector("text=24 samples", timeout=WAIT_MS)
        if page.get_by_text("Dismiss").count():
            page.get_by_text("Dismiss").first.click()
        # A saved view is chosen.
        page.locator("[data-cy=saved-views-selection]").click()
        page.get_by_text("Worst of class 1: not engaged").click()
        page.wait_for_url("**view=worst-of-class-1-not-engaged", timeout=WAIT_MS)
        page.wait_for_selector("[data-cy=looker]", timeout=WAIT_MS)
        page.wait_for_timeout(2000)  # the grid settles
        # The worst of them is selected, and decided about.
        first = page.locator("[data-cy=looker]").first
        first.hover()
        page.wait_for_timeout(500)
        box = first.bounding_box()
        page.mouse.click(box["x"] + 18, box["y"] + 16)
        page.locator('[data-item-id="curate/decide"]').click()
        decide(page, wrong, "<b>sure</b>")
        # The next one is opened, and decided about by the button there; the first is still selected.
        page.locator("[data-cy=looker]").nth(1).click()
        page.locator("#modal span.material-icons", has_text="rule").click()
        decide(page, "(unsure)", "too dark")
        page.screenshot(path=tmp_path / "app.png")
        page.close()
    # The same dataset takes what is to be looked at next, by whatever name it was opened.
    told = _curate(["review", "export", run, "--to", "fiftyone", "--clips", "3"], fiftyone_environ)
    assert "decided: 3 clips in the saved view For review" in told
    told = _curate(["review", "import", run, "--from", "fiftyone"], fiftyone_environ)
    assert "2 decisions read, 2 new (1 label, 1 unsure)" in told
    release = Edition(run / "release")
    assert release.version == "1.0.1"
    worst, next_one = (
        finished.read("labels").filter(label_given="not engaged").sort("reliability")["clip_id"].head(2)
    )
    (label,) = release.clips(["clip_id", "label"]).filter(clip_id=worst)["label"]
    assert release.classes[label] == wrong
    columns = ("clip_id", "reviewer", "label", "comment")
    assert read_ledger(run).select(columns).rows() == [
        (worst, "Ada", wrong, "<b>sure</b>"),
        (next_one, "Ada", None, "too dark"),
    ]
    assert "2 were known already" in _curate(
        ["review", "import", run, "--from", "fiftyone"], fiftyone_environ
    )


def test_killed_and_opened_again(
    served: Callable[..., Any], finished: Run, own_home: dict[str, str], port: int
) -> None:
    """A database that a crash left behind is taken up again, with everything in it."""
    options = ["--name", "killed"]
    command = [Path(sys.executable).with_name("curate"), "view", finished.folder, "--no-browser", *options]
    environ = os.environ | own_home | {"PYTHONUNBUFFERED": "1"}
    command += ["--port", str(port)]
    with subprocess.Popen([*map(str, command)], env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = next(line for line in process.stdout if line.startswith("killed: "))
        process.send_signal(signal.SIGKILL)
    assert first == "killed: 24 clips, 24 of them new\n"
    with served(finished.folder, *options, environ=own_home) as address:
        assert address.endswith("/datasets/killed")
    told = _curate(["view", finished.folder, *options, "--no-app"], own_home)
    assert "killed: 24 clips, 0 of them new" in told


def test_a_port_in_use_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} of 127.0.0.1 cannot be had") as caught:
            check_port(port)
    assert caught.value.problems[0].fix == "Name another, or close it"
    check_port(port)  # free again


def test_without_fiftyone_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fiftyone", None)
    with pytest.raises(
        MissingPartError, match=r"pip install 'curate\[view\]'.*curate report needs nothing more"
    ):
        load_fiftyone({})


def test_without_its_database_it_says_what_to_do(fo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> list[str]:
        raise RuntimeError("Could not find `mongod`")

    monkeypatch.setattr(fo, "list_datasets", fails)
    with pytest.raises(
        MissingPartError, match=r"Could not find `mongod`.*FIFTYONE_DATABASE_URI.*curate report"
    ):
        load_fiftyone({})


@pytest.mark.parametrize(
    ("settings", "environ", "after"),
    [
        (None, {}, "1"),
        ('{"do_not_track": false}', {}, None),  # the user turned it on, in so many words
        ('{"do_not_track": true}', {}, "1"),
        ("no json", {}, "1"),
        (None, {"FIFTYONE_DO_NOT_TRACK": "0"}, "0"),
    ],
)
def test_nothing_is_sent_home_unless_its_user_turned_that_on(
    fo: Any, tmp_path: Path, settings: str | None, environ: dict[str, str], after: str | None
) -> None:
    place = tmp_path / "config.json"
    if settings is not None:
        place.write_text(settings)
    given = {"FIFTYONE_CONFIG_PATH": str(place), **environ}
    load_fiftyone(given)
    assert given.get("FIFTYONE_DO_NOT_TRACK") == after


def _curate(arguments: list[Any], environ: dict[str, str]) -> str:

    program = Path(sys.executable).with_name("curate")
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
