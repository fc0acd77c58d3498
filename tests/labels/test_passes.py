import numpy as np
import polars as pl
import pytest

from curate.labels import passes as module
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit


def test_where_clips_are_cut_into_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "clip_id": [f"{n:02}" for n in range(40) for _ in range(3)],
            "instrument": ["ann", "bob", "eve"] * 40,
            "outcome": rng.choice(["a", "b", "c"], 120).tolist(),
        }
    )
    evidence = evidence_from_frame(frame, ["a", "b", "c"], clip_ids=["silent"])
    whole = fit(evidence).probabilities
    monkeypatch.setattr(module, "TOGETHER", 7)
    assert fit(evidence).probabilities == pytest.approx(whole, abs=1e-12)
