from pathlib import Path

from PIL import Image

from curate.check import check
from curate.starters.write import write_starter

RECIPE = """
name: street
task: {classes: [calm, busy], ordinal: true}
clips: {source: folder, path: media}
vlm: VLM
release: {licence: cc0-1.0}
"""
LOCAL = "{backend: openai, model: m}"


def street(folder: Path, vlm: str = LOCAL) -> Path:
    (folder / "media").mkdir()
    Image.new("RGB", (8, 8)).save(folder / "media" / "a.png")
    write_starter(folder / "start", "engagement")
    (folder / "start" / "questionnaire.yaml").rename(folder / "questionnaire.yaml")
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.replace("VLM", vlm), encoding="utf-8")
    return path


def told(path: Path, **environ: str) -> list[str]:
    return [str(problem) for problem in check(path, environ)]


def test_a_sound_recipe_has_no_problem(tmp_path: Path) -> None:
    assert told(street(tmp_path)) == []


def test_a_server_elsewhere_needs_a_key_from_the_environment(tmp_path: Path) -> None:
    path = street(
        tmp_path, '{backend: openai, model: m, base_url: "https://api.example.org", api_key_env: MY_KEY}'
    )
    assert told(path) == [
        "vlm.api_key_env: MY_KEY is not set, and https://api.example.org is not this machine. "
        "export MY_KEY=…, any word if the server wants none, or name another variable in vlm.api_key_env"
    ]
    assert told(path, MY_KEY="secret") == []


def test_a_key_in_the_recipe_is_refused_and_not_repeated(tmp_path: Path) -> None:
    for key in ("sk-proj-SECRET12345", "abcSECRET12345"):
        (tmp_path / key).mkdir()
        vlm = f"{{backend: openai, model: m, api_key_env: {key}}}"
        (problem,) = told(street(tmp_path / key, vlm))
        assert "A key itself must not stand in a recipe" in problem
        assert "SECRET" not in problem


def test_all_that_does_not_fit_is_told_at_once(tmp_path: Path) -> None:
    path = street(tmp_path)
    asked = "answers: {probabilities: samples, debias: content_free, controls: {no_media: 0}}\n"
    path.write_text(path.read_text(encoding="utf-8") + asked, encoding="utf-8")
    (problem,) = told(path)
    assert "needs samples of 2 or more" in problem
    assert "Raise controls.no_media" in problem


def test_a_ledger_to_replay_must_be_there(tmp_path: Path) -> None:
    (problem,) = told(street(tmp_path, "{backend: replay, ledger: none.sqlite}"))
    assert problem.startswith("vlm.ledger: ")
    assert problem.endswith("none.sqlite: no such file. Name the ledger.sqlite of an earlier run")


def test_a_wrong_section_hides_nothing_of_the_others(tmp_path: Path) -> None:
    path = street(tmp_path, "{backend: openai}")
    (tmp_path / "questionnaire.yaml").write_text("name: x\n", encoding="utf-8")
    (tmp_path / "media" / "b.mp4").touch()
    where = [problem.where for problem in check(path, {})]
    assert where == ["vlm.model", "questionnaire.yaml: about", "questionnaire.yaml: items", "b.mp4"]


def test_a_recipe_that_nothing_can_label_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    path = street(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace(", ordinal: true", ""), encoding="utf-8")
    (problem,) = told(path)
    assert "nothing can tell which clip is of which class" in problem
