from pathlib import Path

import pytest

from curate.errors import InputError
from curate.questionnaire import load_questionnaire
from curate.recipe import load_recipe
from curate.starters.write import STARTS, Domain, write_starter


@pytest.mark.parametrize("domain", sorted(STARTS))
def test_what_is_written_can_be_read(domain: Domain, tmp_path: Path) -> None:
    recipe_path, questionnaire_path = write_starter(tmp_path / "new", domain)
    assert load_recipe(recipe_path).task.classes == STARTS[domain].classes
    assert load_questionnaire(questionnaire_path).items


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write_starter(tmp_path, "engagement")
    with pytest.raises(InputError, match=r"2 to fix(.|\n)*exists already"):
        write_starter(tmp_path, "emotion")
