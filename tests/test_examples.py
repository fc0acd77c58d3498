"""Every file in examples/ is read, and the real clips go all the way."""

from pathlib import Path

import datasets
import polars as pl
import pytest

from curate import verbs
from curate.questionnaire import load_questionnaire
from curate.recipe import load_recipe
from curate.run_folder import Run

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("recipe.yaml")), ids=lambda path: path.parent.name)
def test_every_recipe_and_questionnaire_is_valid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATE_TEST_DATA", "/anywhere")
    assert load_questionnaire(load_recipe(path).answers.questionnaire).items


def test_five_pictures_a_second_differ_from_sentences_in_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CURATE_TEST_DATA", "/anywhere")
    context, five_fps = (load_recipe(EXAMPLES / name / "recipe.yaml") for name in ("context", "five_fps"))
    assert context.answers.context == "between"
    assert (five_fps.frames.strategy, five_fps.frames.fps) == ("fps", 5)
    assert five_fps.answers == context.answers.model_copy(update={"context": "none"})
    assert five_fps.frames.size_px == context.frames.size_px
    for section in ("task", "clips", "splits", "vlm", "labels"):
        assert getattr(five_fps, section) == getattr(context, section)


@pytest.fixture(scope="module")
def real(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CURATE_TEST_DATA", str(test_data))
        return verbs.run(EXAMPLES / "real_clips" / "recipe.yaml", tmp_path_factory.mktemp("real"))


def test_every_real_clip_is_accounted_for(real: Run, test_data: Path, tmp_path: Path) -> None:
    listed = pl.read_csv(test_data / "clips" / "labels.csv", infer_schema=False)["file"].to_list()
    found = []
    for config in ("default", "pseudo_labeled"):
        for split in datasets.load_dataset(str(real.release), config, cache_dir=tmp_path).values():
            found += split["name"]
    assert sorted(found) == sorted(listed), "all 17 can be read"
    answers = real.read("answers").filter(pl.col("control") == "none")
    assert answers.group_by("clip_id").len()["len"].unique().to_list() == [len(real.questionnaire.items)]


def test_groups_never_straddle_splits(real: Run) -> None:
    splits = real.read("clips").group_by("group").agg(pl.col("split").n_unique())
    assert splits["split"].max() == 1


def test_the_report_warns_in_its_first_lines(real: Run) -> None:
    body = real.report.read_text(encoding="utf-8").split("<body", 1)[1]
    assert "trained on drawings only" in body[:3000]


def test_poor_answers_give_no_confident_nonsense(real: Run) -> None:
    labels = real.read("labels")
    # Whatever a model of drawings says about photographs, the few given labels must not be
    # overturned with confidence on its word alone.
    overturned = labels.filter(
        pl.col("label_given").is_not_null() & (pl.col("label_given") != pl.col("label_refined"))
    )
    assert overturned.filter(pl.col("confidence") > 0.9).is_empty()
    assert labels.filter(pl.col("pseudo_accepted")).height <= 1
