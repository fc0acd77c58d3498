"""Near-duplicates among real clips: found, grouped, and refused where splits part them."""

from pathlib import Path

import polars as pl

from curate.pipeline import execute
from curate.release.hub.publish import refusals
from curate.run_folder import Run, open_run

CLIPS = (
    "carphone_pristine.mp4",
    "carphone_distorted.mp4",
    "face_noface.mov",
    "noface_face.mov",
    "test_video.mp4",
    "bikes.mp4",
    "single_face_img.jpg",
)
RECIPE = """
name: real
task: {{classes: [calm, lively]}}
clips:
  source: folder
  path: clips
  labels: {{file: labels.csv, group: group, split: split}}
vlm: {{backend: transformers, model: demo}}
answers: {{controls: {{canary: 0, no_media: 0, shuffled: 0}}}}
release: {{licence: cc0-1.0}}
splits: {splits}
"""
QUESTIONS = """
name: one
about: One cue.
items:
- {id: movement, ask: How much does the person move?, options: [hardly, a lot], why: It goes with it.}
"""
ACROSS = {frozenset(("carphone_pristine", "carphone_distorted")), frozenset(("face_noface", "noface_face"))}


def carried_out(folder: Path, test_data: Path, splits: str) -> Run:
    (folder / "clips").mkdir(parents=True)
    rows = ["file,label,group,split"]
    for place, name in enumerate(CLIPS):
        (folder / "clips" / name).symlink_to(test_data / "clips" / name)
        (folder / "clips" / name).unlink()
        (folder / "clips" / name).write_bytes((test_data / "clips" / name).read_bytes())
        rows.append(f"{name},{('calm', 'lively')[place % 2]},{place},{('train', 'test')[place % 2]}")
    (folder / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    (folder / "questionnaire.yaml").write_text(
        QUESTIONS.replace("person move?", "'person' move"), encoding="utf-8"
    )
    (folder / "recipe.yaml").write_text(RECIPE.format(splits=splits), encoding="utf-8")
    run = open_run(folder / "recipe.yaml", folder / "run", environ={})
    execute(run)
    return run


def pairs(run: Run, table: pl.DataFrame) -> set[frozenset[str]]:
    names = {
        clip_id: Path(name).stem for clip_id, name in run.read("clips").select("clip_id", "name").iter_rows()
    }
    return {
        frozenset((names[one], names[other])) for one, other in table.select("clip_id", "other").iter_rows()
    }


def test_true_near_duplicates_on_two_sides_are_found_and_nothing_else(
    test_data: Path, tmp_path: Path
) -> None:
    run = carried_out(tmp_path / "given", test_data, "{make: false}")
    leaks = run.read("leakage")
    assert pairs(run, leaks) == ACROSS
    assert set(leaks["kind"]) == {"near_duplicate"}
    assert [problem.where for problem in refusals(run.release)] == ["provenance/leakage.parquet"]
    assert "**Leakage:** 2 pairs of clips" in (run.release / "README.md").read_text(encoding="utf-8")


def test_made_splits_keep_them_together(test_data: Path, tmp_path: Path) -> None:
    run = carried_out(tmp_path / "made", test_data, "{make: true, validation: 0.2, test: 0.2}")
    assert pairs(run, run.read("ties")) == ACROSS
    assert run.read("leakage").is_empty()
    assert not list(refusals(run.release))
