"""Draws a whole picture: room, person at a desk, hands."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from curate.demo.faces import Face, draw_hair_behind, draw_head
from curate.demo.pen import UNITS, Colour, Pen, Point, arc, shade
from curate.demo.people import Person, Setting

SIZE = 192
"""Width and height of a picture, pixels."""

_FINER = 3
"""Pictures are drawn this many times larger, then shrunk: Pillow draws hard edges."""

_PAPER: Colour = (252, 252, 246)

Arm = tuple[tuple[Point, Point, Point], Point]
"""Where a forearm begins, bends and ends, and the middle of its hand, for the right side of the picture."""
PROPPING: Arm = (((15, 21), (14, 8), (11.5, 1)), (-1.8, 9.0))
"""The hand lies on the head's sheet, measured from the edge of the face."""
RESTING: Arm = (((17, 12), (18, 19), (9, 21.5)), (6.4, 21.4))
BESIDE_PAPER: Arm = (((17, 12), (18, 19), (11, 21)), (9, 21))
RAISED: Arm = (((16, 14), (21, 9), (22, -6)), (22, -9.6))
"""On the body's sheet; the others lie on the desk's."""


@dataclass(frozen=True, slots=True)
class Pose:
    """What one picture shows of a person."""

    face: Face
    x: float
    """How far the person has moved to the right, units."""
    y: float
    """How far the person has moved down, units."""
    tilt: float
    """How far the head is tilted, degrees clockwise."""
    hands: int
    """0 propping up the head, 1 lying still, 2 writing, 3 raised; -1 below the picture."""
    pencil: float
    """Where on the paper a writing hand is, 0 to 1."""


def draw_room(setting: Setting) -> Image.Image:
    """The empty room, drawn once a clip: shape (SIZE * 3, SIZE * 3) pixels."""
    side = SIZE * _FINER
    image = Image.new("RGB", (side, side), setting.wall)
    pen = Pen(ImageDraw.Draw(image), side / UNITS)
    pen.rectangle(0, 46, UNITS, UNITS, shade(setting.wall, 0.9))
    x = 8.0 if setting.flip > 0 else 44.0
    if setting.room == "window":
        pen.rectangle(x - 6, 4, x + 18, 30, shade(setting.wall, 1.7))
        pen.rectangle(x - 5, 5, x + 17, 29, (178, 214, 240))
        pen.ellipse((x + 2, 12), (4, 2), (244, 248, 252))
        pen.rectangle(x + 5.4, 5, x + 6.4, 29, shade(setting.wall, 1.7))
    elif setting.room == "shelf":
        pen.rectangle(x - 6, 20, x + 18, 21.4, shade(setting.desk, 0.9))
        books: tuple[Colour, ...] = ((196, 92, 84), (88, 132, 176), (226, 182, 92), (108, 152, 112))
        for k in range(6):
            pen.rectangle(x - 5 + 3 * k, 11 + k % 3, x - 2.6 + 3 * k, 20, books[k % 4])
    elif setting.room == "pictures":
        for k, tone in enumerate(((206, 132, 110), (112, 150, 168))):
            pen.rectangle(2 + 46 * k, 5 + 3 * k, 16 + 46 * k, 17 + 3 * k, _PAPER)
            pen.rectangle(3.2 + 46 * k, 6.2 + 3 * k, 14.8 + 46 * k, 15.8 + 3 * k, tone)
    elif setting.room == "plant":
        for sway in (-5, -2, 2, 5):
            pen.line([(x + 4, 44), (x + 4 + sway, 30 - abs(sway))], 2.2, (104, 158, 108))
        pen.polygon([(x - 1, 40), (x + 9, 40), (x + 7, 50), (x + 1, 50)], (204, 126, 92))
    return image


def draw_picture(room: Image.Image, person: Person, setting: Setting, pose: Pose) -> Image.Image:
    """One picture of a person: SIZE by SIZE pixels, RGB."""
    image = room.copy()
    page = Pen(ImageDraw.Draw(image), SIZE * _FINER / UNITS)
    body, head = sheets_of(page, pose)
    draw_hair_behind(head, person, pose.face.turn)
    _shoulders(body, person, setting)
    if pose.hands == 3:
        _raised_arm(body, person, setting, pose)
    draw_head(head, person, pose.face, setting.cover)
    if pose.hands >= 0:
        _desk(page, setting)
        _arms(desk_of(body, pose), head, person, setting, pose)
    return image.reduce(_FINER)


def sheets_of(page: Pen, pose: Pose) -> tuple[Pen, Pen]:
    """Pens with their origin between the shoulders, and in the middle of the face."""
    body = page.moved(32 + pose.x, 39 + pose.y)
    return body, body.moved(0, 1.0, pose.tilt).moved(0, -13.5)


def desk_of(body: Pen, pose: Pose) -> Pen:
    """The body's sheet, but arms on the desk stay there when the person sinks."""
    return body.moved(0, -pose.y)


