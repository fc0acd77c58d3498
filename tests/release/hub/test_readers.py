"""Other projects: Python without curate, reading a published release from the Hub on loopback."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from curate.release.hub.light import light_copy
from curate.release.hub.publish import Target, publish
from curate.release.hub.reference import HubReference
from curate.release.load import load_release

REPO = "user/drawn-faces"
READER = """
import io, json, sys
from importlib.util import find_spec
assert find_spec("curate") is None
import polars as pl
import torch
from datasets import load_dataset
from huggingface_hub import hf_hub_download

repo = sys.argv[1]
high = load_dataset(repo, "high_reliability", revision="v1.0.0")
stream = load_dataset(repo, "default", revision="v1.0.0", split="train", streaming=True)

# datasets -> torch
chosen = high["train"].select_columns(["label", "soft_label", "reliability"]).with_format("torch")
batch = next(iter(torch.utils.data.DataLoader(chosen, batch_size=4)))

# pandera, by the schema that lies in the release
import pandera.polars as pa
schema = pa.DataFrameSchema.from_yaml(
    hf_hub_download(repo, "provenance/schema/votes.yaml", revision="v1.0.0", repo_type="dataset")
)
votes = load_dataset(repo, "votes", revision="v1.0.0", split="train").to_polars()
schema.validate(votes, lazy=True)
try:
    schema.validate(votes.with_columns(clip_id=pl.lit("no id")), lazy=True)
    raise AssertionError("the schema lets anything pass")
except pa.errors.SchemaErrors:
    pass

print(json.dumps({
    "high": {split: rows.num_rows for split, rows in high.items()},
    "streamed": [row["clip_id"] for row in stream],
    "soft_shape": list(batch["soft_label"].shape),
    "sums": batch["soft_label"].sum(dim=1).tolist(),
    "names": high["train"].features["label"].names,
    "votes": len(votes),
}))
"""


@pytest.fixture(scope="module")
def reader(clean_python: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own with what a project that trains has, and no curate."""
    return clean_python(
        tmp_path_factory.mktemp("reader") / "venv", "datasets", "pillow", "pandera[polars]", "torch"
    )


def test_a_project_without_curate_loads_streams_trains_on_and_validates_a_version(
    hub: Any, api: HfApi, release: Path, reader: Path, tmp_path: Path
) -> None:
    publish(release, Target(REPO), api)
    environ = {**os.environ, "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [reader, "-c", READER, REPO], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    loaded = load_release(release)
    high = loaded.clips.filter(reliability_split="high")
    assert told["high"] == dict(high["split"].value_counts().iter_rows())
    train = loaded.clips.filter(loaded.clips["label_given"].is_not_null(), split="train")
    assert sorted(told["streamed"]) == sorted(train["clip_id"])
    assert told["soft_shape"] == [min(4, told["high"]["train"]), 3]
    assert told["sums"] == pytest.approx([1.0] * told["soft_shape"][0])
    assert told["names"] == list(loaded.classes)
    assert told["votes"] == loaded.votes.height


def test_a_light_copy_has_everything_but_media(hub: Any, api: HfApi, release: Path, tmp_path: Path) -> None:
    publish(release, Target(REPO), api)
    hub.requests.clear()
    copy = light_copy(HubReference(REPO, "v1.0.0"), tmp_path / "copy")
    assert copy.version == "1.0.0"
    assert load_release(tmp_path / "copy").clips.equals(load_release(release).clips)
    n_bytes = sum(path.stat().st_size for path in (tmp_path / "copy").rglob("*") if path.is_file())
    assert n_bytes < sum(path.stat().st_size for path in release.rglob("*") if path.is_file())
