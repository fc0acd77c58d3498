from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_reference.data.sequences import SequencesWriter, are_there, open_sequences
from train_reference.errors import TrainError


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_what_was_written_is_read_padded(
    lengths: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = np.random.default_rng(seed)
    steps = {f"clip {k}": rng.normal(size=(n, 2)).astype(np.float32) for k, n in enumerate(lengths)}
    folder = tmp_path_factory.mktemp("sequences") / "there"
    with SequencesWriter(folder, 2, "float32") as writer:
        for clip in rng.permutation(list(steps)):  # the order in which they come does not matter
            writer.add(str(clip), steps[str(clip)])
        found = writer.close(list(steps))
    rows = rng.integers(len(lengths), size=3)
    padded = found.gather(rows)
    assert found.lengths.tolist() == lengths
    for place, row in enumerate(rows):
        n = lengths[row]
        assert padded.lengths[place] == n
        np.testing.assert_array_equal(padded.values[place, :n].numpy(), steps[f"clip {row}"])
        assert not padded.values[place, n:].any()
    assert padded.is_full == (len({lengths[row] for row in rows}) == 1 and lengths[rows[0]] > 0)


def test_token_ids_stay_whole_numbers(tmp_path: Path) -> None:
    with SequencesWriter(tmp_path / "text", None, "int64") as writer:
        writer.add("a", np.array([7, 8, 2**40]))
        found = writer.close(["b", "a"])
    assert found.gather(np.array([0, 1])).values.tolist() == [[0, 0, 0], [7, 8, 2**40]]
    assert found.width == 1


def test_they_are_mapped_and_not_there_before_the_end(tmp_path: Path) -> None:
    with SequencesWriter(tmp_path / "s", 1, "float16") as writer:
        writer.add("a", np.ones((3, 1)))
        assert not are_there(tmp_path / "s")
        writer.close(["a"])
    assert are_there(tmp_path / "s")
    assert isinstance(open_sequences(tmp_path / "s")._values, np.memmap)


@pytest.mark.parametrize(
    ("kind", "value"), [("float32", float("nan")), ("float32", float("inf")), ("float16", 1e6)]
)
def test_what_is_not_finite_is_named(kind: str, value: float, tmp_path: Path) -> None:
    said = r"clip a: gaze_y at step 1 is (nan|inf), and 0 more are no finite numbers"
    writer = SequencesWriter(tmp_path / "s", 2, kind, ("gaze_x", "gaze_y"))
    with writer, pytest.raises(TrainError, match=said):
        writer.add("a", np.array([[0, 1], [2, value]]))
    assert list(tmp_path.iterdir()) == []
