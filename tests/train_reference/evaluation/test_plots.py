from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train_reference.evaluation import plots
from train_reference.evaluation.comparison import compare

TRUTH = np.arange(40) % 4
SAID = np.random.default_rng(0).dirichlet(np.ones(4), 40).astype(np.float32)
GROUPS = np.array([f"subject {k // 4}" for k in range(40)])


@pytest.mark.parametrize("name", ["confusion", "calibration", "curves", "arms"])
def test_pictures_are_drawn(name: str, tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    if name == "confusion":
        plots.confusion_matrix(SAID, TRUTH, ["not engaged", "barely", "engaged", "highly engaged"], path)
    elif name == "calibration":
        plots.calibration(SAID, TRUTH, path)
    elif name == "curves":
        rows = [
            {"phase": phase, "step": step, "loss": 1 / (1 + step), "macro_f1": step / 9}
            for phase in ("images alone", "keypoints alone", "joint")
            for step in range(5)
        ]
        plots.curves(rows, path)
    else:
        plots.arms(compare({"given": [SAID], "curriculum": [SAID]}, TRUTH, GROUPS, [0]), path)
    colours = Image.open(path).convert("RGB").getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 20
