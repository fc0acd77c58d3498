import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import ReleaseError
from curate.release.compare.version import Level, Version, settle_version

VERSIONS = st.builds(Version, *(st.integers(0, 50) for _ in range(3)))
LEVELS: list[Level] = ["major", "minor", "patch"]


@given(VERSIONS)
def test_text_and_back(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(VERSIONS, st.sampled_from(LEVELS))
def test_a_raised_version_is_later(version: Version, level: Level) -> None:
    assert version.raised(level) > version


def test_levels() -> None:
    version = Version(1, 2, 3)
    assert [str(version.raised(level)) for level in (*LEVELS, None)] == ["2.0.0", "1.3.0", "1.2.4", "1.2.3"]


@pytest.mark.parametrize("text", ["1.2", "v1.2.0", "1.2.0-rc1", "01.2.0", ""])
def test_other_text_is_no_version(text: str) -> None:
    with pytest.raises(ReleaseError, match="is no version"):
        Version.parse(text)


@pytest.mark.parametrize(
    ("asked", "previous", "level", "settled"),
    [
        ("auto", None, None, "1.0.0"),
        ("2.5.0", None, None, "2.5.0"),
        ("auto", "1.2.3", "minor", "1.3.0"),
        ("auto", "1.2.3", None, "1.2.3"),
        ("2.0.0", "1.2.3", "minor", "2.0.0"),  # more than need be is a person's choice
    ],
)
def test_the_version_that_is_settled_on(
    asked: str, previous: str | None, level: Level | None, settled: str
) -> None:
    assert settle_version(asked, previous, level) == settled


def test_a_version_that_is_too_low_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"a major change since 1\.2\.3, which asks for 2\.0\.0 or more"):
        settle_version("1.3.0", "1.2.3", "major")
    with pytest.raises(ReleaseError, match=r"no change since 1\.2\.3, which asks for 1\.2\.3 or more"):
        settle_version("1.0.0", "1.2.3", None)
