"""The one way through: recipe, clips, frames, answers, labels, release, report.

A stage is a function from checked tables to checked tables. This module alone
reads a stage's inputs, checks them against their contracts, calls the stage,
checks what it returns and writes it. A stage whose inputs and parameters are
as they were is not carried out again.
"""

import time

from curate import tables
from curate.earlier import digest_of, earlier_release
from curate.interview import ask, look_and_ask, partial_frames
from curate.labelling import Counts, Frames
from curate.manifest import Manifest, stage_key, versions
from curate.outputs import write_out
from curate.run_folder import Run, contract
from curate.stages import ANSWERS, CLIPS, FRAMES, STAGES, Stage, Work, find_clips


def execute(run: Run) -> None:
    """Carry out every stage that is missing or changed, then write release and report.

    Killed at any moment and started again, it loses no reply that had arrived.

    Raises:
        CurateError: With what to put right.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    run.save()
    manifest = Manifest.load(run.folder)
    manifest.facts = {"name": run.recipe.name, "recipe": run.recipe_text, "versions": versions()}
    _carry_out(CLIPS, find_clips, run, manifest)
    _look_and_ask(run, manifest)
    for stage, work in STAGES:
        _carry_out(stage, work, run, manifest)
    _finish(run, manifest)


def _finish(run: Run, manifest: Manifest) -> None:
    """Write release and report, unless they stand and say just this."""
    made_of = {name: record.outputs for name, record in manifest.stages.items() if name != "release"}
    texts = {"recipe": run.recipe_text, "questionnaire": run.questionnaire_text}
    earlier = digest_of(earlier_release(run))
    key = stage_key(
        "release", {"inputs": made_of, "curate": versions()["curate"], "earlier": earlier, **texts}
    )
    if manifest.is_current("release", key):
        return
    started_s = time.monotonic()
    write_out(run)
    published = sorted(path for path in run.release.rglob("*") if path.is_file())
    outputs = [run.folder / "metrics.json", run.report, *published]
    manifest.record("release", key, outputs, {}, time.monotonic() - started_s)


def _look_and_ask(run: Run, manifest: Manifest) -> None:
    """Frames and answers, at the same time where there are no frames yet to ask about."""
    if is_current(FRAMES, run, manifest):
        return _carry_out(ANSWERS, ask, run, manifest)
    key, started_s = _key(FRAMES, run, manifest), time.monotonic()
    looked, asked = look_and_ask(run, _inputs(FRAMES, run))
    _keep(FRAMES, run, manifest, key, looked, started_s)
    _keep(ANSWERS, run, manifest, _key(ANSWERS, run, manifest), asked, started_s)
    return partial_frames(run).unlink()


def _carry_out(stage: Stage, work: Work, run: Run, manifest: Manifest) -> None:
    if is_current(stage, run, manifest):
        return
    # Before the work: a file that changes meanwhile must count as changed since.
    key, started_s = _key(stage, run, manifest), time.monotonic()
    _keep(stage, run, manifest, key, work(run, _inputs(stage, run)), started_s)


def is_current(stage: Stage, run: Run, manifest: Manifest) -> bool:
    """Whether a stage's tables stand as its inputs and parameters would make them."""
    return manifest.is_current(stage.name, _key(stage, run, manifest))


def _key(stage: Stage, run: Run, manifest: Manifest) -> str:
    inputs = {stem: manifest.output_digest(f"{stem}.parquet") for stem in stage.reads}
    parts = {name: manifest.digests_in(name) for name in stage.reads_parts}
    decided_by = {"inputs": inputs | parts, "curate": versions()["curate"], **stage.parameters(run)}
    return stage_key(stage.name, decided_by)


def _inputs(stage: Stage, run: Run) -> Frames:
    return {stem: run.read(stem) for stem in stage.reads}


def _keep(
    stage: Stage, run: Run, manifest: Manifest, key: str, done: tuple[Frames, Counts], started_s: float
) -> None:
    """Check and write what a stage made, and record it."""
    written, counts = done
    for stem in stage.writes:
        tables.write(contract(stem), written[stem], run.path(stem), run.classes)
    outputs = [run.path(stem) for stem in stage.writes]
    outputs += [part for name in stage.writes_parts for part in sorted(run.parts(name).glob("*.parquet"))]
    kept_key = key if stage.is_complete(counts) else f"incomplete {key}"
    manifest.record(stage.name, kept_key, outputs, counts, time.monotonic() - started_s)
