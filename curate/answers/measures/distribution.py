"""An answer as a distribution over its options: had from draws or stated words, and read as a place."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_SEEN = 0.05
"""Options other than "cannot be seen" that hold less than this together tell no place: how so
little is spread among them is mostly noise."""

PSEUDO_DRAWS = 1.0
"""Draws added to those of an answer, spread evenly over the options. With them an option that
was never drawn is unlikely, not impossible."""

EDGE = 1e-6
"""By which an option that was chosen without any confidence is still likelier than the others."""


def expected_and_spread(probs: Floats) -> tuple[Floats, Floats]:
    """Where an ordinal answer lies among the item's options, and how widely it is spread.

    Args:
        probs: Shape (..., n_options), "cannot be seen" last; rows sum to 1.

    Returns:
        Mean and standard deviation of the option's place given that something
        is seen, each of shape (...): in option steps, the first option at 0.
        nan where the options that are seen hold less than `LEAST_SEEN`, and
        where `probs` is nan.

    Source:
        Ours, by the definitions of mean and standard deviation. "Cannot be
        seen" has no place on the scale; counting it as a middle or an end
        would invent one.
    """
    seen = probs[..., :-1]
    mass = seen.sum(axis=-1)
    shares = seen / np.where(mass >= LEAST_SEEN, mass, np.nan)[..., None]
    places = np.arange(seen.shape[-1])
    expected = shares @ places
    variance = (shares * (places - expected[..., None]) ** 2).sum(axis=-1)
    return expected, np.sqrt(variance)


def from_samples(drawn: Ints, n_options: int) -> Floats:
    """Distribution of an answer that was drawn several times.

    Args:
        drawn: Shape (..., n_draws): place of the option of each draw, -1 for a
            draw that named none.
        n_options: "cannot be seen" included.

    Returns:
        Shape (..., n_options): (n_k + 1/K) / (n + 1) with n_k draws of option
        k, n of any and K options. nan where no draw named an option.

    Raises:
        ValueError: A place is not among the options.

    Source:
        Mean of the posterior under a Dirichlet prior of `PSEUDO_DRAWS` in all
        (Perks 1947, Some observations on inverse probability including a new
        indifference rule).
    """
    _check_places(drawn, n_options)
    counts = (drawn[..., None] == np.arange(n_options)).sum(axis=-2)
    total = counts.sum(axis=-1, keepdims=True)
    shares = (counts + PSEUDO_DRAWS / n_options) / (total + PSEUDO_DRAWS)
    return np.where(total > 0, shares, np.nan)


def from_stated(chosen: Ints, confidence: Floats, n_options: int) -> Floats:
    """Distribution of an answer whose confidence the model put into words.

    Args:
        chosen: Place of the chosen option, -1 for none: (...,).
        confidence: As stated, from 0 to 1; nan where nothing was stated: (...,).
        n_options: "cannot be seen" included.

    Returns:
        Shape (..., n_options): the confidence on the chosen option, at least
        1/K and `EDGE` so that it stays the likeliest, and at most 1; the rest
        spread evenly. nan where nothing was chosen or stated.

    Raises:
        ValueError: A place is not among the options.

    Source:
        Ours. What is left is spread evenly since nothing is said of it. Stated
        confidence is too high as a rule (Xiong et al. 2024,
        https://arxiv.org/abs/2306.13063); it is kept as it was told, since what
        an item is worth is learned later from all of its answers.
    """
    _check_places(chosen, n_options)
    sure = np.where(chosen >= 0, np.clip(confidence, 1 / n_options + EDGE, 1.0), np.nan)[..., None]
    is_chosen = chosen[..., None] == np.arange(n_options)
    return np.where(is_chosen, sure, (1 - sure) / (n_options - 1))


def _check_places(places: Ints, n_options: int) -> None:
    if n_options < 2:
        raise ValueError(f"n_options is {n_options}, expected 2 or more")
    if ((places < -1) | (places >= n_options)).any():
        raise ValueError(
            f"places of options must be from 0 to {n_options - 1}, or -1 for none, "
            f"got {places.min()} to {places.max()}"
        )
