"""A release whose predecessor lies on the Hub."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from curate.earlier import earlier_release
from curate.errors import ReleaseError
from curate.pipeline import execute
from curate.release.compare.edition import Edition
from curate.release.hub.publish import Target, publish
from curate.run_folder import Run, open_run

REPO = "user/drawn-engagement"


@pytest.fixture
def later(finished: Run, tmp_path: Path) -> Run:
    """The finished run with another rule, after what is on the Hub."""
    source = finished.folder.parent
    text = (source / "recipe.yaml").read_text(encoding="utf-8")
    assert "\nrelease:\n" in text
    text = text.replace("\nrelease:\n", f"\nrelease:\n  previous: {REPO}@v1.0.0\n")
    assert "threshold: 0.8\n  pseudo:" in text
    text = text.replace("threshold: 0.8\n  pseudo:", "threshold: 0.95\n  pseudo:")
    recipe = source / "recipe-later.yaml"
    recipe.write_text(text, encoding="utf-8")
    run = Path(shutil.copytree(finished.folder, tmp_path / "run"))
    return open_run(recipe, run, environ={})


def test_a_version_follows_the_one_on_the_hub(hub: Any, api: HfApi, finished: Run, later: Run) -> None:
    publish(finished.release, Target(REPO), api)
    execute(later)
    assert Edition(later.release).version == "1.0.1"
    card = (later.release / "README.md").read_text(encoding="utf-8")
    assert "rules: labels.split.threshold was 0.8, and is 0.95" in card
    # A tag stays what it is: it is fetched once.
    hub.requests.clear()
    assert earlier_release(later) is not None
    assert not hub.requests


def test_a_predecessor_that_is_not_there_is_told(hub: Any, later: Run) -> None:
    with pytest.raises(ReleaseError, match=f"{REPO}@v1.0.0: cannot be read"):
        execute(later)
    assert Edition(later.release).version == "1.0.0"
