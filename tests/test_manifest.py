from pathlib import Path

from curate.files import write_text
from curate.manifest import Manifest, stage_key


def test_a_stage_is_current_until_its_key_or_its_outputs_change(tmp_path: Path) -> None:
    output = tmp_path / "labels.parquet"
    write_text(output, "rows")
    key = stage_key("labels", {"threshold": 0.8})
    Manifest.load(tmp_path).record("labels", key, [output], {"rows": 1}, 0.5)

    again = Manifest.load(tmp_path)
    assert again.is_current("labels", key)
    assert not again.is_current("labels", stage_key("labels", {"threshold": 0.9}))
    assert not again.is_current("answers", key)
    write_text(output, "other rows")
    assert not again.is_current("labels", key)
    output.unlink()
    assert not again.is_current("labels", key)


def test_keys_do_not_depend_on_the_order_of_their_parts() -> None:
    assert stage_key("a", {"x": 1, "y": 2}) == stage_key("a", {"y": 2, "x": 1})
    assert stage_key("a", {"x": 1}) != stage_key("b", {"x": 1})
