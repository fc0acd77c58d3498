import pytest
import torch

from train_reference.models.attention import Block, rotary_turns, turned


def test_rotary_products_depend_on_the_distance_alone() -> None:
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 8, dtype=torch.float64)
    turns = tuple(each.double() for each in rotary_turns(20, 8, torch.device("cpu")))
    at_all = [turned(each.expand(1, 1, 20, 8), (turns[0], turns[1]))[0, 0] for each in (query, key)]
    products = at_all[0] @ at_all[1].T  # (20, 20): query's place, key's place
    for distance in range(-5, 6):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand(len(along)), atol=1e-5, rtol=0)
    # A turn changes no length.
    torch.testing.assert_close(at_all[0].norm(dim=-1), query.norm().expand(20), atol=1e-6, rtol=0)


def test_masked_tokens_are_not_looked_at() -> None:
    torch.manual_seed(0)
    block, tokens = Block(8, 2, 0.5).eval(), torch.randn(1, 5, 8)
    turns = rotary_turns(5, 4, torch.device("cpu"))
    allowed = torch.tensor([True, True, True, False, False])[None, None, None]
    before = block(tokens, turns, allowed)
    tokens[:, 3:] = 100.0
    torch.testing.assert_close(block(tokens, turns, allowed)[:, :3], before[:, :3])


def test_a_width_that_heads_do_not_divide() -> None:
    with pytest.raises(ValueError, match="width 12 must be a multiple of twice n_heads, which is 8"):
        Block(12, 4, 0.0)
