import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from train_reference.data.buckets import batches


@given(
    st.lists(st.integers(1, 99), min_size=1, max_size=60),
    st.integers(1, 9),
    st.integers(1, 5),
    st.integers(0, 9),
)
def test_every_row_once_and_the_same_for_a_seed(
    lengths: list[int], size: int, window: int, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(lengths))
    found = batches(order, np.array(lengths), size, np.random.default_rng(seed), window)
    again = batches(order, np.array(lengths), size, np.random.default_rng(seed), window)
    assert sorted(np.concatenate(found)) == sorted(order)
    assert all(len(batch) <= size for batch in found)
    assert [batch.tolist() for batch in found] == [batch.tolist() for batch in again]


def test_little_is_padding() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 1000, 640)

    def padding(window: int) -> float:
        found = batches(rng.permutation(640), lengths, 32, rng, window)
        filled = sum(lengths[batch].max() * len(batch) for batch in found)
        return float(1 - lengths.sum() / filled)

    # A batch of random lengths is half empty, as its longest clip has about twice the mean length.
    assert padding(1) > 0.4
    assert padding(16) < 0.1
