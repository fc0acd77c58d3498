"""The learning rate over a phase: pure."""

from math import cos, pi


def rate(step: int, n_steps: int, warm_up: float) -> float:
    """Share of the full learning rate: up evenly, then down by half a cosine (SGDR without restarts).

    Args:
        step: From 0.
        n_steps: Of the phase, at least 1.
        warm_up: Share of the steps that lead up; at least one step does.

    Returns:
        In (0, 1]; 1 right after the warm-up.

    Source:
        Loshchilov & Hutter (2017), SGDR, section 3, https://arxiv.org/abs/1608.03983
    """
    n_up = max(1, round(warm_up * n_steps))
    if step < n_up:
        return (step + 1) / n_up
    return 0.5 * (1 + cos(pi * (step - n_up + 1) / (n_steps - n_up + 1)))
