"""Draws a head: everything above the neck.

Coordinates are units (1/64 of the picture) from the middle of the face, y
downwards. Sizes are chosen so that every cue spans at least two units: it is
still there when the picture is shrunk to 64 pixels.
"""

from dataclasses import dataclass

from curate.demo.pen import Colour, Pen, Point, arc, shade
from curate.demo.people import Person

_INK: Colour = (34, 26, 30)
_WHITE: Colour = (250, 250, 248)
_EYE_Y = -1.2
MOUTH_Y = 6.8
YAWN = (0.6, (2.9, 3.7))
"""How far the middle of an open mouth is below `MOUTH_Y`, and its radii."""
DOWN = (2.4, (3.9, 3.2), 200.0, 340.0)
"""The same of the arc of a mouth turned down, and its angles."""
STRAIGHT = (3.4, 0.4)
"""Half the width of a straight mouth, and how far it is below `MOUTH_Y`."""
SMILE = (-1.6, (4.5, 4.2), 12.0, 168.0)
"""The same of a smile."""


@dataclass(frozen=True, slots=True)
class Face:
    """What one picture shows of a head; numbers are positions in `cues.OPTIONS`."""

    eyes: int
    """0 closed, 1 half open, 2 wide open."""
    gaze: float
    """Where the pupils are: -1 far left, 0 straight, +1 far right."""
    turn: int
    """0 facing us, 1 half turned away, 2 fully turned away."""
    side: int
    """Which side a half-turned head looks to: -1 left, +1 right."""
    mouth: int
    """0 yawning, 1 turned down, 2 straight, 3 smiling."""
    brows: int
    """0 lowered, 1 level, 2 raised."""
    covers: frozenset[str]
    """Keys of `cues.HIDES`."""


def draw_head(pen: Pen, person: Person, face: Face, cover: Colour) -> None:
    """Draw the head with the pen's origin at the middle of the face."""
    if face.turn == 2:
        _back_of_head(pen, person, face, cover)
        return
    slide = slide_of(face)
    _ears(pen, person, face)
    pen.ellipse((0, 0), (person.width, person.height), person.skin)
    _beard(pen, person, slide)
    _nose_and_cheeks(pen, person, face, slide)
    for sign in (-1, 1):
        _eye(pen, person, face, slide, sign)
        _brow(pen, person, face, slide, sign)
    _mouth(pen, person, face, slide)
    _hair_in_front(pen, person, face)
    _eyewear(pen, person, face, slide)
    _mouth_cover(pen, person, face, slide, cover)
    _hair_covers(pen, person, face, cover)


def slide_of(face: Face) -> float:
    """How far eyes, nose and mouth lie to the side in a half-turned head, units."""
    return 4.2 * face.side if face.turn == 1 else 0.0


def draw_hair_behind(pen: Pen, person: Person, turn: int) -> None:
    """Draw the hair that hangs behind head and shoulders."""
    width, height, hair = person.width, person.height, shade(person.hair, 0.86)
    if person.haircut == "long":
        pen.ellipse((0, 1), (width + 3.2, height + 2.2), hair)
        pen.rectangle(-width - 3.2, 1, width + 3.2, 21, hair)
    elif person.haircut == "bob":
        pen.ellipse((0, 0.5), (width + 3.0, height + 1.2), hair)
    elif person.haircut == "bun" and turn != 2:
        pen.ellipse((0, -height - 2.4), (5.0, 4.6), hair)


def _back_of_head(pen: Pen, person: Person, face: Face, cover: Colour) -> None:
    _ears(pen, person, face)
    width, height, hair = person.width, person.height, person.hair
    if person.haircut == "bald":
        pen.ellipse((0, 0), (width, height), person.skin)
        pen.ellipse((0, 0), (width, height), hair, 12, 168)
    else:
        pen.ellipse((0, -0.3), (width + 0.8, height + 0.6), hair)
        for x in (-6.0, -2.0, 2.0, 6.0):  # strands, so that a back reads as hair and not as a hole
            pen.line([(x * 0.5, -9), (x, 0), (x * 0.9, 9)], 0.5, shade(hair, 0.8))
    if person.haircut == "curly":
        _curls(pen, person, range(0, 360, 26))
    if person.haircut == "long":
        pen.rectangle(-width - 0.8, 0, width + 0.8, 21, hair)
    if person.haircut == "bun":
        pen.ellipse((0, -4), (5.2, 5.0), shade(hair, 0.78))
    if "scarf" in face.covers:
        pen.rectangle(-width * 0.9, 9.5, width * 0.9, 17, cover)
    _hair_covers(pen, person, face, cover)


def _ears(pen: Pen, person: Person, face: Face) -> None:
    rim = shade(person.skin, 0.86)
    for sign in (-1, 1):
        if face.turn != 1 or sign != face.side:
            pen.ellipse((sign * person.width, 0.6), (2.2, 3.0), person.skin)
            pen.ellipse((sign * person.width, 0.8), (1.1, 1.8), rim)


