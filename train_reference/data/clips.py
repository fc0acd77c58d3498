"""The clips of a release with everything that is known of their labels, as aligned arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_LABEL = -1


@dataclass(frozen=True, slots=True)
class Clips:
    """All clips of a release, labelled or not; row i of every array is clip i."""

    classes: tuple[str, ...]
    is_ordinal: bool
    """Whether the classes are ordered."""
    clip_ids: tuple[str, ...]
    splits: NDArray[np.str_]
    """`train`, `validation` or `test`."""
    groups: NDArray[np.str_]
    """Subject or source; the clip's own id where none is known."""
    given: NDArray[np.int64]
    """The label that came with the data, `NO_LABEL` where none did."""
    label: NDArray[np.int64]
    """The refined label; `NO_LABEL` where none was given, as what is said of those is a pseudo-label."""
    soft: NDArray[np.float32]
    """Shape (n_clips, n_classes), rows sum to 1, but NaN where nothing is known."""
    reliability: NDArray[np.float32]
    """Probability that the given label is right; NaN where none was given."""
    is_high: NDArray[np.bool_]
    """Whether the clip is in the high-reliability split."""
    pseudo: NDArray[np.int64]
    """Label of a clip that came without one, `NO_LABEL` elsewhere."""
    pseudo_confidence: NDArray[np.float32]
    """NaN where there is no pseudo-label."""
    pseudo_accepted: NDArray[np.bool_]
    transcripts: tuple[str | None, ...]

    def __len__(self) -> int:
        """Number of clips."""
        return len(self.clip_ids)

    def rows(self, split: str) -> NDArray[np.int64]:
        """Rows of the clips of one split."""
        return np.flatnonzero(self.splits == split)
