import pytest

from train_reference.errors import TrainError
from train_reference.settings import Settings, keys, read_settings


def test_values_are_read_as_they_are_meant() -> None:
    settings = read_settings(
        [
            "modalities=keypoints,text",
            "optimiser.learning_rate=1e-4",
            "model.width=64",
            "compile=on",
            "precision=no",
            "features.columns=AU",
            "schedule.patience=3",
            "drop=true",
        ]
    )
    assert settings.modalities == ("keypoints", "text")
    assert settings.optimiser.learning_rate == 1e-4
    assert (settings.model.width, settings.compile, settings.precision) == (64, "on", "no")
    assert (settings.features.columns, settings.schedule.patience, settings.drop) == (("AU",), 3, True)
    assert read_settings([]) == Settings()


def test_all_problems_at_once() -> None:
    with pytest.raises(TrainError) as error:
        read_settings(["schedule.epoch=1", "x", "model.dropout=2", "modle.width=3", "modalities=faces"])
    said = str(error.value)
    assert said.startswith("settings: 5 to fix")
    assert "schedule.epoch: unknown setting. Did you mean schedule.epochs?" in said
    assert "x: is no setting. Write key=value" in said
    assert "model.dropout: input should be less than 1" in said
    assert "modle: unknown setting. Did you mean model?" in said
    assert "modalities.0: input should be 'images', 'keypoints', 'features' or 'text'" in said


def test_settings_survive_json() -> None:
    settings = read_settings(["arm=soft", "modalities=text"])
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_every_key_is_named_with_dots() -> None:
    assert {"arm", "model.width", "curriculum.pacing"} <= set(keys())
