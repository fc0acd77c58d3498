"""What an answer owes to an option's place in the list, or to the words alone, and how it is taken off."""

from collections.abc import Sequence

import numpy as np
from scipy.special import softmax

from curate.answers.measures.distribution import Floats

FLOOR = 1e-10
"""Probability that stands for less, so that logarithms are finite (as in PriDe's own code)."""

LEANING = 0.1
"""Pseudo-mass, spread evenly over the options that are seen, that is added to what is answered
without a picture. It decides little where the model guesses and much where it honestly
answers "cannot be seen" and only a trace is left for the rest."""


def cyclic_orders(n_options: int) -> list[tuple[int, ...]]:
    """Every rotation of the options, the one as written first.

    `orders[shift][position]` is the option that stands at that position. "Cannot
    be seen" goes round like any other: only so is every option met once at
    every position, on which `position_prior` and `average_orders` rest.
    """
    return [
        tuple((position + shift) % n_options for position in range(n_options)) for shift in range(n_options)
    ]


def by_position(probs: Floats, orders: Sequence[Sequence[int]]) -> Floats:
    """Probabilities in order of the options, put in the order in which those were listed.

    Args:
        probs: Shape (..., n_orders, n_options).
        orders: As from `cyclic_orders`.
    """
    return np.take_along_axis(probs, np.broadcast_to(np.asarray(orders), probs.shape), axis=-1)


def by_option(probs: Floats, orders: Sequence[Sequence[int]]) -> Floats:
    """Probabilities in the order in which options were listed, put in order of the options.

    Args:
        probs: Shape (..., n_orders, n_positions).
        orders: As from `cyclic_orders`.
    """
    places = np.argsort(np.asarray(orders), axis=-1)
    return np.take_along_axis(probs, np.broadcast_to(places, probs.shape), axis=-1)


def position_prior(probs: Floats) -> Floats:
    """What each position gains by itself, whatever option stands there.

    Args:
        probs: Shape (n_clips, n_orders, n_positions), in order of positions,
            over all `cyclic_orders`. Clips with a nan are left out.

    Returns:
        Shape (n_positions,), sums to 1. Even where no clip was asked in all
        orders: nothing is known, and nothing will be removed.

    Source:
        PriDe (Zheng et al. 2024, https://arxiv.org/abs/2309.03882): of one
        clip, the softmax of the mean over cyclic orders of log p; then the mean
        over clips, as in its published code.
    """
    priors = _clip_priors(probs)
    return priors.mean(axis=0) if len(priors) else np.full(probs.shape[-1], 1 / probs.shape[-1])


def prior_error(probs: Floats) -> Floats:
    """Standard error of each entry of the `position_prior` of the same clips.

    Returns:
        Shape (n_positions,); nan with fewer than two clips asked in all orders.
    """
    priors = _clip_priors(probs)
    if len(priors) < 2:
        return np.full(probs.shape[-1], np.nan)
    return np.asarray(priors.std(axis=0, ddof=1) / np.sqrt(len(priors)))


def remove_position(probs: Floats, prior: Floats) -> Floats:
    """Probabilities without what positions gain by themselves: P(option) ~ P told / P prior.

    Args:
        probs: Shape (..., n_positions), in order of positions. nan stays nan.
        prior: Shape (n_positions,), as from `position_prior`.

    Source:
        As for `position_prior`.
    """
    return np.asarray(softmax(_log(probs) - _log(prior), axis=-1))


def average_orders(probs: Floats) -> Floats:
    """Probabilities of clips that were asked in every cyclic order.

    Args:
        probs: Shape (..., n_orders, n_positions), in order of positions.

    Returns:
        Shape (..., n_options), in order of the options; nan where an order is
        missing, since those that are left do not cancel out.

    Source:
        Ours: the geometric mean, normalised. Where a position multiplies the
        odds by a factor of its own, every option gets every factor once and
        they cancel exactly; in the arithmetic mean, usual elsewhere, they do
        not (`benchmarks/debias.py` compares both).
    """
    logs = by_option(_log(probs), cyclic_orders(probs.shape[-1]))
    return np.asarray(softmax(logs.mean(axis=-2), axis=-1))


def remove_content_free(probs: Floats, no_media: Floats) -> Floats:
    """Probabilities without what the words alone suggest.

    The options that are seen are divided by their shares without a picture and
    scaled to the mass that they held together.

    Args:
        probs: Shape (..., n_options), "cannot be seen" last. nan stays nan.
        no_media: Shape (n_answers, n_options): answers to the same item without
            a picture. Rows with a nan are left out; without rows nothing is
            removed.

    Source:
        Contextual calibration (Zhao et al. 2021,
        https://arxiv.org/abs/2102.09690), W = diag(p)^-1 with p the mean answer
        without content. Ours: "cannot be seen" keeps its probability, since
        without a picture it is the right answer and no bias; and `LEANING`.
    """
    seen, hidden = probs[..., :-1], probs[..., -1:]
    logs = _log(seen) - np.log(_suggested(no_media))
    shares = np.asarray(softmax(logs, axis=-1)) * seen.sum(axis=-1, keepdims=True)
    return np.concatenate([shares, hidden], axis=-1)


def _suggested(no_media: Floats) -> Floats:
    """Share of each option that is seen among answers without a picture, (n_options - 1,): all above 0."""
    rows = no_media[~np.isnan(no_media).any(axis=-1), :-1]
    n_seen = no_media.shape[-1] - 1
    mean = rows.mean(axis=0) if len(rows) else np.zeros(n_seen)
    return np.asarray((mean + LEANING / n_seen) / (mean.sum() + LEANING))


def _clip_priors(probs: Floats) -> Floats:
    """softmax(mean over orders of log p) of each clip that was asked in all orders."""
    asked = probs[~np.isnan(probs).any(axis=(1, 2))]
    return np.asarray(softmax(_log(asked).mean(axis=1), axis=-1))


def _log(probs: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(probs, FLOOR)))
