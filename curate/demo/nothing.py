"""Draws pictures that show nobody, so that the model learns to say "cannot be seen"."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from curate.demo.pen import UNITS, Colour, Pen
from curate.demo.people import draw_person, draw_setting
from curate.demo.scenes import SIZE, draw_room


def draw_nothing(n_pictures: int, rng: np.random.Generator) -> list[Image.Image]:
    """Some pictures of one thing that is not a person; often all the same, as in a still clip."""
    kind = _KINDS[int(rng.integers(len(_KINDS)))]
    first = kind(rng)
    if rng.random() < 0.5:
        return [first] * n_pictures
    drift = int(rng.integers(-12, 13))
    if rng.random() < 0.5:
        shifted = np.asarray(first)
        return [Image.fromarray(np.roll(shifted, drift * k, axis=1)) for k in range(n_pictures)]
    return [first, *(kind(rng) for _ in range(n_pictures - 1))]


def _noise(rng: np.random.Generator) -> Image.Image:
    """Blobs of colour, from grains to clouds, as in blurred photographs."""
    grid = int(rng.choice((3, 5, 8, 16, 48)))
    spread = rng.uniform(10, 90)
    pixels = (
        rng.uniform(40, 215, 3)
        + rng.normal(0, spread, (grid, grid, 1))
        + rng.normal(0, spread / 2, (grid, grid, 3))
    )
    return _image(pixels).resize((SIZE, SIZE), Image.Resampling.BICUBIC)


def _layered(rng: np.random.Generator) -> Image.Image:
    """Coarse clouds under finer and finer ones: the look of a photograph without its things."""
    total: NDArray[np.float64] = np.zeros((SIZE, SIZE, 3)) + rng.uniform(60, 200, 3)
    for grid in (3, 7, 15, 31, 63):
        coarse = rng.normal(0, 1, (grid, grid, 1)) + 0.4 * rng.normal(0, 1, (grid, grid, 3))
        layer = _image(128 + 40 * coarse).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        total += (np.asarray(layer, dtype=np.float64) - 128) * rng.uniform(0.3, 1.2)
    return _image(total)


def _gradient(rng: np.random.Generator) -> Image.Image:
    ends = rng.uniform(0, 255, (2, 3))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0 : 1 : SIZE * 1j, 0 : 1 : SIZE * 1j]
    along = np.clip(0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle), 0, 1)[..., None]
    return _image(ends[0] * along + ends[1] * (1 - along))


def _landscape(rng: np.random.Generator) -> Image.Image:
    image = _gradient(rng)
    pen = Pen(ImageDraw.Draw(image), SIZE / UNITS)
    for k in range(int(rng.integers(1, 4))):
        level = 26 + 12 * k
        ridge = [(x, level + rng.normal(0, 5)) for x in np.linspace(0, UNITS, int(rng.integers(4, 12)))]
        pen.polygon([(0, UNITS), *ridge, (UNITS, UNITS)], _colour(rng))
    return image


def _shapes(rng: np.random.Generator) -> Image.Image:
    image = _gradient(rng) if rng.random() < 0.5 else _noise(rng)
    pen = Pen(ImageDraw.Draw(image), SIZE / UNITS)
    for _ in range(int(rng.integers(2, 14))):
        x, y, a, b = rng.uniform(0, UNITS, 2).tolist() + rng.uniform(2, 18, 2).tolist()
        shape = int(rng.integers(3))
        if shape == 0:
            pen.ellipse((x, y), (a, b), _colour(rng))
        elif shape == 1:
            pen.moved(x, y, float(rng.uniform(0, 90))).rectangle(-a, -b, a, b, _colour(rng))
        else:
            pen.line([(x, y), (y, x), (a * 3, b * 3)], 0.5 + a / 4, _colour(rng))
    return image


def _scribble(rng: np.random.Generator) -> Image.Image:
    """Rows of marks, as on a screen or a page."""
    image = Image.new("RGB", (SIZE, SIZE), _colour(rng))
    pen = Pen(ImageDraw.Draw(image), SIZE / UNITS)
    ink, gap = _colour(rng), float(rng.uniform(3, 9))
    for y in np.arange(3, UNITS - 2, gap):
        x = 4.0
        while x < UNITS - 6:
            width = float(rng.uniform(1, 9))
            pen.line([(x, float(y)), (min(x + width, UNITS - 4), float(y))], gap * 0.3, ink)
            x += width + gap * 0.6
    return image


def _empty_room(rng: np.random.Generator) -> Image.Image:
    setting = draw_setting(rng)
    room = draw_room(setting)
    if rng.random() < 0.5:
        Pen(ImageDraw.Draw(room), room.width / UNITS).rectangle(0, 57, UNITS, UNITS, setting.desk)
    return room.resize((SIZE, SIZE))


def _colour_of_people(rng: np.random.Generator) -> Image.Image:
    """A picture's colours without its person: blurred beyond reading, in the colours of skin and cloth."""
    person, setting = draw_person(rng), draw_setting(rng)
    image = Image.new("RGB", (SIZE, SIZE), setting.wall)
    pen = Pen(ImageDraw.Draw(image), SIZE / UNITS)
    for colour in (setting.shirt, setting.desk, person.hair, person.skin):
        x, y, a, b = rng.uniform(8, 56, 2).tolist() + rng.uniform(5, 20, 2).tolist()
        pen.ellipse((x, y), (a, b), colour)
    return image.filter(ImageFilter.GaussianBlur(float(rng.uniform(4, 14))))


def _scattered(rng: np.random.Generator) -> Image.Image:
    """Any of the others, cut into squares and shuffled."""
    other = np.asarray(_KINDS[int(rng.integers(len(_KINDS) - 1))](rng))
    side = SIZE // int(rng.choice((4, 8)))
    tiles = other.reshape(SIZE // side, side, SIZE // side, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
    tiles = rng.permutation(tiles).reshape(SIZE // side, SIZE // side, side, side, 3)
    return Image.fromarray(np.ascontiguousarray(tiles.swapaxes(1, 2).reshape(SIZE, SIZE, 3)))


def _image(pixels: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _colour(rng: np.random.Generator) -> Colour:
    red, green, blue = (int(channel) for channel in rng.integers(0, 256, 3))
    return (red, green, blue)


_KINDS: tuple[Callable[[np.random.Generator], Image.Image], ...] = (
    _noise,
    _layered,
    _layered,
    _gradient,
    _landscape,
    _shapes,
    _scribble,
    _empty_room,
    _colour_of_people,
    _scattered,
)
