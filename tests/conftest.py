"""What all tests share."""

import os
from pathlib import Path

import pytest

from curate.demo.demonstrate import demonstrate
from curate.run_folder import Run

ROOT = Path(__file__).parents[1]
N_CLIPS = 24


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The whole road on a few drawn clips, answered by the model that ships."""
    folder = tmp_path_factory.mktemp("demo")
    return demonstrate(folder, lambda stage, done, total: None, n_clips=N_CLIPS, seed=7)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The test data folder: real clips, real votes, broken files; it is not part of the project."""
    folder = Path(os.environ.get("CURATE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the test data folder is absent ({folder}); set CURATE_TEST_DATA to run this test")
    return folder.resolve()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With CURATE_NO_SKIPS set, as in the gate, a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("CURATE_NO_SKIPS") and exitstatus == 0:
        reporter.write_line(
            f"{len(skipped)} skipped, and CURATE_NO_SKIPS is set: that is a failure", red=True
        )
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