def _beard(pen: Pen, person: Person, slide: float) -> None:
    if not person.beard:
        return
    pen.ellipse((0, 0), (person.width, person.height), person.hair, 14, 166)
    pen.ellipse((slide * 0.8, 3.6), (person.width * 0.76, 4.2), person.skin)
    pen.ellipse((slide * 0.9, MOUTH_Y + 0.2), (5.4, 3.7), person.skin)


def _nose_and_cheeks(pen: Pen, person: Person, face: Face, slide: float) -> None:
    blush = _mix(person.skin, (232, 104, 104), 0.22)
    for sign in (-1, 1):
        if sign * slide <= 0:
            pen.ellipse((slide * 0.7 + sign * 6.8, 3.9), (2.0, 1.4), blush)
    tone = shade(person.skin, 0.8)
    if face.turn == 1:
        tip = slide + 3.2 * face.side
        pen.polygon([(slide, 0.0), (tip, 3.2), (slide - 0.4 * face.side, 3.8)], tone)
    else:
        pen.line([(-1.0, 3.0), (0, 3.6), (1.0, 3.0)], 0.8, tone)


def _eye(pen: Pen, person: Person, face: Face, slide: float, sign: int) -> None:
    centre, (rx, ry) = eye_at(face, slide, sign)
    x, y = centre
    lid = shade(person.skin, 0.88)
    if face.eyes == 0:
        pen.ellipse(centre, (rx, ry), lid)
        pen.line(arc((x, y + 0.2), (rx, ry * 0.7), 10, 170), 0.95, _INK)
        return
    pen.ellipse(centre, (rx, ry), _WHITE)
    pupil = pupil_at(face, slide, sign)
    pen.ellipse(pupil, (1.65, 1.85), person.eye)
    pen.ellipse(pupil, (0.95, 1.1), _INK)
    if face.eyes == 1:
        pen.ellipse(centre, (rx + 0.25, ry + 0.25), lid, 180, 360)
        pen.line([(x - rx, y), (x + rx, y)], 0.9, _INK)
    else:
        pen.ellipse((pupil[0] - 0.5, pupil[1] - 0.7), (0.45, 0.45), _WHITE)
        pen.line(arc(centre, (rx, ry), 195, 345), 0.7, _INK)