def writing_arm(pose: Pose, side: int) -> Arm:
    """The arm that writes, as it lies in the picture."""
    x = side * (1 + 6 * pose.pencil)
    return ((side * 17, 12), (side * 19, 18), (x + side * 2, 19.5)), (x, 18.6)


def mirrored(arm: Arm, side: int) -> Arm:
    """An arm of the right side of the picture (+1), or the same on the left (-1)."""
    (shoulder, bend, end), (x, y) = arm
    turned = ((side * shoulder[0], shoulder[1]), (side * bend[0], bend[1]), (side * end[0], end[1]))
    return turned, (side * x, y)


def _shoulders(pen: Pen, person: Person, setting: Setting) -> None:
    shirt, dark = setting.shirt, shade(setting.shirt, 0.8)
    pen.polygon([*arc((0, 13), (19.5, 12), 180, 360), (19.5, 40), (-19.5, 40)], shirt)
    if setting.pattern == "stripes":
        for y in (8, 13, 18, 23):
            pen.line([(-15.5, y), (15.5, y)], 1.3, dark)
    elif setting.pattern == "hood":
        pen.ellipse((0, 3.2), (11, 4.6), dark)
    pen.polygon([(-4.2, -4), (4.2, -4), (4.6, 3), (0, 5.2), (-4.6, 3)], shade(person.skin, 0.86))
    if setting.pattern == "collar":
        for sign in (-1, 1):
            pen.polygon([(sign * 4.4, 1.2), (sign * 7.2, 4.4), (sign * 1.2, 7.4)], shade(shirt, 1.6))


def _desk(page: Pen, setting: Setting) -> None:
    page.rectangle(0, 57, UNITS, UNITS, setting.desk)
    page.rectangle(0, 57, UNITS, 58, shade(setting.desk, 1.25))


def _arms(desk: Pen, head: Pen, person: Person, setting: Setting, pose: Pose) -> None:
    side = busy_side(pose, setting)
    if pose.hands == 2:
        desk.polygon([(-9, 19.4), (9, 18.6), (11, 25), (-11, 25)], _PAPER)
        for y in (20.6, 22.4):
            desk.line([(-7, y), (7, y - 0.4)], 0.4, (150, 170, 196))
        path, (x, y) = writing_arm(pose, side)
        _forearm(desk, setting, path)
        desk.line([(x - side * 2.6, 21.6), (x + side * 3.4, 12.4)], 1.2, (244, 176, 40))
        _hand(desk, person, x, y)
    elif pose.hands == 0:
        _forearm(desk, setting, mirrored(PROPPING, side)[0])
        _hand(head, person, *propping_hand(person, side), 4.2)
    elif pose.hands == 1:
        _arm(desk, person, setting, mirrored(RESTING, side))
    _arm(desk, person, setting, mirrored(RESTING if pose.hands in {0, 1, 3} else BESIDE_PAPER, -side))


def propping_hand(person: Person, side: int) -> Point:
    """Middle of the hand that props up the head, on the head's sheet."""
    _, (x, y) = PROPPING
    return side * (person.width + x), y


def _arm(desk: Pen, person: Person, setting: Setting, arm: Arm) -> None:
    path, (x, y) = arm
    _forearm(desk, setting, path)
    _hand(desk, person, x, y)


def _raised_arm(body: Pen, person: Person, setting: Setting, pose: Pose) -> None:
    side = busy_side(pose, setting)
    path, (x, y) = mirrored(RAISED, side)
    _forearm(body, setting, path)
    tone = shade(person.skin, 0.8)
    for spread in (-2.7, -0.9, 0.9, 2.7):
        body.line([(side * 22 + spread * 0.7, -11), (side * 22 + spread * 1.35, -16.5)], 1.9, tone)
        body.line([(side * 22 + spread * 0.7, -11), (side * 22 + spread * 1.35, -16.4)], 1.4, person.skin)
    body.line([(side * 19.4, -9.6), (side * 17.8, -12.4)], 1.5, person.skin)
    _hand(body, person, x, y, 3.4)


def busy_side(pose: Pose, setting: Setting) -> int:
    """The side of the busy hand: never where it would cover the mouth or the face."""
    if pose.hands == 0 and pose.face.turn == 1:
        return -pose.face.side
    if abs(pose.tilt) > 6:
        leaning = 1 if pose.tilt > 0 else -1
        return leaning if pose.hands == 0 else -leaning
    return setting.flip


def _forearm(pen: Pen, setting: Setting, points: Sequence[Point]) -> None:
    pen.line(points, 6.2, shade(setting.shirt, 0.72))
    pen.line(points, 5.4, shade(setting.shirt, 0.9))


def _hand(pen: Pen, person: Person, x: float, y: float, radius: float = 3.3) -> None:
    pen.ellipse((x, y), (radius + 0.35, radius + 0.35), shade(person.skin, 0.72))
    pen.ellipse((x, y), (radius, radius), person.skin)
