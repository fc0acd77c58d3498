"""curate publish, typed, against the Hub on loopback."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from curate.run_folder import Run

REPO = "user/drawn-engagement"


def curate(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("curate")
    return subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, check=False, env=dict(os.environ)
    )


def test_a_run_is_shown_published_and_kept_to_hold_the_next_against(
    hub: Any, finished: Run, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished.folder, tmp_path / "run"))
    shown = curate("publish", run, REPO, "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f"would publish 1.0.0 to {REPO}, main, as tag v1.0.0\n")
    assert "  add     README.md (" in shown.stdout
    assert not hub.repos
    done = curate("publish", run, REPO, "--private")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"published 1.0.0 to {REPO} as v1.0.0 (commit ")
    assert hub.repos[REPO].private
    assert (run / "earlier" / "1.0.0" / "provenance" / "release.json").is_file()
    same = curate("diff", f"{REPO}@v1.0.0", run)
    assert same.stdout == "1.0.0 -> 1.0.0: nothing that is published changed\n"


@pytest.mark.parametrize("at", ["PUT", "/commit/", "/resolve/", "/tag/"])
def test_killed_anywhere_it_leaves_no_version_half_and_goes_on(
    hub: Any, finished: Run, tmp_path: Path, at: str
) -> None:
    run = Path(shutil.copytree(finished.folder, tmp_path / "run"))
    program = Path(sys.executable).with_name("curate")
    command = [program, "publish", run, REPO]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(method: str, path: str) -> int | None:
        if (method == at or at in path) and (at != "/resolve/" or method == "GET"):
            killed.kill()
            killed.wait()
        return None

    hub.fail = kill
    assert killed.wait() == -signal.SIGKILL
    repo = hub.repos[REPO]
    # A kill in the request for the tag comes after everything was compared: the tag may be there, and right.
    assert set(repo.tags) <= ({"v1.0.0"} if at == "/tag/" else set())
    assert set(repo.titles) <= {"initial commit", "Release 1.0.0"}
    hub.fail = lambda method, path: None
    done = curate("publish", run, REPO)
    assert done.returncode == 0, done.stderr
    assert repo.titles == ["initial commit", "Release 1.0.0"]
    assert repo.tags == {"v1.0.0": repo.branches["main"]}
    published = hub.files(REPO, "v1.0.0")
    assert all(
        published[path.relative_to(run / "release").as_posix()] == path.read_bytes()
        for path in (run / "release").rglob("*")
        if path.is_file()
    )


def test_a_hub_that_is_not_there_is_told(hub: Any, finished: Run) -> None:
    hub.close()
    done = curate("publish", finished.release, REPO, "--dry-run")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {REPO}: the Hub cannot be reached")
    assert "Traceback" not in done.stderr
