"""What a picture looks like, small enough to hold beside all others.

Source:
    The hash is the one that is known as pHash: the signs of the lowest frequencies of the discrete
    cosine transform of a small grey picture (Zauner 2010, Implementation and benchmarking of
    perceptual image hash functions, section 3.2.1). The second look beside it is ours.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

SIDE_PX = 32
"""Side of the grey square that a picture is brought to."""
_LOWEST = 8
N_BITS = _LOWEST * _LOWEST

Bits = NDArray[np.bool_]
Looks = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ClipBits:
    """The hashes of many clips' pictures, one after the other."""

    clip: NDArray[np.int64]
    """Place of the clip that a picture belongs to: (n_pictures,), rising."""
    bits: Bits
    """(n_pictures, 64)"""


def look(picture: bytes) -> Looks:
    """Grey levels of a picture, whatever its shape and light: (32 * 32,), mean 0, length 1 (or 0)."""
    with Image.open(io.BytesIO(picture)) as opened:
        opened.draft("L", (2 * SIDE_PX, 2 * SIDE_PX))  # a JPEG is decoded no larger than need be
        grey = np.asarray(opened.convert("L").resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX), np.float32)
    departure = (grey - grey.mean()).ravel()
    length = float(np.linalg.norm(departure))
    # A grey level is known to one: a picture that is all one grey says nothing of what it shows.
    return departure / length if length > SIDE_PX else np.zeros_like(departure)


def bits_of(looks: Looks) -> Bits:
    """Whether each low frequency is above the median of them all: (n_pictures, 64).

    Args:
        looks: (n_pictures, 32 * 32).
    """
    squares = looks.reshape(-1, SIDE_PX, SIDE_PX)
    spectrum = dctn(squares, axes=(1, 2), norm="ortho")[:, : _LOWEST + 1, : _LOWEST + 1]
    lowest = spectrum.reshape(len(squares), (_LOWEST + 1) ** 2)[:, 1 : N_BITS + 1]  # without the mean
    found: Bits = lowest > np.median(lowest, axis=1, keepdims=True)
    return found


def clip_bits(bits: Sequence[Bits]) -> ClipBits:
    """The hashes of each clip, (n_pictures, 64) each, one clip after the other."""
    clip = np.repeat(np.arange(len(bits)), [len(one) for one in bits])
    return ClipBits(clip, np.concatenate([np.zeros((0, N_BITS), np.bool_), *bits]))
