from pathlib import Path

import yaml

from train_reference.data.release import open_release
from train_reference.evaluation.card import card
from train_reference.evaluation.comparison import Interval
from train_reference.models.student import StudentConfig
from train_reference.settings import Settings
from train_reference.trained_config import TrainedConfig


def test_what_it_says(release: Path) -> None:
    student = StudentConfig(encoders={"keypoints": "keypoints"}, widths_in={"keypoints": 685}, n_outputs=3)
    config = TrainedConfig(
        classes=("low", "middle", "high"), student=student, settings=Settings(arm="soft", seed=7)
    )
    measured = {"macro_f1": Interval(0.8123, 0.7, 0.9, 0.8, 0.82)}
    text = card(config, open_release(str(release)), measured, 12, 2, "truth.csv")
    head = yaml.safe_load(text.split("---")[1])
    assert head["library_name"] == "pytorch"
    assert "keypoints" in head["tags"]
    assert "| macro-F1 | 0.812 | 0.700 to 0.900 |" in text
    assert "On 12 test clips of 2 subjects or sources" in text
    assert "against truth.csv" in text
    assert "arm `soft`, seed 7" in text
    assert "low, middle, high" in text
    assert "Do not decide about a person by it" in text
