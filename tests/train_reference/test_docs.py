"""What docs/trainer.md says is so."""

import importlib.util
import re
from pathlib import Path

from train_reference.curriculum.arms import ABLATIONS, ARMS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "trainer.md").read_text(encoding="utf-8")


def test_the_settings_are_those_of_the_code() -> None:
    spec = importlib.util.spec_from_file_location("trainer_settings", ROOT / "docs" / "trainer_settings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.with_settings(PAGE) == PAGE, "run: python docs/trainer_settings.py"


def test_every_arm_is_told() -> None:
    told = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))
    assert told >= {*ARMS, *ABLATIONS}
