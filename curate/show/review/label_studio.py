"""Review in Label Studio: its tasks, its labelling interface, and what it exports.

Source:
    Label Studio's JSON format of tasks and annotations,
    https://labelstud.io/guide/task_format and https://labelstud.io/guide/export.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from curate.errors import InputError, Problem
from curate.printable import printable
from curate.show.review.decision import Decision, Verdict, as_utc
from curate.show.review.task import Task

LOCAL_FILES = "/data/local-files/?d="
"""How Label Studio serves files of its own machine, by their path within its document root."""
_UNSURE, _SKIP = "cannot tell", "skip"
_VERDICTS: Mapping[str, Verdict] = {_UNSURE: "unsure", _SKIP: "skip"}
_MODEL = "curate"
_HOTKEYS = "123456789"


def interface_xml(classes: Sequence[str], question: str, media: str) -> str:
    """The labelling interface, to be pasted into a project's settings.

    Args:
        classes: Choices, in order.
        question: What is judged; may be empty.
        media: video or image.
    """
    tag = "Video" if media == "video" else "Image"
    keys = [f" hotkey={quoteattr(key)}" for key in _HOTKEYS]
    keys += [""] * len(classes)
    choices = [f"    <Choice value={_xml(name)}{key}/>" for name, key in zip(classes, keys, strict=False)]
    return "\n".join(
        [
            "<View>",
            *([f"  <Header value={_xml(question)}/>"] if question else []),
            f'  <{tag} name="clip" value="${media}"/>',
            '  <Text name="said" value="$transcript"/>',
            '  <Choices name="label" toName="clip" choice="single" showInLine="true">',
            *choices,
            "  </Choices>",
            '  <Choices name="verdict" toName="clip" choice="single" showInLine="true">',
            f'    <Choice value="{_UNSURE}" hotkey="u"/>',
            f'    <Choice value="{_SKIP}" hotkey="s"/>',
            "  </Choices>",
            '  <TextArea name="comment" toName="clip" maxSubmissions="1" placeholder="Comment"/>',
            "</View>",
            "",
        ]
    )


def tasks_json(tasks: Sequence[Task], root: Path, address: str = LOCAL_FILES) -> str:
    """The tasks, to be imported into a project.

    Args:
        tasks: What to look at.
        root: Folder that the media's paths are told within.
        address: What Label Studio fetches media by: this, and the path within `root`.
    """
    return json.dumps([_task(task, root, address) for task in tasks], ensure_ascii=False, indent=1) + "\n"


def read_decisions(path: Path, reviewer: str) -> list[Decision]:
    """Decisions of an export in Label Studio's own JSON.

    A task without an annotation is not decided; a cancelled annotation is a skip; of several people each
    one counts.

    Args:
        path: The file.
        reviewer: Who decided where the file does not say.

    Raises:
        InputError: It is no such file, or an annotation cannot be understood.
    """
    tasks = _read(path)
    read = [one for place, task in enumerate(tasks) for one in _annotations(path, place, task)]
    problems = [problem for one in read if (problem := _problem(one))]
    if problems:
        raise InputError(str(path), problems)
    return [_decision(one, reviewer) for one in read]


@dataclass(frozen=True, slots=True)
class _Annotation:
    where: str
    clip_id: str
    told: Mapping[str, Any]
    values: Mapping[str, str]
    """What was chosen or written, by the name of the control."""


def _xml(text: str) -> str:
    return quoteattr(printable(text))


def _task(task: Task, root: Path, address: str) -> dict[str, Any]:
    within = Path(task.place).relative_to(root).as_posix()
    data = {
        "clip_id": task.clip_id,
        "name": printable(task.name),
        task.media: address + quote(within),
        "transcript": printable(task.transcript, keep="\n"),
    }
    if task.believed is None:
        return {"data": data}
    shown = {"given": task.believed.given or "", "reason": task.believed.reason}
    choice = {"from_name": "label", "to_name": "clip", "type": "choices"}
    result = [{**choice, "value": {"choices": [printable(task.believed.refined)]}}]
    foretold = {"model_version": _MODEL, "score": task.believed.confidence, "result": result}
    return {"data": data | shown, "predictions": [foretold]}


def _read(path: Path) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(path), [Problem("file", f"cannot be read: {error.strerror}")]) from error
    except ValueError as error:
        raise InputError(str(path), [Problem("file", f"is no JSON: {error}", _EXPORT)]) from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InputError(str(path), [Problem("file", "is no list of tasks", _EXPORT)])
    return cast(list[Mapping[str, Any]], found)


_EXPORT = "Export the project as JSON (not JSON-MIN, not CSV)"


def _annotations(path: Path, place: int, task: Mapping[str, Any]) -> Iterator[_Annotation]:
    where = f"{path.name}, task {task.get('id', place + 1)}"
    data, annotations = task.get("data"), task.get("annotations", [])
    if not isinstance(data, dict) or not isinstance(annotations, list):
        problem = Problem(where, "has no data or no list of annotations", _EXPORT)
        raise InputError(str(path), [problem])
    for one in annotations:
        if not isinstance(one, dict) or not isinstance(one.get("result", []), list):
            raise InputError(str(path), [Problem(where, "an annotation has no list of results", _EXPORT)])
        yield _Annotation(where, str(data.get("clip_id", "")), one, _values(one))


def _values(annotation: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for one in annotation.get("result", []):
        value = one.get("value", {}) if isinstance(one, dict) else {}
        written = value.get("choices") or value.get("text") or []
        if first := [written] if isinstance(written, str) else [str(text) for text in written]:
            found[str(one.get("from_name"))] = "\n".join(first)
    return found


def _problem(one: _Annotation) -> Problem | None:
    if one.told.get("was_cancelled"):
        return None
    label, verdict = one.values.get("label"), one.values.get("verdict")
    if verdict is not None and verdict not in _VERDICTS:
        return Problem(one.where, f"verdict is {verdict!r}", f"Use {_UNSURE!r} or {_SKIP!r}")
    if label and verdict:
        return Problem(one.where, f"both a label ({label!r}) and {verdict!r}", "Take one of the two away")
    if not label and not verdict:
        return Problem(one.where, "an annotation without a label or a verdict", "Choose one, or delete it")
    return None


def _decision(one: _Annotation, reviewer: str) -> Decision:
    verdict = _VERDICTS.get(one.values.get("verdict", ""), "label")
    if one.told.get("was_cancelled"):
        verdict = "skip"
    time, took = one.told.get("updated_at") or one.told.get("created_at"), one.told.get("lead_time")
    return Decision(
        where=one.where,
        clip_id=one.clip_id,
        reviewer=_who(one.told.get("completed_by")) or reviewer,
        verdict=verdict,
        label=one.values.get("label") if verdict == "label" else None,
        comment=one.values.get("comment"),
        decided_at=as_utc(str(time)) if time else None,
        took_s=float(took) if isinstance(took, int | float) else None,
    )


def _who(told: object) -> str:
    """The person that Label Studio names: by address where it tells one, else by number."""
    if isinstance(told, dict):
        return str(told.get("email") or told.get("username") or f"label-studio-{told.get('id', '')}")
    return f"label-studio-{told}" if told is not None else ""
