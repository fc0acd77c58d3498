"""Which files make which config of a release, as the card's front matter tells load_dataset."""

from pathlib import Path
from typing import Any

from curate.clips.split_names import SPLIT_NAMES
from curate.sequences.shapes import SEQUENCES

_GLOBS = {
    "default": "data/{split}-*.parquet",
    "high_reliability": "data/{split}-high-*.parquet",
    "low_reliability": "data/{split}-low-*.parquet",
    "pseudo_labeled": "pseudo/{split}-*.parquet",
}
LONG = ("answers", "votes", *SEQUENCES)
"""Long tables, a config each."""


def configs_of(folder: Path) -> list[dict[str, Any]]:
    """The configs that have files; an empty glob would break load_dataset, so the rest is left out."""
    clips = {
        name: _files(folder, {split: glob.format(split=split) for split in SPLIT_NAMES})
        for name, glob in _GLOBS.items()
    }
    long = {name: _files(folder, {"train": f"{name}/*.parquet"}) for name in LONG}
    return [{"config_name": name, "data_files": files} for name, files in (clips | long).items() if files]


def _files(folder: Path, globs: dict[str, str]) -> list[dict[str, str]]:
    return [{"split": split, "path": glob} for split, glob in globs.items() if any(folder.glob(glob))]
