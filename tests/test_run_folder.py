from pathlib import Path

import pytest

from curate.errors import InputError, RecipeError
from curate.run_folder import Caps, contract, open_run, reopen_run


def test_a_folder_without_a_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Name a folder that curate run or curate demo made"):
        reopen_run(tmp_path)


RECIPE = """
name: small
task: {classes: ["no", "yes"]}
clips: {source: folder, path: clips}
vlm: VLM
answers: {paraphrases: {count: 2}}
"""
QUESTIONS = """
name: small
about: Cues.
items:
  - {id: smile, ask: Is somebody smiling, options: [nobody, somebody], why: w}
"""


@pytest.mark.parametrize(
    ("vlm", "told"),
    [
        ("{backend: openai, model: m}", "vlm.price: is missing, and a cap on cost needs it"),
        ("{backend: transformers, model: demo}", "costs nothing a token"),
    ],
)
def test_what_recipe_questionnaire_and_caps_ask_together_is_checked(
    tmp_path: Path, vlm: str, told: str
) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("VLM", vlm), encoding="utf-8")
    (tmp_path / "questionnaire.yaml").write_text(QUESTIONS, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        open_run(tmp_path / "recipe.yaml", environ={}, caps=Caps(max_cost=1.0))
    assert told in str(caught.value)
    assert "answers.paraphrases.count: is 2, and the questionnaire has fewer paraphrases of smile (0)" in str(
        caught.value
    )


def test_file_stems_name_their_contract() -> None:
    assert contract("problems-frames") == "problems"
    assert contract("clips") == "clips"
