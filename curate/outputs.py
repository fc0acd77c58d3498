"""What people get of a run whose stages are done: metrics, release and report."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

import polars as pl

from curate import tables
from curate.clips.media import media_bytes, media_store
from curate.clips.split_names import SPLIT_NAMES
from curate.earlier import annotators_key, earlier_release, keep_pseudonyms
from curate.files import write_text
from curate.frames.people.blur import open_face_blur
from curate.further import further_models
from curate.manifest import Manifest
from curate.recipe import OpenAIBackend, Recipe, TransformersBackend, price_of
from curate.release.compare.edition import Edition
from curate.release.content import HowAsked, ReleaseContent, Tables
from curate.release.dataset import write_release
from curate.release.metrics import measure
from curate.release.pseudonyms import pseudonymised, pseudonyms
from curate.run_folder import Run, contract
from curate.run_media import stand_ins
from curate.sequences.shapes import SEQUENCES
from curate.show.report import write_report
from curate.show.strips import shown_clips
from curate.vlm.local.processor import DEMO

DRAWINGS_NOTICE = (
    "The model that answered is the small one that ships with curate. It was trained on drawings only: "
    "about anything but such drawings its answers are not to be trusted."
)
_UNREPORTED = ("answers", "evidence", "confusions", "ties", "leakage")
"""Tables that a report tells nothing of, or that it reads where they lie."""
_REPORTED_COLUMNS = {
    "clips": ["clip_id", "name", "media", "label_given", "split", "group", "duration_s", "transcript"],
    "labels": [
        "clip_id",
        "label_given",
        "label_refined",
        "confidence",
        "reliability",
        "reliability_split",
        "pseudo_label",
        "pseudo_confidence",
        "pseudo_accepted",
    ],
    "splits": ["clip_id", "split"],
    "votes": ["clip_id", "annotator", "label"],
    "frames": ["role"],
    "calls": ["model", "tokens_in", "tokens_out", "tokens_cached"],
}
"""Of tables that are large, what a report counts."""


def write_out(run: Run) -> None:
    """Measure a run whose stages are done, and write its metrics, release and report."""
    content = release_content(run)
    _write_metrics(run, content)
    write_release(run.release, content)
    write_report(run.report, _settled(content, Edition(run.release).version), _pictures(run))


def _write_metrics(run: Run, content: ReleaseContent) -> None:
    text = json.dumps(content.metrics, ensure_ascii=False, indent=2, sort_keys=True)
    write_text(run.folder / "metrics.json", text + "\n")


def _settled(content: ReleaseContent, version: str) -> ReleaseContent:
    """The same with the version that the release was given."""
    release = content.recipe.release.model_copy(update={"version": version})
    return replace(content, recipe=content.recipe.model_copy(update={"release": release}))


def _pictures(run: Run) -> Callable[[str], bytes]:
    """Pictures as they were sent, for people to look at; without faces where nobody is to see them."""
    if run.recipe.release.faces == "keep":
        return run.pictures.get
    blur = open_face_blur(run.recipe.release.face_detector)
    return lambda sha256: blur.picture(run.pictures.get(sha256))


def write_report_again(run: Run) -> None:
    """Measure a run whose stages are done, and write its metrics and report; its release stays as it is.

    Large tables are read where they lie, some columns at a time: a million clips take less than 1 GB.
    """
    needed = {part.name: _for_report(run, part.name) for part in fields(Tables)}
    content = _content(run, Tables(**needed), {name: run.written(name) for name in ("answers", "frames")})
    _write_metrics(run, content)
    write_report(run.report, _settled(content, Edition(run.release).version), _pictures(run))


def _for_report(run: Run, name: str) -> pl.DataFrame:
    """A table as far as a report needs it."""
    if name in _UNREPORTED:
        return tables.empty(contract(name))
    if name not in _REPORTED_COLUMNS:
        return run.read(name)
    names = _named_by_few(run.classes)
    few = [pl.col(column).cast(names[column]) for column in _REPORTED_COLUMNS[name] if column in names]
    parts = pl.scan_parquet(run.written(name)).select(_REPORTED_COLUMNS[name]).with_columns(few)
    found = parts.collect(engine="streaming")
    if name != "labels":
        return found
    # Probabilities count where the truth is known, reasons where a clip is shown, and of no other clip.
    wanted = [*run.read("gold-truth")["clip_id"], *shown_clips(found, run.read("reasons"))]
    stored = pl.scan_parquet(run.written(name)).select("clip_id", "posterior", "why")
    rest = stored.filter(pl.col("clip_id").is_in(wanted)).collect(engine="streaming")
    place = {clip_id: row for row, clip_id in enumerate(rest["clip_id"])}
    rows = found["clip_id"].replace_strict(place, default=None, return_dtype=pl.UInt32)
    return found.with_columns(rest[column].gather(rows) for column in ("posterior", "why"))


def _named_by_few(classes: Sequence[str]) -> dict[str, pl.DataType]:
    """Columns that hold one of a few names, each kept as its number: text takes sixteen times the room."""
    labels = ("label", "label_given", "label_refined", "pseudo_label")
    return {
        **dict.fromkeys(labels, pl.Enum(classes)),
        "split": pl.Enum(SPLIT_NAMES),
        "reliability_split": pl.Enum(["high", "low"]),
        "media": pl.Enum(["video", "image"]),
        "role": pl.Enum(["key", "between"]),
        "model": pl.Categorical(),
        "annotator": pl.Categorical(),
    }


def release_content(run: Run) -> ReleaseContent:
    """Everything that release and report are made of, read from the run's folder.

    Raises:
        InputError: The run is not finished.
    """
    every = {part.name: run.read(part.name) for part in fields(Tables) if part.name != "answers"}
    found = Tables(**every, answers=tables.empty("answers"))
    return _content(run, found, {"answers": run.written("answers")})


def _content(run: Run, found: Tables, stored: Mapping[tables.TableName, Path]) -> ReleaseContent:
    hidden = stand_ins(run)
    answers = pl.scan_parquet(stored["answers"])
    if hidden is not None:
        found = found.only(hidden)
        answers = answers.join(found.clips.lazy().select("clip_id"), on="clip_id", how="semi")
    if run.recipe.release.annotators == "pseudonyms":
        found = _without_names(run, found)
    truth, manifest = run.read("gold-truth"), Manifest.load(run.folder)
    metrics = measure(
        found,
        run.classes,
        _how_asked(run, manifest),
        ordinal=run.recipe.task.ordinal,
        truth=truth if truth.height else None,
        answers=answers,
    )
    further = tuple(further_models(run))
    store = media_store(run.recipe.clips)
    manifest.stages.pop("release", None)  # of an earlier release: says nothing of this one
    return ReleaseContent(
        recipe=_with_notice(run, manifest),
        questionnaire=run.questionnaire,
        tables=found,
        metrics=metrics,
        media=lambda uri: media_bytes(store.open(uri)),
        stand_ins=hidden or {},
        sequences={name: run.parts(name) for name in SEQUENCES},
        models=(*found.calls["model"].unique().sort(), *(one.model for one in further)),
        recipe_text=run.recipe_text,
        questionnaire_text=run.questionnaire_text,
        manifest=manifest.as_dict(),
        stored=stored,
        further=further,
        previous=earlier_release(run),
    )


def _without_names(run: Run, found: Tables) -> Tables:
    names = pseudonyms(found, annotators_key(run))
    if names:
        keep_pseudonyms(run, names)
    return pseudonymised(found, names)


def _how_asked(run: Run, manifest: Manifest) -> HowAsked:
    # A model in this process tells the same of every call: its own count would say nothing else.
    counts = manifest.stages["answers"].counts if isinstance(run.recipe.vlm, OpenAIBackend) else {}
    return HowAsked(
        questionnaire=run.questionnaire,
        answers=run.recipe.answers,
        price=price_of(run.recipe.vlm),
        prefix_queries=counts.get("prefix_queries"),
        prefix_hits=counts.get("prefix_hits"),
    )


def _with_notice(run: Run, manifest: Manifest) -> Recipe:
    """The recipe with its notice, and before it what else a reader must know first."""
    report = run.recipe.report
    notice = " ".join([*_warnings(run, manifest), report.notice]).strip()
    return run.recipe.model_copy(update={"report": report.model_copy(update={"notice": notice})})


def _warnings(run: Run, manifest: Manifest) -> Iterator[str]:
    asked, vlm = manifest.stages["answers"].counts, run.recipe.vlm
    if isinstance(vlm, TransformersBackend) and vlm.model == DEMO:
        yield DRAWINGS_NOTICE
    if left := manifest.stages["clips"].counts["not_sampled"]:
        yield f"This is a sample: {left} more clips of the source were left out."
    if missing := asked["left_out"] + asked["failed"]:
        yield (
            f"This release is incomplete: {missing} questions were not answered, for they were left out or "
            "failed."
        )
