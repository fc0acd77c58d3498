from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train_reference.curriculum.pacing import admitted, share_in
from train_reference.settings import Curriculum

PACINGS: tuple[Literal["linear", "root", "step"], ...] = ("linear", "root", "step")


@pytest.mark.parametrize(
    ("pacing", "expected"),
    # Stage two from .2 to .6: at .3 a quarter of it is over.
    [("linear", 0.25), ("root", 0.5), ("step", 1 / 3)],
)
def test_a_quarter_into_stage_two(pacing: Literal["linear", "root", "step"], expected: float) -> None:
    settings = Curriculum(pacing=pacing, begins=0.2, ends=0.6)
    assert share_in(0.3, settings) == pytest.approx(expected)
    assert share_in(0.19, settings) == 0
    assert share_in(0.6, settings) == 1


@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), max_size=30),
    st.sampled_from(PACINGS),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_laws(
    clips: list[tuple[float, bool]], pacing: Literal["linear", "root", "step"], first: float, second: float
) -> None:
    settings = Curriculum(pacing=pacing)
    reliability = np.array([one for one, _ in clips], dtype=np.float32)
    is_high = np.array([high for _, high in clips], dtype=np.bool_)
    early, late = (admitted(reliability, is_high, at, settings) for at in sorted((first, second)))
    assert not (early & ~late).any()  # who is in stays in
    assert early[is_high].all()
    assert not admitted(reliability, is_high, 0.0, settings)[~is_high].any()
    assert admitted(reliability, is_high, 1.0, settings).all()
    out, within = reliability[~late & ~is_high], reliability[late & ~is_high]
    assert not len(out) or not len(within) or within.min() >= out.max()  # the surest come first
