"""curate publish, typed, against the Hub on loopback."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

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
    assert (run / "published" / "1.0.0" / "provenance" / "release.json").is_file()
    same = curate("diff", f"{REPO}@v1.0.0", run)
    assert same.stdout == "1.0.0 -> 1.0.0: nothing that is published changed\n"


def test_a_hub_that_is_not_there_is_told(hub: Any, finished: Run) -> None:
    hub.close()
    done = curate("publish", finished.release, REPO, "--dry-run")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {REPO}: the Hub cannot be reached")
    assert "Traceback" not in done.stderr
