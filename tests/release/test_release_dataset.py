import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from curate import tables
from curate.errors import ReleaseError
from curate.labels.gather import gather
from curate.release.dataset import write_release
from curate.release.load import load_release
from curate.release.published import published_rows

READER = """
import json, sys
sys.modules["curate"] = None  # a reader has no curate: importing it would fail
from datasets import ClassLabel, get_dataset_config_names, load_dataset
folder, cache = sys.argv[1:]
told = {}
for config in get_dataset_config_names(folder):
    streams = load_dataset(folder, config, streaming=True)
    told[config] = {split: sum(1 for _ in stream) for split, stream in streams.items()}
train = load_dataset(folder, "default", split="train", cache_dir=cache)
streamed = list(load_dataset(folder, "default", split="train", streaming=True))
first = train[0]
told["facts"] = {
    "names": train.features["label"].names,
    "class_labels": [name for name, kind in train.features.items() if isinstance(kind, ClassLabel)],
    "streamed": [row["clip_id"] for row in streamed],
    "ids": train["clip_id"][:],
    "n_bytes": [len(row["video"]["bytes"]) for row in streamed if row["video"]],
    "image_sizes": [row["image"].size for row in streamed if row["image"]],
    "soft_label": first["soft_label"],
    "why": first["why"],
    "columns": train.column_names,
}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(release: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a stranger's Python, offline and without curate, reads from the release."""
    home = tmp_path_factory.mktemp("reader")
    environ = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", READER, str(release), str(home / "cache")]
    done = subprocess.run(command, cwd=home, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_stranger_loads_every_config(told: dict[str, Any], synthetic: ModuleType) -> None:
    assert list(told) == [
        "default", "high_reliability", "low_reliability", "pseudo_labeled", "answers", "votes", "facts",
    ]  # fmt: skip
    # 24 clips, every sixth without a label: 20 labelled, 4 not; 3 items; 2 annotators. 10 clips had
    # each of 3 controls, and 5 were asked in 2 more ways.
    assert sum(told["default"].values()) == 20
    assert sum(told["pseudo_labeled"].values()) == 4
    assert told["answers"] == {"train": (24 + 10 * 3 + 5 * 2) * 3}
    assert told["votes"] == {"train": 24 * 2}


def test_high_and_low_share_the_files_of_default(told: dict[str, Any]) -> None:
    high, low = told["high_reliability"], told["low_reliability"]
    assert {split: high.get(split, 0) + low.get(split, 0) for split in told["default"]} == told["default"]


def test_features_are_typed_and_media_are_inside(told: dict[str, Any], synthetic: ModuleType) -> None:
    facts = told["facts"]
    assert facts["names"] == list(synthetic.CLASSES)
    assert facts["class_labels"] == ["label_given", "label", "pseudo_label", "rationale_label"]
    assert facts["streamed"] == facts["ids"]
    assert len(facts["n_bytes"]) + len(facts["image_sizes"]) == told["default"]["train"]
    assert min(facts["n_bytes"]) > 100
    assert {tuple(size) for size in facts["image_sizes"]} == {(32, 24)}
    assert sum(facts["soft_label"]) == pytest.approx(1, abs=1e-6)
    assert facts["why"][0] == {"instrument": "item:gaze", "outcome": "always", "log_odds": 1.25}
    assert facts["columns"][-3:] == ["q_gaze", "q_posture", "q_smile"]


def test_the_same_content_gives_the_same_bytes(release: Path, synthetic: ModuleType, tmp_path: Path) -> None:
    write_release(tmp_path / "again", synthetic.make().content)
    assert synthetic.tree(tmp_path / "again") == synthetic.tree(release)


def test_media_go_into_several_files_when_one_is_full(synthetic: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "sharded"
    write_release(folder, synthetic.make().content, shard_bytes=3_000)
    files = sorted(path.name for path in folder.glob("data/train-low-*"))
    assert len(files) > 1
    assert files == [f"train-low-{i:05d}-of-{len(files):05d}.parquet" for i in range(len(files))]
    assert load_release(folder).clips.height == 24


def test_only_videos_leaves_no_image_column(synthetic: ModuleType, tmp_path: Path) -> None:
    content = synthetic.make().content
    videos = content.tables.clips.filter(pl.col("media") == "video")
    kept = content.tables.labels.join(videos.select("clip_id"), on="clip_id", how="semi")
    metrics = content.metrics | {"counts": content.metrics["counts"] | {"clips": videos.height, "images": 0}}
    write_release(
        tmp_path / "videos",
        replace(content, tables=replace(content.tables, clips=videos, labels=kept), metrics=metrics),
    )
    names = pq.read_schema(next((tmp_path / "videos").glob("data/*.parquet"))).names
    assert "video" in names
    assert "image" not in names
    assert "| `image` |" not in (tmp_path / "videos/README.md").read_text(encoding="utf-8")


def test_the_label_of_an_unlabelled_clip_is_its_accepted_pseudo_label(synthetic: ModuleType) -> None:
    content = synthetic.make(60).content
    rows = published_rows(content)
    without = rows.filter(pl.col("label_given").is_null())
    accepted = without["pseudo_accepted"]
    assert without.filter(accepted)["label"].equals(
        without.filter(accepted)["pseudo_label"], check_names=False
    )
    assert without.filter(~accepted)["label"].null_count() == (~accepted).sum()
    labelled = rows.filter(pl.col("label_given").is_not_null())
    assert labelled["label"].equals(labelled["label_refined"], check_names=False)


def test_media_that_changed_since_they_were_read_stop_the_release(
    release: Path, synthetic: ModuleType, tmp_path: Path
) -> None:
    folder = tmp_path / "release"
    write_release(folder, synthetic.make().content)
    before = synthetic.tree(folder)
    with pytest.raises(ReleaseError, match="The file has changed: run again"):
        write_release(folder, replace(synthetic.make().content, media=lambda uri: b"something else"))
    assert synthetic.tree(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_an_earlier_release_is_replaced_whole(synthetic: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "release"
    write_release(folder, synthetic.make(30).content)
    write_release(folder, synthetic.make().content)
    assert load_release(folder).clips.height == 24
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_a_folder_that_is_no_release_is_left_alone(synthetic: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("irreplaceable", encoding="utf-8")
    with pytest.raises(ReleaseError, match="holds something that is no release of curate"):
        write_release(tmp_path, synthetic.make().content)
    assert (tmp_path / "thesis.tex").read_text(encoding="utf-8") == "irreplaceable"


def test_clips_without_labels_are_told(synthetic: ModuleType, tmp_path: Path) -> None:
    content = synthetic.make().content
    fewer = replace(content.tables, labels=content.tables.labels.head(23))
    with pytest.raises(ReleaseError, match="1 clips are in only one of the two tables"):
        write_release(tmp_path / "release", replace(content, tables=fewer))


def test_load_release_reads_back_what_was_written(release: Path, synthetic: ModuleType) -> None:
    content, loaded = synthetic.make().content, load_release(release)
    assert loaded.classes == synthetic.CLASSES
    assert loaded.metrics == content.metrics
    assert loaded.labels.equals(content.tables.labels)
    assert loaded.answers.equals(content.tables.answers)
    assert "video" not in loaded.clips.columns


def test_load_release_says_what_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is no release of curate"):
        load_release(tmp_path)


def test_controls_and_variants_never_reach_the_columns_of_clips(synthetic: ModuleType) -> None:
    content = synthetic.make().content
    plain = (pl.col("control") == "none") & (pl.col("variant") == "base")
    wrong = pl.when(plain).then("answer").otherwise(pl.lit("always"))
    odd = content.tables.answers.with_columns(answer=wrong)
    alone = content.tables.answers.filter(plain)
    kept, without = (
        published_rows(replace(content, tables=replace(content.tables, answers=answers)))
        for answers in (odd, alone)
    )
    assert odd.height > alone.height
    assert kept.equals(without)


def test_controls_never_become_evidence(synthetic: ModuleType) -> None:
    made = synthetic.make().content.tables
    plain = made.answers.filter(pl.col("control") == "none")
    certain = pl.when(pl.col("control") == "none").then("probs").otherwise(pl.lit([0.0, 0.0, 1.0, 0.0]))
    odd = made.answers.with_columns(probs=certain)
    said, without = (
        gather(made.clips, made.votes, answers, tables.empty("probabilities")) for answers in (odd, plain)
    )
    assert odd.height > plain.height
    assert said.equals(without)


def test_a_published_answer_says_which_control_it_belongs_to(release: Path) -> None:
    answers = load_release(release).answers
    assert answers["control"].unique().sort().to_list() == ["canary", "no_media", "none", "shuffled"]
    assert answers["variant"].unique().sort().to_list() == ["base", "repeat 1", "wording 1"]


def test_the_rationale_stands_beside_the_label(release: Path, synthetic: ModuleType) -> None:
    clips = load_release(release).clips
    told = clips.filter(pl.col("rationale").is_not_null())
    assert told.height == 4
    assert sorted(told["rationale_verdict"]) == ["abstain", "confirm", "inconsistent", "revise"]
    for text, label in told.select("rationale", "rationale_label").iter_rows():
        assert text == f"The mouth at 0.07 s speaks for {synthetic.CLASSES[label]}."


def test_every_reply_is_kept_beside_what_rests_on_it(release: Path, synthetic: ModuleType) -> None:
    loaded, made = load_release(release), synthetic.make().content.tables
    assert loaded.calls.equals(made.calls)
    assert loaded.reasons.equals(made.reasons)
    assert loaded.context.equals(made.context)
