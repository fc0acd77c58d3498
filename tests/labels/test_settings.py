import pytest

from curate.errors import InputError
from curate.labels.settings import Settings


def test_every_wrong_value_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Settings(rule="certficate", threshold=7, error=2, soft_votes=0)  # type: ignore[arg-type]
    told = str(caught.value)
    assert "rule: got 'certficate', expected one of threshold, quota, certificate, agreement" in told
    assert "threshold: got 7, expected a number from 0 to 1" in told
    assert "error: got 2, expected a number between 0 and 1" in told
    assert "soft_votes: got 0, expected at least 1" in told
