"""Checkpoints: everything that the next step depends on, as safetensors and JSON, never pickle."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from train_reference.errors import Problem, TrainError, in_short

STATE, TENSORS = "state.json", "state.safetensors"
Tensors = dict[str, torch.Tensor]


def write_checkpoint(folder: Path, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
    """Replace a checkpoint as a whole: whoever is killed on the way leaves the one before.

    Args:
        folder: Where it lies; made if need be.
        tensors: By name.
        facts: What JSON can hold.
    """
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(taken(tensors), partial / TENSORS)
    (partial / STATE).write_text(json.dumps(facts, indent=1), encoding="utf-8")
    old = folder.with_name(folder.name + ".old")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.replace(old)
    partial.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def read_checkpoint(folder: Path) -> tuple[Tensors, dict[str, Any]] | None:
    """What was written last; None if nothing was.

    Raises:
        TrainError: It is damaged.
    """
    if not folder.exists():
        folder = folder.with_name(folder.name + ".old")  # killed between two renames
    if not folder.exists():
        return None
    try:
        facts = json.loads((folder / STATE).read_text(encoding="utf-8"))
        return load_file(folder / TENSORS), facts
    except (OSError, ValueError, SafetensorError) as error:
        what = f"is damaged ({in_short(error)})"
        raise TrainError(
            "checkpoint", [Problem(str(folder), what, "Remove this folder to begin anew")]
        ) from error


def taken(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """A copy that no later step changes, on the CPU."""
    return {name: one.detach().to("cpu", copy=True).contiguous() for name, one in tensors.items()}


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> Tensors:
    """The optimiser's averages by parameter number and name; steps as well."""
    state: dict[int, dict[str, torch.Tensor]] = optimiser.state_dict()["state"]
    return {
        f"optimiser.{n}.{name}": torch.as_tensor(one) for n, row in state.items() for name, one in row.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Put back what `optimiser_tensors` took out."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, one in tensors.items():
        if key.startswith("optimiser."):
            _, number, name = key.split(".", 2)
            state.setdefault(int(number), {})[name] = one
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
