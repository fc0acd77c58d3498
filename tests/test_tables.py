from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate import tables
from curate.errors import TableError

CLIP = "0123456789abcdef"


def votes(*labels: str) -> pl.DataFrame:
    return tables.table("votes", [{"clip_id": CLIP, "annotator": "ann", "label": label} for label in labels])


@pytest.mark.parametrize("name", get_args(tables.TableName))
def test_every_column_says_what_it_is(name: tables.TableName) -> None:
    columns = tables.schema(name).columns
    assert all(column.title and column.description for column in columns.values())
    assert tables.validate(name, tables.empty(name)).is_empty()


def test_every_breach_is_told_at_once() -> None:
    frame = votes("calm").with_columns(clip_id=pl.lit("zz"), annotator=pl.lit(None, pl.String))
    with pytest.raises(TableError) as caught:
        tables.validate("votes", frame)
    assert [problem.where for problem in caught.value.problems] == ["clip_id", "annotator"]
    assert "found 'zz' at row 0 (1 in all), expected str_matches" in str(caught.value)


def test_labels_must_be_classes_of_the_recipe() -> None:
    with pytest.raises(TableError, match=r"label: found \['perhaps'\], expected one of \['calm', 'busy'\]"):
        tables.validate("votes", votes("calm", "perhaps"), classes=["calm", "busy"])


def labels_table(posterior: list[float]) -> pl.DataFrame:
    row = {"clip_id": CLIP, "posterior": posterior, "soft_label": [0.5, 0.5], "label_refined": "calm"}
    return tables.table("labels", [{**row, "confidence": 0.5, "why": []}])


@given(st.floats(0, 1))
def test_distributions_must_sum_to_one(share: float) -> None:
    tables.validate("labels", labels_table([share, 1 - share]), classes=["calm", "busy"])
    with pytest.raises(TableError, match="expected a sum of 1"):
        tables.validate("labels", labels_table([share, 1.01 - share]), classes=["calm", "busy"])
    with pytest.raises(TableError, match="expected 3 probabilities a row"):
        tables.validate("labels", labels_table([share, 1 - share]), classes=["a", "calm", "b"])


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.parquet", "two.parquet"):
        tables.write("votes", votes("calm", "busy"), tmp_path / name)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert tables.read("votes", tmp_path / "one.parquet").equals(votes("calm", "busy"))


def test_a_table_that_breaks_its_contract_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TableError):
        tables.write("votes", votes("calm").drop("label"), tmp_path / "votes.parquet")
    assert list(tmp_path.iterdir()) == []
