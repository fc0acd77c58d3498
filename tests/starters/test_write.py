import re
from pathlib import Path

import pytest
import yaml

from curate.errors import InputError
from curate.questionnaire import load_questionnaire
from curate.recipe import Answers, Controls, OpenAIBackend, load_recipe
from curate.starters.write import STARTS, Domain, write_starter


@pytest.mark.parametrize("domain", sorted(STARTS))
def test_what_is_written_can_be_read(domain: Domain, tmp_path: Path) -> None:
    recipe_path, questionnaire_path = write_starter(tmp_path / "new", domain)
    assert load_recipe(recipe_path).task.classes == STARTS[domain].classes
    assert load_questionnaire(questionnaire_path).items


@pytest.mark.parametrize("domain", sorted(STARTS))
def test_what_the_comments_offer_can_be_had(domain: Domain, tmp_path: Path) -> None:
    path, _ = write_starter(tmp_path, domain)
    before, answers, after = re.split(r"(?m)^(?=answers:|labels:)", path.read_text(encoding="utf-8"))
    offered = re.sub(r"(?m)^  # (?=(?:  )?[a-z_]+:)", "  ", answers)
    path.write_text(before.replace("  # price", "  price") + offered + after, encoding="utf-8")
    recipe = load_recipe(path)
    keys = yaml.safe_load(path.read_text(encoding="utf-8"))["answers"]
    assert set(keys) == set(Answers.model_fields) - {"seed"}
    assert recipe.answers.controls == Controls(), "what is shown of the controls is what they are"
    assert isinstance(recipe.vlm, OpenAIBackend)
    assert recipe.vlm.price is not None


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write_starter(tmp_path, "engagement")
    with pytest.raises(InputError, match=r"2 to fix(.|\n)*exists already"):
        write_starter(tmp_path, "emotion")
