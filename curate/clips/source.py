"""The clips that a recipe names, before their media is looked at."""

from dataclasses import dataclass

from curate.clips.classes import Classes
from curate.clips.dataset import dataset_clips, load_splits
from curate.clips.finding import Finding
from curate.clips.folder import folder_clips
from curate.clips.media import FolderStore, MediaStore, dataset_store
from curate.clips.raw import RawClip
from curate.recipe import Clips, FolderClips


@dataclass(frozen=True, slots=True)
class Source:
    """Clips by name, and where their media is; a clip's position here stands for it in label files."""

    raw: tuple[RawClip, ...]
    store: MediaStore
    findings: tuple[Finding, ...] = ()


def open_source(clips: Clips, classes: Classes) -> Source:
    """List the clips of a folder or dataset.

    Raises:
        InputError: The folder, dataset or a column is not there.
    """
    if isinstance(clips, FolderClips):
        raw, findings = folder_clips(clips.path)
        return Source(tuple(raw), FolderStore(clips.path), tuple(findings))
    splits = load_splits(clips)
    raw, findings = dataset_clips(clips, splits, classes)
    return Source(tuple(raw), dataset_store(splits, clips.media), tuple(findings))
