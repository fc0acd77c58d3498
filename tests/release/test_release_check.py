import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import ReleaseError
from curate.release.card_parts import front_matter
from curate.release.check import check_release

LOW = "data/train-low-00000-of-00001.parquet"


@pytest.fixture
def copy(release: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(release, tmp_path / "copy"))


def change(path: Path, column: str, edit: Callable[[list[object]], list[object]]) -> None:
    """Rewrite one column of a Parquet file, its metadata kept."""
    table = pq.read_table(path)
    values = pa.array(edit(table[column].to_pylist()), table.schema.field(column).type)
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, table.schema.field(column), values), path)


def first_becomes(value: object) -> Callable[[list[object]], list[object]]:
    return lambda values: [value, *values[1:]]


def test_an_untouched_release_passes(release: Path) -> None:
    check_release(release)


def test_other_bytes_of_a_clip(copy: Path) -> None:
    path = next(path for path in sorted(copy.glob("data/*")) if pq.read_table(path)["video"].null_count == 0)
    change(path, "video", first_becomes({"bytes": b"cut", "path": "x.mp4"}))
    with pytest.raises(ReleaseError, match="has sha256"):
        check_release(copy)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("label", 7, "column label has 7, expected 0 to 2"),
        ("soft_label", [0.5, 0.1, 0.1], "expected 3 shares, sum 1"),
        ("soft_label", [1.0], "expected 3 shares, sum 1"),
        ("confidence", 1.5, "column confidence has"),
        ("split", "test", "belongs into another file"),
        ("label_given", None, "belongs into another file"),
        ("reliability_split", "high", "belongs into another file"),
        ("clip_id", "no hex", "column clip_id has"),
    ],
)
def test_a_row_that_is_wrong(copy: Path, column: str, value: object, told: str) -> None:
    change(copy / LOW, column, first_becomes(value))
    with pytest.raises(ReleaseError, match=told):
        check_release(copy)


def test_a_clip_twice(copy: Path) -> None:
    table = pq.read_table(copy / LOW)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), copy / LOW)
    with pytest.raises(ReleaseError, match="expected each clip once"):
        check_release(copy)


def test_a_clip_too_few(copy: Path) -> None:
    pq.write_table(pq.read_table(copy / LOW).slice(1), copy / LOW)
    with pytest.raises(ReleaseError, match=r"counts 24 clips, but data/ and pseudo/ hold 23"):
        check_release(copy)


def test_a_column_too_many(copy: Path) -> None:
    table = pq.read_table(copy / "votes/train-00000-of-00001.parquet")
    extra = table.append_column("mood", pa.array(["good"] * table.num_rows))
    pq.write_table(extra, copy / "votes/train-00000-of-00001.parquet")
    with pytest.raises(ReleaseError, match="mood"):
        check_release(copy)


def test_every_problem_is_told_at_once(copy: Path) -> None:
    (copy / "provenance/labels.parquet").unlink()
    (copy / "provenance/frames.parquet").write_bytes(b"PAR1 cut")
    (copy / "metrics.json").write_text("{", encoding="utf-8")
    (copy / "answers/train-00000-of-00001.parquet").unlink()
    (copy / LOW).rename(copy / "data/train-low-00000-of-00002.parquet")
    (copy / "data/extra.parquet").write_bytes(b"")
    with pytest.raises(ReleaseError) as raised:
        check_release(copy)
    for told in (
        "provenance/labels.parquet: is missing",
        "provenance/frames.parquet: cannot be read as Parquet",
        "metrics.json: cannot be read as JSON",
        "config answers: answers/*.parquet matches no file",
        "data/train-low-00001-of-00002.parquet: is missing",
        "data/extra.parquet: is no name of a file with clips",
        "data/extra.parquet: belongs to no config of the card",
    ):
        assert told in str(raised.value)


def test_a_card_without_front_matter(copy: Path) -> None:
    (copy / "README.md").write_text("# Only text\n", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"README.md: front matter cannot be read"):
        check_release(copy)


def test_files_without_features(copy: Path) -> None:
    pq.write_table(pq.read_table(copy / LOW).replace_schema_metadata(None), copy / LOW)
    with pytest.raises(ReleaseError, match="does not name the classes"):
        check_release(copy)


def test_a_schema_that_is_gone(copy: Path) -> None:
    (copy / "provenance/schema/votes.yaml").unlink()
    with pytest.raises(ReleaseError, match=r"has no schema, expected provenance/schema/votes.yaml"):
        check_release(copy)


def test_an_answer_whose_reply_is_gone(copy: Path) -> None:
    path = copy / "provenance/calls.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(ReleaseError, match=r"names 1 calls that provenance/calls.parquet lacks, such as "):
        check_release(copy)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no such folder"):
        check_release(tmp_path / "none")


def test_front_matter_is_the_first_block_only() -> None:
    assert front_matter("---\na: 1\n---\ntext\n---\nb: 2\n---\n") == {"a": 1}


def test_metrics_are_sorted_json(release: Path) -> None:
    text = (release / "metrics.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