def eye_at(face: Face, slide: float, sign: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Middle and radii of one eye; the far eye of a half-turned head is narrower."""
    far = face.turn == 1 and sign == face.side
    spread = 5.1 if face.turn == 0 else 3.9 if far else 4.9
    return (slide + sign * spread, _EYE_Y), (2.5 if far else 3.05, 2.75)


def _brow(pen: Pen, person: Person, face: Face, slide: float, sign: int) -> None:
    pen.line(brow_at(face, slide, sign), 1.25, _dark_on(person.skin, shade(person.hair, 0.55)))


def pupil_at(face: Face, slide: float, sign: int) -> Point:
    """Middle of one pupil."""
    (x, y), (rx, _) = eye_at(face, slide, sign)
    return (x + face.gaze * (rx - 1.15), y + (0.35 if face.eyes == 2 else 0.7))


def brow_at(face: Face, slide: float, sign: int) -> list[Point]:
    """Outer end, middle and inner end of one brow."""
    (x, _), (rx, _) = eye_at(face, slide, sign)
    # Heights and slopes differ together, as in a real face: lowered brows also frown.
    outer, middle, inner = ((-5.6, -5.2, -3.9), (-5.6, -6.3, -5.9), (-7.0, -8.9, -8.3))[face.brows]
    return [(x + sign * rx, outer), (x, middle), (x - sign * rx * 0.95, inner)]


def _mouth(pen: Pen, person: Person, face: Face, slide: float) -> None:
    x = slide * 0.9
    lips: Colour = (150, 40, 52) if sum(person.skin) > 420 else (228, 116, 112)
    if face.mouth == 0:
        pen.ellipse((x, MOUTH_Y + YAWN[0]), YAWN[1], _mix(lips, (60, 14, 26), 0.4))
        pen.ellipse((x, MOUTH_Y + 0.7), (2.3, 3.0), (66, 16, 28))
        pen.ellipse((x, MOUTH_Y + 2.3), (1.6, 1.2), (222, 104, 108))
    elif face.mouth == 1:
        below, radii, start, stop = DOWN
        pen.line(arc((x, MOUTH_Y + below), radii, start, stop), 1.15, lips)
    elif face.mouth == 2:
        half, below = STRAIGHT
        pen.line([(x - half, MOUTH_Y + below), (x + half, MOUTH_Y + below)], 1.1, lips)
    else:
        below, radii, start, stop = SMILE
        smile = arc((x, MOUTH_Y + below), radii, start, stop)
        pen.polygon(smile, lips)
        pen.polygon(arc((x, MOUTH_Y - 1.5), (3.7, 2.1), 8, 172), _WHITE)
        pen.line(smile, 0.6, lips)


def _hair_in_front(pen: Pen, person: Person, face: Face) -> None:
    width, height, hair = person.width, person.height, person.hair
    if person.haircut == "bald":
        return
    pen.polygon([*arc((0, -0.2), (width + 0.9, height + 0.9), 218, 322), (5, -10.4), (-4, -10.9)], hair)
    if face.turn == 1:  # a half-turned head shows the hair behind its near ear
        back = -face.side * (width + 0.6)
        start, stop = (180, 232) if face.side > 0 else (308, 360)
        rim = arc((0, -0.2), (width + 0.9, height + 0.9), start, stop)
        pen.polygon([*rim, (back * 0.62, -8.5), (back * 0.72, 0.5)], hair)
        pen.ellipse((back * 0.74, 1.6), (1.9, 2.7), shade(person.skin, 0.92))
    if person.haircut == "curly":
        _curls(pen, person, range(200, 341, 20))
    if person.haircut in {"long", "bob"}:
        for sign in (-1, 1):
            if face.turn == 0 or sign != face.side:
                reach = 11 if person.haircut == "long" else 6
                side = sign * (width + 1.2)
                pen.polygon([(side * 0.86, -8), (side, -4), (side, reach), (side * 0.9, reach - 1)], hair)


def _curls(pen: Pen, person: Person, angles: range) -> None:
    for angle in angles:
        ((x, y), *_) = arc((0, -0.5), (person.width + 0.4, person.height + 0.2), angle, angle + 9)
        pen.ellipse((x, y), (3.1, 3.1), person.hair)


def _eyewear(pen: Pen, person: Person, face: Face, slide: float) -> None:
    dark = "sunglasses" in face.covers
    if not dark and not person.glasses:
        return
    for sign in (-1, 1):
        centre, (rx, _) = eye_at(face, slide, sign)
        if dark:
            pen.ellipse(centre, (rx + 1.2, 3.7), (28, 30, 38))
            pen.line([(centre[0] - 1.4, -2.6), (centre[0] + 0.2, -3.2)], 0.6, (120, 128, 142))
        else:
            pen.line(arc(centre, (rx + 0.55, 3.35), 0, 360), 0.45, (70, 66, 74))
    pen.line([(slide - 1.2, _EYE_Y), (slide + 1.2, _EYE_Y)], 0.7, (28, 30, 38))


def _mouth_cover(pen: Pen, person: Person, face: Face, slide: float, cover: Colour) -> None:
    width, height = person.width, person.height
    if "mask" in face.covers:
        cloth: Colour = (226, 238, 244)
        for sign in (-1, 1):
            pen.line([(slide * 0.8 + sign * 7, 4), (sign * width, 0.5)], 0.5, cloth)
        x, wide = slide * 0.8, width * 0.66
        pen.polygon([(x - wide, 3.2), (x, 1.8), (x + wide, 3.2), *arc((x, 6.5), (wide, 6.2), 0, 180)], cloth)
        for y in (5.4, 7.8):
            pen.line([(x - wide * 0.7, y), (x + wide * 0.7, y)], 0.45, shade(cloth, 0.86))
    elif "scarf" in face.covers:
        pen.polygon([(-width - 0.6, 3.4), (0, 2.4), (width + 0.6, 3.4), (width, 17), (-width, 17)], cover)
        for y in (6.5, 10.5, height):
            pen.line([(-width * 0.95, y), (0, y + 0.9), (width * 0.95, y)], 0.7, shade(cover, 0.82))


def _hair_covers(pen: Pen, person: Person, face: Face, cover: Colour) -> None:
    width, height = person.width, person.height
    if "cap" in face.covers:
        pen.ellipse((0, -4.2), (width + 1.2, height - 2.4), cover, 180, 360)
        brim = 0.0 if face.turn == 2 else 1.0
        pen.ellipse((0, -4.2), (width + 2.6, 1.4 + brim), shade(cover, 0.72))
    elif "fringe" in face.covers and face.turn != 2:
        top = arc((0, -0.2), (width + 0.9, height + 0.9), 178, 362)
        teeth = [(width * k / 4, 2.4 if k % 2 else 1.2) for k in range(4, -5, -1)]
        pen.polygon([*top, *teeth], person.hair)
        for x in (-7.0, -3.2, 0.6, 4.4, 8.0):
            pen.line([(x * 0.6, -10), (x, 0.6)], 0.5, shade(person.hair, 0.78))


def _dark_on(skin: Colour, colour: Colour) -> Colour:
    """Brows stay darker than the skin under them."""
    return colour if sum(skin) - sum(colour) > 230 else (24, 16, 16)


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return (red, green, blue)
