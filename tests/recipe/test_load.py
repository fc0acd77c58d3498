from pathlib import Path

import pytest

from curate.errors import RecipeError
from curate.recipe import FolderClips, OpenAIBackend, Recipe, load_recipe

SOUND = """
name: street
task: {classes: [calm, busy]}
clips: {source: folder, path: media, labels: {file: labels.csv}}
vlm: {backend: openai, model: some/model}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_to_the_recipe(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, SOUND))
    assert isinstance(recipe.clips, FolderClips)
    assert recipe.clips.labels is not None
    assert recipe.clips.path == tmp_path / "media"
    assert recipe.clips.labels.file == tmp_path / "labels.csv"
    assert recipe.answers.questionnaire == tmp_path / "questionnaire.yaml"


def test_defaults_are_safe(tmp_path: Path) -> None:
    vlm = load_recipe(write(tmp_path, SOUND)).vlm
    assert isinstance(vlm, OpenAIBackend)
    assert vlm.base_url.startswith("http://127.0.0.1")


def test_every_problem_at_once_with_its_key_and_the_fix(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
name: street
task: {classes: [calm, calm], ordinall: true}
clips: {source: folder, path: media, labels: {file: l.csv, labels: x}}
vlm: {backend: openai, model: m, bas_url: x}
frames: {count: 0}
splits: {validation: 0.5, test: 0.6}
""",
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert str(caught.value) == (
        f"{path}: 6 to fix\n"
        "  - task.classes: ['calm', 'calm'] repeats a name. Name each class once\n"
        "  - task.ordinall: unknown key. Did you mean ordinal?\n"
        "  - clips.labels.labels: unknown key. Did you mean label?\n"
        "  - splits: validation + test is 1.1, which leaves nothing to train on. Lower one of them\n"
        "  - frames.count: got 0. Input should be greater than or equal to 1\n"
        "  - vlm.bas_url: unknown key. Did you mean base_url?"
    )


def test_repeated_classes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Name each class once"):
        load_recipe(write(tmp_path, SOUND.replace("[calm, busy]", "[calm, calm]")))


def test_variables_are_filled_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, SOUND.replace("path: media", 'path: "${STREET_MEDIA}/media"'))
    monkeypatch.delenv("STREET_MEDIA", raising=False)
    with pytest.raises(RecipeError, match=r"\$\{STREET_MEDIA\}: is not set in the environment"):
        load_recipe(path)
    monkeypatch.setenv("STREET_MEDIA", "/elsewhere")
    clips = load_recipe(path).clips
    assert clips.path == Path("/elsewhere/media")


def test_an_id_on_the_hub_stays_one_and_a_folder_becomes_absolute(tmp_path: Path) -> None:
    text = SOUND.replace(
        "{source: folder, path: media, labels: {file: labels.csv}}", "{source: dataset, path: NAME}"
    )
    (tmp_path / "here").mkdir()
    assert load_recipe(write(tmp_path, text.replace("NAME", "user/name"))).clips.path == "user/name"
    assert load_recipe(write(tmp_path, text.replace("NAME", "here"))).clips.path == str(tmp_path / "here")


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="make one with curate init"):
        load_recipe(tmp_path / "none.yaml")


def test_every_key_is_documented() -> None:
    def undocumented(model: type, at: str) -> list[str]:
        return [f"{at}.{name}" for name, field in model.model_fields.items() if not field.description]  # type: ignore[attr-defined]

    assert undocumented(Recipe, "recipe") == []


def test_paths_within_lists_are_made_absolute_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", "/elsewhere")
    files = 'classifiers: [{file: a.csv, name: a}, {file: "${ELSEWHERE}/b.csv", name: b}]'
    clips = load_recipe(write(tmp_path, SOUND.replace("path: media", f"path: media, {files}"))).clips
    assert [classifier.file for classifier in clips.classifiers] == [
        tmp_path / "a.csv",
        Path("/elsewhere/b.csv"),
    ]


def test_two_classifiers_of_one_name_are_refused(tmp_path: Path) -> None:
    files = "classifiers: [{file: a.csv}, {file: b.csv}]"
    with pytest.raises(RecipeError, match="Give each its own name"):
        load_recipe(write(tmp_path, SOUND.replace("path: media", f"path: media, {files}")))


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:port/v1", "http://[oops/v1", "ftp://a.example", "127.0.0.1"]
)
def test_an_address_that_is_none_is_refused(address: str, tmp_path: Path) -> None:
    text = SOUND.replace("model: some/model", f'model: m, base_url: "{address}"')
    with pytest.raises(RecipeError, match="is no address of a server, such as"):
        load_recipe(write(tmp_path, text))
