"""A reference trainer for releases of curate: from reliable to doubtful, soft labels, several modalities.

It reads a release and nothing else: nothing of curate is imported.
"""

from train_reference.trained import Trained, load

__all__ = ["Trained", "load"]
