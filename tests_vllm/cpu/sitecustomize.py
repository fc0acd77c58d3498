"""Lets torchvision be imported beside a torch without CUDA. Python runs it if this folder is on its path.

torchvision registers what its operators `nms` and `qnms` are of, and needs them
to be declared for that. Its compiled part declares them, and cannot be loaded
without CUDA; so they are declared here, just before. Neither is ever called.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_OPERATORS = ("nms", "qnms")
_SHAPE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class _BeforeTorchvision(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Declare the operators when torchvision is looked for, and leave finding it to the others."""
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            import torch

            if torch.version.cuda is None:
                for operator in _OPERATORS:
                    torch.library.define(f"torchvision::{operator}", _SHAPE)
        return None


sys.meta_path.insert(0, _BeforeTorchvision())
