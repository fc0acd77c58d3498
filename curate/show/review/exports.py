"""What was handed out for review: kept in the run's folder, so that the random share goes on from there."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from curate.files import write_text


class Export(BaseModel):
    """One export."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: str
    """When, as ISO 8601 in UTC."""
    to: str
    """Where it went."""
    clip_ids: tuple[str, ...]


class Exports(BaseModel):
    """All exports of a run so far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drawn_through: str = ""
    """See `curate.show.review.choose.is_drawn`."""
    exports: tuple[Export, ...] = ()


def read_exports(folder: Path) -> Exports:
    """What was handed out of a run so far.

    Args:
        folder: The run's folder.
    """
    path = _file(folder)
    return Exports.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else Exports()


def keep_export(folder: Path, export: Export, drawn_through: str) -> None:
    """Write down one more export."""
    before = read_exports(folder)
    after = Exports(drawn_through=drawn_through, exports=(*before.exports, export))
    write_text(_file(folder), after.model_dump_json(indent=1) + "\n")


def _file(folder: Path) -> Path:
    return folder / "reviews" / "exports.json"
