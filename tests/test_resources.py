import pytest

from curate.resources import resource


def test_files_are_found_in_a_checkout() -> None:
    assert resource("schemas/clips.yaml").is_file()
    assert resource("demo/questionnaire.yaml").is_file()


def test_a_file_that_is_missing_is_told() -> None:
    with pytest.raises(FileNotFoundError, match="not in this installation"):
        resource("schemas/none.yaml")
