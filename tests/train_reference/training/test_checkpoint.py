from pathlib import Path

import pytest
import torch

from train_reference.errors import TrainError
from train_reference.settings import Optimiser
from train_reference.training.checkpoint import (
    optimiser_tensors,
    read_checkpoint,
    restore_optimiser,
    write_checkpoint,
)
from train_reference.training.optimiser import make_optimiser, set_rate


def test_there_and_back(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / "c") is None
    tensor = torch.randn(3, 2)
    write_checkpoint(tmp_path / "c", {"a": tensor}, {"step": 3})
    write_checkpoint(tmp_path / "c", {"a": tensor.T}, {"step": 4})
    found = read_checkpoint(tmp_path / "c")
    assert found is not None
    assert torch.equal(found[0]["a"], tensor.T)
    assert found[1] == {"step": 4}
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_killed_between_the_two_renames(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "c", {}, {"step": 3})
    (tmp_path / "c").rename(tmp_path / "c.old")
    (tmp_path / "c.partial").mkdir()
    found = read_checkpoint(tmp_path / "c")
    assert found is not None
    assert found[1] == {"step": 3}


@pytest.mark.parametrize("name", ["state.json", "state.safetensors"])
def test_a_damaged_one_is_named(name: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "c", {"a": torch.ones(9)}, {"step": 3})
    (tmp_path / "c" / name).write_bytes(b"{")
    with pytest.raises(TrainError, match=r"c: is damaged .*Remove this folder to begin anew"):
        read_checkpoint(tmp_path / "c")


def test_an_optimiser_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    def steps(model: torch.nn.Module, optimiser: torch.optim.Optimizer, n: int) -> None:
        for _ in range(n):
            model(torch.ones(1, 3)).square().sum().backward()
            optimiser.step()
            optimiser.zero_grad()

    torch.manual_seed(0)
    first = torch.nn.Linear(3, 2)
    optimiser = make_optimiser(first, Optimiser())
    steps(first, optimiser, 3)
    write_checkpoint(tmp_path / "c", {**first.state_dict(), **optimiser_tensors(optimiser)}, {})
    steps(first, optimiser, 2)
    found = read_checkpoint(tmp_path / "c")
    assert found is not None
    second = torch.nn.Linear(3, 2)
    second.load_state_dict({name: found[0][name] for name in ("weight", "bias")})
    other = make_optimiser(second, Optimiser())
    restore_optimiser(other, found[0])
    steps(second, other, 2)
    assert torch.equal(second.weight, first.weight)


def test_vectors_do_not_decay_and_a_text_encoder_learns_slowly() -> None:
    model = torch.nn.ModuleDict({"encoders": torch.nn.ModuleDict({"text": torch.nn.Module()})})
    text = model["encoders"]["text"]  # type: ignore[index]
    text.encoder, text.to_width = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    optimiser = make_optimiser(model, Optimiser(learning_rate=1.0, text_learning_rate=0.1, weight_decay=0.5))
    found = {(group["lr"], group["weight_decay"]) for group in optimiser.param_groups}
    assert found == {(1.0, 0.5), (1.0, 0.0), (0.1, 0.5), (0.1, 0.0)}
    set_rate(optimiser, 0.5)
    assert {group["lr"] for group in optimiser.param_groups} == {0.5, 0.05}
