"""What a run did: stages, their inputs and outputs by hash, versions, counts, timings."""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from curate.files import sha256_of, write_text

_PACKAGES = (
    "curate",
    "numpy",
    "polars",
    "pyarrow",
    "av",
    "pillow",
    "datasets",
    "pandera",
    "transformers",
    "torch",
)


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One finished stage."""

    key: str
    """sha256 over everything that decides the stage's outputs."""
    outputs: dict[str, str]
    """File within the run's folder to the sha256 of its bytes."""
    counts: dict[str, int]
    """Rows written, clips set aside, calls made and the like."""
    duration_s: float
    """How long the stage took when it last ran."""


@dataclass(slots=True)
class Manifest:
    """The record of one run's folder, kept in manifest.json."""

    folder: Path
    facts: dict[str, object] = field(default_factory=dict)
    stages: dict[str, StageRecord] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """The folder's manifest, or an empty one where there is none."""
        path = folder / "manifest.json"
        if not path.exists():
            return cls(folder)
        raw = json.loads(path.read_text(encoding="utf-8"))
        stages = {name: StageRecord(**record) for name, record in raw.pop("stages").items()}
        return cls(folder, raw, stages)

    def is_current(self, stage: str, key: str) -> bool:
        """Whether the stage ran with this very key and its outputs are still as it left them."""
        record = self.stages.get(stage)
        if record is None or record.key != key:
            return False
        paths = {self.folder / name: digest for name, digest in record.outputs.items()}
        return all(path.is_file() and sha256_of(path) == digest for path, digest in paths.items())

    def record(
        self, stage: str, key: str, outputs: Sequence[Path], counts: Mapping[str, int], duration_s: float
    ) -> None:
        """Keep what a stage did, and write the manifest at once."""
        digests = {path.relative_to(self.folder).as_posix(): sha256_of(path) for path in outputs}
        self.stages[stage] = StageRecord(key, digests, dict(counts), round(duration_s, 3))
        self.save()

    def output_digest(self, name: str) -> str:
        """sha256 of an output by its file name; empty if no stage wrote it."""
        return next((stage.outputs[name] for stage in self.stages.values() if name in stage.outputs), "")

    def digests_in(self, folder: str) -> dict[str, str]:
        """sha256 of every output in a folder within the run's, by name."""
        outputs = (output for stage in self.stages.values() for output in stage.outputs.items())
        return {name: digest for name, digest in outputs if name.startswith(f"{folder}/")}

    def save(self) -> None:
        """Write manifest.json."""
        write_text(self.folder / "manifest.json", json.dumps(self.as_dict(), indent=1, sort_keys=True) + "\n")

    def as_dict(self) -> dict[str, object]:
        """Everything, as plain JSON."""
        stages = {
            name: {"key": r.key, "outputs": r.outputs, "counts": r.counts, "duration_s": r.duration_s}
            for name, r in self.stages.items()
        }
        return {**self.facts, "stages": stages}


def stage_key(stage: str, parts: Mapping[str, object]) -> str:
    """sha256 over the stage's name and everything that decides its outputs."""
    text = json.dumps({"stage": stage, **parts}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a run's numbers, as far as installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
