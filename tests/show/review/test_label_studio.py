"""Tasks and interface, as Label Studio's own package reads them, and what it exports."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curate.errors import InputError
from curate.show.review.decision import Decision
from curate.show.review.label_studio import interface_xml, read_decisions, tasks_json
from curate.show.review.task import Believed, Task

CLASSES = ("calm & quiet", '<script>alert("1")</script>', "ضجر 😴")
CLIP = "a" * 16
CHECK = """
import json, sys
from label_studio_sdk.label_interface import LabelInterface
folder = sys.argv[1]
interface = LabelInterface(open(f"{folder}/review.xml", encoding="utf-8").read())
interface.validate()
tasks = json.load(open(f"{folder}/review.json", encoding="utf-8"))
told = [bool(interface.validate_prediction(one)) for task in tasks for one in task.pop("predictions", [])]
told += [bool(interface.validate_task(task)) for task in tasks]
answers = json.load(open(f"{folder}/answers.json", encoding="utf-8"))
told += [bool(interface.validate_annotation(one)) for task in answers for one in task["annotations"]]
print(json.dumps({"valid": told, "labels": list(interface.get_control("label").labels)}))
"""


def answer(*chosen: tuple[str, str], **told: Any) -> dict[str, Any]:
    """An annotation as Label Studio exports it."""
    result = [
        {
            "from_name": name,
            "to_name": "clip",
            "type": "textarea" if name == "comment" else "choices",
            "value": {"text" if name == "comment" else "choices": [value]},
        }
        for name, value in chosen
    ]
    return {
        "completed_by": {"id": 1, "email": "ada@lab.org"},
        "result": result,
        "was_cancelled": False,
        **told,
    }


def exported(folder: Path, *annotations: dict[str, Any]) -> Path:
    path = folder / "answers.json"
    path.write_text(json.dumps([{"id": 7, "data": {"clip_id": CLIP}, "annotations": list(annotations)}]))
    return path


def test_label_studio_takes_tasks_interface_and_answers(
    tmp_path: Path, clean_python: Callable[..., Path]
) -> None:
    believed = Believed(CLASSES[0], CLASSES[2], 0.6, "two of them are likely")
    tasks = [
        Task(1, CLIP, "a b.mp4", "video", str(tmp_path / "clips" / "a b.mp4"), "he says <i>no</i>", believed),
        Task(2, "b" * 16, "c.mp4", "video", str(tmp_path / "clips" / "c.mp4")),
    ]
    (tmp_path / "review.xml").write_text(
        interface_xml(CLASSES, 'How "calm" is <he>?', "video"), encoding="utf-8"
    )
    (tmp_path / "review.json").write_text(tasks_json(tasks, tmp_path), encoding="utf-8")
    exported(tmp_path, answer(("label", CLASSES[1])), answer(("verdict", "cannot tell"), ("comment", "dark")))
    python = clean_python(tmp_path / "studio", "label-studio-sdk")
    done = subprocess.run([python, "-c", CHECK, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {"valid": [True] * 5, "labels": list(CLASSES)}
    assert json.loads((tmp_path / "review.json").read_text())[0]["data"]["video"] == (
        "/data/local-files/?d=clips/a%20b.mp4"
    )


def test_decisions_of_several_people(tmp_path: Path) -> None:
    path = exported(
        tmp_path,
        answer(("label", CLASSES[0]), updated_at="2026-01-31T12:00:00.123456Z", lead_time=4.5),
        answer(("verdict", "cannot tell"), ("comment", "too\ndark"), completed_by=3),
        answer(was_cancelled=True, completed_by={"id": 4}),
    )
    assert read_decisions(path, "") == [
        Decision(
            "answers.json, task 7",
            CLIP,
            "ada@lab.org",
            "label",
            CLASSES[0],
            None,
            "2026-01-31T12:00:00.123Z",
            4.5,
        ),
        Decision("answers.json, task 7", CLIP, "label-studio-3", "unsure", None, "too\ndark"),
        Decision("answers.json, task 7", CLIP, "label-studio-4", "skip"),
    ]


def test_tasks_that_nobody_opened_are_not_decided(tmp_path: Path) -> None:
    assert read_decisions(exported(tmp_path), "ada") == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "file: is no JSON"),
        ('{"a": 1}', "file: is no list of tasks"),
        ('[{"id": 3}]', "answers.json, task 3: has no data or no list of annotations"),
        ('[{"data": {}, "annotations": [3]}]', "answers.json, task 1: an annotation has no list of results"),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "answers.json"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_decisions(path, "")
    assert str(caught.value.problems[0]).startswith(problem)
    assert "Export the project as JSON" in caught.value.problems[0].fix


def test_annotations_that_cannot_be_understood(tmp_path: Path) -> None:
    path = exported(
        tmp_path,
        answer(),
        answer(("label", CLASSES[0]), ("verdict", "skip")),
        answer(("verdict", "perhaps")),
    )
    with pytest.raises(InputError) as caught:
        read_decisions(path, "")
    assert [problem.what for problem in caught.value.problems] == [
        "an annotation without a label or a verdict",
        f"both a label ({CLASSES[0]!r}) and 'skip'",
        "verdict is 'perhaps'",
    ]
