"""What a recipe asks of its release, told before a run."""

from pathlib import Path

from curate.recipe import Answers, DatasetClips, FolderClips, LabelFile, Release, Splits
from curate.release_check import release_problems
from curate.sections import Section


def told(**sections: Section) -> list[str]:
    return [str(problem) for problem in release_problems(sections)]


def test_a_licence_and_nothing_odd_leave_nothing_to_tell(tmp_path: Path) -> None:
    release = Release(licence="cc-by-4.0", previous=str(tmp_path))
    assert told(release=release, splits=Splits(), answers=Answers(further=(tmp_path,))) == []
    assert told(release=Release(licence="cc-by-4.0", previous="user/name@v1.0.0")) == []


def test_what_publishing_will_refuse_is_worth_knowing_and_stops_nothing() -> None:
    (problem,) = release_problems({"release": Release()})
    assert problem.where == "release.licence"
    assert problem.mends_itself


def test_blurring_what_is_not_released_is_in_vain() -> None:
    (problem,) = told(release=Release(licence="mit", faces="blur", media="none"))
    assert problem.startswith("release.faces: is asked for, and no media are released")


def test_a_predecessor_that_is_no_folder_and_no_name(tmp_path: Path) -> None:
    (problem,) = told(release=Release(licence="mit", previous=str(tmp_path / "gone")))
    assert problem.endswith("no such folder, and no name on the Hub. Expected USER/NAME@REVISION")


def test_order_of_time_needs_times(tmp_path: Path) -> None:
    splits = Splits(make=True, order="time")
    labels = LabelFile(file=tmp_path / "labels.csv")
    silent = FolderClips(source="folder", path=tmp_path, labels=labels)
    speaking = silent.model_copy(update={"labels": labels.model_copy(update={"recorded_at": "when"})})
    assert told(splits=splits, clips=speaking) == []
    dataset = DatasetClips(source="dataset", path="user/name")
    for clips in (silent, dataset):
        (problem,) = told(splits=splits, clips=clips)
        assert problem.startswith("splits.order: is time, and no column says when")
    assert told(splits=splits, clips=dataset.model_copy(update={"recorded_at": "when"})) == []


def test_a_further_run_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = told(answers=Answers(further=(tmp_path / "gone",)))
    assert (
        problem == f"answers.further: {tmp_path / 'gone'}: no such folder. Name a finished run, or a release"
    )
