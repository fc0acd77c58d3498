from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from curate import tables
from curate.labelling import judge
from curate.recipe import Embeddings
from curate.run_folder import Run
from curate.sequences.columns import Row
from curate.sequences.parts import parts_of, write_parts


def with_embeddings(finished: Run, folder: Path, *, judge: bool = True) -> Run:
    """The drawn clips, and vectors that tell nothing of them, in several parts."""
    asked = finished.recipe.model_copy(update={"embeddings": Embeddings(judge=judge)})
    run, rng = replace(finished, folder=folder, recipe=asked), np.random.default_rng(0)
    rows: list[Row] = [
        {
            "clip_id": clip_id,
            "model": "net@1",
            "index": [0, 5, 9],
            "t_s": [0.0, 0.2, 0.4],
            "vectors": rng.normal(size=(3, 4)).astype(np.float16),
        }
        for clip_id in sorted(finished.read("clips")["clip_id"])
    ]
    write_parts(run.parts("embeddings"), "embeddings", rows, part_bytes=200)
    assert len(parts_of(run.parts("embeddings"))) > 1
    return run


def test_every_clip_is_judged(finished: Run, tmp_path: Path) -> None:
    run = with_embeddings(finished, tmp_path)
    read = {stem: finished.read(stem) for stem in ("clips", "votes")}
    written, counts = judge(run, read)
    assert written["probabilities-judge"]["clip_id"].to_list() == sorted(read["clips"]["clip_id"])
    assert counts == {"clips": read["clips"].height}
    assert written["problems-judge"].is_empty()
    assert judge(run, read)[0]["probabilities-judge"].equals(written["probabilities-judge"])
    for stem in ("probabilities", "problems"):
        tables.validate(stem, written[f"{stem}-judge"], run.classes)


def test_too_little_is_labelled(finished: Run, tmp_path: Path) -> None:
    run = with_embeddings(finished, tmp_path)
    alone = finished.read("clips").with_columns(group=pl.lit("one person"))
    written, counts = judge(run, {"clips": alone, "votes": finished.read("votes")})
    assert counts == {"clips": 0}
    (problem,) = written["problems-judge"].iter_rows(named=True)
    assert (problem["where"], problem["kind"], problem["clip"]) == ("embeddings.judge", "embeddings", None)
    assert "two classes must occur in two groups or more" in problem["what"]


def test_no_embeddings_are_asked_for(finished: Run, tmp_path: Path) -> None:
    read = {stem: finished.read(stem) for stem in ("clips", "votes")}
    for run in (replace(finished, folder=tmp_path), with_embeddings(finished, tmp_path, judge=False)):
        written, counts = judge(run, read)
        assert counts == {"clips": 0}
        assert all(table.is_empty() for table in written.values())
