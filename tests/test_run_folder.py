from pathlib import Path

import pytest

from curate.errors import InputError
from curate.run_folder import contract, reopen_run


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Name a folder that curate run or curate demo made"):
        reopen_run(tmp_path)


def test_file_stems_name_their_contract() -> None:
    assert contract("problems-frames") == "problems"
    assert contract("clips") == "clips"
