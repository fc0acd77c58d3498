from types import ModuleType

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.release.pseudonyms import pseudonym, pseudonymised, pseudonyms


@given(st.text(max_size=30), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_pseudonym_is_the_same_under_one_key_alone(name: str, key: bytes, other: bytes) -> None:
    assert pseudonym(name, key) == pseudonym(name, key)
    assert (pseudonym(name, key) == pseudonym(name, other)) == (key == other)


def test_a_known_value() -> None:
    # printf ada | openssl dgst -sha256 -mac HMAC -macopt hexkey:6b6b… (32 times)
    assert pseudonym("ada", b"k" * 32) == "annotator-a8b373bd9a"


def test_no_table_names_anybody(synthetic: ModuleType) -> None:
    tables = synthetic.make().content.tables
    said = pl.DataFrame(
        {"where": ["v"], "clip": ["c"], "kind": ["votes"], "what": ["'ada' voted twice"], "action": ["read"]}
    )
    names = pseudonyms(tables, b"k" * 32)
    found = pseudonymised(
        tables.__class__(**{**{f: getattr(tables, f) for f in tables.__slots__}, "problems": said}), names
    )
    assert set(found.votes["annotator"]) == set(names.values())
    for frame in (
        found.votes,
        found.evidence,
        found.instruments,
        found.confusions,
        found.labels,
        found.problems,
    ):
        text = frame.write_json()
        assert "vote:ada" not in text
        assert "'ada'" not in text
    assert set(found.evidence["instrument"]) >= {f"vote:{name}" for name in names.values()}
    assert found.labels["why"][0].to_list()[1]["instrument"] == f"vote:{names['ada']}"
    assert found.labels["why"].dtype == tables.labels["why"].dtype


def test_two_people_never_share_one(synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    from curate.errors import ReleaseError

    monkeypatch.setattr("curate.release.pseudonyms.pseudonym", lambda name, key: "annotator-0")
    with pytest.raises(ReleaseError, match="same pseudonym"):
        pseudonyms(synthetic.make().content.tables, b"")
