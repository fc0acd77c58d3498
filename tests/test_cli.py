"""The verbs as a person types them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from curate.run_folder import Run

CURATE = Path(sys.executable).with_name("curate")


def curate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([CURATE, *map(str, arguments)], check=False, capture_output=True, text=True)


def test_init_then_check_tells_what_is_missing(tmp_path: Path) -> None:
    made = curate("init", tmp_path / "mine", "--domain", "hidden-emotion")
    assert made.returncode == 0, made.stderr
    assert "next: put clips and labels beside them" in made.stdout
    checked = curate("check", tmp_path / "mine" / "recipe.yaml")
    assert checked.returncode == 1
    assert "labels.csv" in checked.stderr
    assert "Traceback" not in checked.stderr


def test_check_tells_problems_of_recipe_questionnaire_labels_and_media_at_once(
    tmp_path: Path, test_data: Path
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"""
name: broken
task: {{classes: ["yes", "no"]}}
clips:
  source: folder
  path: {test_data / "broken"}
  labels: {{file: "{test_data / "broken" / "labels_unknown_class.csv"}", clip: clip_id, label: smiling}}
frames: {{counts: 3}}
vlm: {{backend: openai, model: m, base_url: "https://api.example.org/v1", api_key_env: NOT_SET_ANYWHERE}}
answers: {{questionnaire: none.yaml}}
""",
        encoding="utf-8",
    )
    told = curate("check", recipe).stderr
    for part in (
        "frames.counts: unknown key. Did you mean count?",
        "none.yaml: no such file",
        "NOT_SET_ANYWHERE is not set",
        "labels_unknown_class.csv",
        "zero_byte.mp4: is empty",
        "audio_only.mp4: has no video stream",
    ):
        assert part in told


def test_refine_reads_votes_and_learns_from_gold(tmp_path: Path, test_data: Path) -> None:
    evidence = test_data / "evidence"
    out, queue = tmp_path / "labels.parquet", tmp_path / "queue.csv"
    asked = ("--gold", evidence / "bluebirds.gold.csv", "--out", out, "--queue", queue)
    certified = ("--certify", "0.2", "--drawn", "at-random")
    done = curate("refine", evidence / "bluebirds.votes.csv", *asked, *certified)
    assert done.returncode == 0, done.stderr
    assert "on 108 gold clips: majority 0.7593 right" in done.stdout
    assert "labels: At most 0.2 of the labels of the" in done.stdout
    assert pl.read_parquet(out).height == 108
    assert pl.read_csv(queue).columns == ["rank", "clip_id", "expected_gain", "reason"]


def test_refine_tells_every_wrong_option_at_once(tmp_path: Path) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text("clip_id,instrument,outcome\nc,p,a\n", encoding="utf-8")
    done = curate("refine", votes, "--ordinal", "--out", tmp_path / "labels.csv", "--certify", "2")
    assert done.returncode == 1
    for part in ("--ordinal", "--out", "--certify"):
        assert part in done.stderr


def test_eval_measures_runs_and_releases_by_id_or_file_name(finished: Run, tmp_path: Path) -> None:
    truth = finished.folder.parent / "truth.csv"
    by_name = curate("eval", finished.folder, "--gold", truth)
    assert by_name.returncode == 0, by_name.stderr
    assert f"{finished.metrics['accuracy_refined']:.3f} right" in by_name.stdout
    by_id = tmp_path / "gold.csv"
    finished.read("gold-truth").select("clip_id", gold="label").write_csv(by_id)
    assert curate("eval", finished.release, "--gold", by_id).stdout == by_name.stdout


def test_eval_of_clips_that_are_not_there_says_so(finished: Run, tmp_path: Path) -> None:
    gold = tmp_path / "gold.csv"
    gold.write_text("file,label\nother.mp4,engaged\n", encoding="utf-8")
    done = curate("eval", finished.folder, "--gold", gold)
    assert done.returncode == 1
    assert "none of its 1 rows names a clip" in done.stderr


def test_eval_tells_of_rows_that_it_cannot_use(finished: Run, tmp_path: Path) -> None:
    gold = tmp_path / "gold.csv"
    rows = ["clip_001.mp4,engaged", "clip_002.mp4,Engaged", "ghost.mp4,engaged", ",engaged"]
    gold.write_text("\n".join(["file,label", *rows]) + "\n", encoding="utf-8")
    done = curate("eval", finished.folder, "--gold", gold)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("note: gold.csv") == 3, done.stdout
    assert "Did you mean engaged?" in done.stdout


def test_an_unfinished_run_is_told(finished: Run, tmp_path: Path) -> None:
    for name in ("recipe.json", "recipe.yaml", "questionnaire.yaml"):
        (tmp_path / name).write_bytes((finished.folder / name).read_bytes())
    done = curate("report", tmp_path)
    assert done.returncode == 1
    assert "the run is not finished. Run it again" in done.stderr


def test_refine_takes_tallies_and_refuses_an_order_it_would_have_to_guess(tmp_path: Path) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text(
        "clip_id,instrument,outcome,count\na,crowd,yes,9\na,crowd,no,1\nb,crowd,no,9\nb,crowd,yes,1\n",
        encoding="utf-8",
    )
    done = curate("refine", votes, "--out", tmp_path / "o.parquet")
    assert done.returncode == 0, done.stderr
    labels = dict(pl.read_parquet(tmp_path / "o.parquet").select("clip_id", "label_refined").iter_rows())
    assert labels == {"a": "yes", "b": "no"}
    refused = curate("refine", votes, "--ordinal", "--out", tmp_path / "o.parquet")
    assert refused.returncode == 1
    assert "--ordinal: needs --classes" in refused.stderr


def test_a_wrong_file_is_one_message_and_exit_code_one(tmp_path: Path) -> None:
    done = curate("refine", tmp_path / "none.csv")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["init", "check", "run", "refine", "eval", "report", "demo"])
def test_every_verb_explains_itself(verb: str) -> None:
    assert curate(verb, "--help").returncode == 0


def test_validate_says_ok_or_what_is_wrong(finished: Run, tmp_path: Path) -> None:
    assert curate("validate", finished.release).stdout == f"{finished.release}: ok\n"
    copy = shutil.copytree(finished.release, tmp_path / "copy")
    (copy / "metrics.json").unlink()
    done = curate("validate", copy)
    assert done.returncode == 1
    assert "metrics.json: is missing" in done.stderr


def test_why_traces_a_clip_by_its_name_or_id(finished: Run) -> None:
    clip_id, name = finished.read("clips").select("clip_id", "name").row(0)
    told = curate("why", finished.folder, name).stdout
    assert told.startswith(f"{clip_id} {name}")
    assert curate("why", finished.release, clip_id).stdout == told
    assert json.loads(curate("why", finished.release, clip_id, "--json").stdout)["clip"]["clip_id"] == clip_id


def test_diff_of_a_release_with_itself_is_nothing(finished: Run) -> None:
    done = curate("diff", finished.folder, finished.release)
    assert done.stdout == "1.0.0 -> 1.0.0: nothing that is published changed\n"
    assert json.loads(curate("diff", finished.release, finished.release, "--json").stdout)["level"] is None


def test_diff_with_what_is_no_release_says_so(finished: Run, tmp_path: Path) -> None:
    done = curate("diff", finished.release, tmp_path)
    assert done.returncode == 1
    assert "is no release of curate" in done.stderr
    assert "Expected USER/NAME@REVISION" in curate("diff", finished.release, tmp_path / "none").stderr


def test_publish_of_a_damaged_release_asks_no_hub(finished: Run, tmp_path: Path) -> None:
    copy = shutil.copytree(finished.release, tmp_path / "copy")
    (copy / "metrics.json").unlink()
    done = curate("publish", copy, "user/name", "--dry-run")
    assert done.returncode == 1
    assert "not published, " in done.stderr


def test_attach_of_a_release_that_holds_its_media_says_so(finished: Run, tmp_path: Path) -> None:
    done = curate("attach", finished.release, tmp_path, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "made with media: none" in done.stderr
