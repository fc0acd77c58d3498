"""Croissant, held against mlcroissant, the consortium's own reader."""

import itertools
import json
import logging
from pathlib import Path

import pytest

from curate.release.load import load_release

mlcroissant = pytest.importorskip("mlcroissant")


@pytest.mark.filterwarnings("ignore")  # of the reader itself
def test_mlcroissant_finds_no_error_and_reads_every_config(release: Path) -> None:
    logging.getLogger("absl").setLevel(logging.ERROR)
    dataset = mlcroissant.Dataset(jsonld=str(release / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert str(dataset.metadata.conforms_to[0]).endswith("/1.1")
    told = {}
    for record_set in dataset.metadata.record_sets:
        told[record_set.name] = list(itertools.islice(dataset.records(record_set.name), 100))
    loaded = load_release(release)
    labelled = loaded.clips.filter(loaded.clips["label_given"].is_not_null())
    assert len(told["default"]) == labelled.height
    assert len(told["votes"]) == loaded.votes.height
    first = told["votes"][0]
    assert first["votes/clip_id"].decode() in set(loaded.clips["clip_id"])
    by_id = dict(loaded.clips.select("clip_id", "reliability").iter_rows())
    for row in told["default"]:
        assert row["default/reliability"] == by_id[row["default/clip_id"].decode()]
        assert {part["default/why/instrument"].decode() for part in row["default/why"]} >= {"given"}


def test_responsible_fields_come_from_the_run(release: Path) -> None:
    told = json.loads((release / "croissant.json").read_text(encoding="utf-8"))
    assert told["conformsTo"][0] == "http://mlcommons.org/croissant/1.1"
    assert told["license"] == "cc-by-4.0"
    assert told["version"] == "1.0.0"
    assert told["rai:machineAnnotationTools"][0] == "example/tiny-vlm@0123abc"
    assert any("Refined labels that are right" in line for line in told["rai:dataAnnotationAnalysis"])
    assert "2.0 votes of people and 3.0 answers of a model" in told["rai:annotationsPerItem"]
    # Nothing is claimed of what nobody stated.
    assert "inLanguage" not in told
    assert "citeAs" not in told
