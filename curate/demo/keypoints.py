"""What a pose estimator would find in the drawn people: OpenPose's 137 points, with its errors.

Where a point lies is told by the drawing's own geometry; whether it is found,
by what covers it. Nothing else of the truth goes in.
"""

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from curate.demo.cues import HIDES
from curate.demo.faces import (
    DOWN,
    MOUTH_Y,
    SMILE,
    STRAIGHT,
    YAWN,
    Face,
    brow_at,
    eye_at,
    pupil_at,
    slide_of,
)
from curate.demo.pen import UNITS, Pen, Point, arc
from curate.demo.people import Person
from curate.demo.scenes import (
    BESIDE_PAPER,
    PROPPING,
    RAISED,
    RESTING,
    SIZE,
    Arm,
    Pose,
    busy_side,
    desk_of,
    mirrored,
    propping_hand,
    sheets_of,
    writing_arm,
)
from curate.demo.stories import Story, poses_of

Points = NDArray[np.float64]
"""Shape (n_points, 2), pixels; NaN where nothing is to be found."""

_OFF_PX = 0.6
"""Standard deviation of where a point is found, as of OpenPose on a small picture."""
_MISSED = 0.02
"""Share of the points that are not found though they are there."""
_NOSE, _NECK = 0, 1
_SHOULDER, _ELBOW, _WRIST, _EYE, _EAR = (2, 5), (3, 6), (4, 7), (15, 16), (17, 18)
"""Numbers in BODY_25; of pairs the person's right, which is on the left of the picture, comes first."""
_PARTS = {"pose": 25, "face": 70, "hand_left": 21, "hand_right": 21}
N_POINTS = sum(_PARTS.values())


def write_keypoints(path: Path, stories: Iterable[tuple[str, Story]], rng: np.random.Generator) -> None:
    """Write a ZIP file as OpenPose's output folder: a JSON file a frame, in a folder a clip.

    Args:
        path: Of the ZIP file.
        stories: Each clip's name, without suffix, and what it shows.
        rng: Draws the errors.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for clip, story in stories:
            for number, pose in enumerate(poses_of(story)):
                found = found_points(points_of(story, pose), rng)
                # A fixed date: the same seed gives the same bytes.
                entry = zipfile.ZipInfo(f"{clip}/{clip}_{number:012}_keypoints.json")
                entry.compress_type = zipfile.ZIP_DEFLATED
                file.writestr(entry, json.dumps({"version": 1.3, "people": [found]}))


def found_points(points: Mapping[str, Points], rng: np.random.Generator) -> dict[str, list[float]]:
    """As OpenPose writes them, x, y and confidence of each point in a row; 0, 0, 0 where it found nothing."""
    return {f"{part}_keypoints_2d": _found(places, rng) for part, places in points.items()}


def points_of(story: Story, pose: Pose) -> dict[str, Points]:
    """Where each point lies in the picture of a pose [px], by part.

    Args:
        story: Whose pose it is.
        pose: One of its.
    """
    page = Pen(ImageDraw.Draw(Image.new("1", (1, 1))), SIZE / UNITS)
    body, head = sheets_of(page, pose)
    points = {part: np.full((n, 2), np.nan) for part, n in _PARTS.items()}
    _put_head(points, head, story.person, pose.face)
    points["pose"][_NECK] = body.at((0, 0.5))
    for side, number in ((-1, 0), (1, 1)):
        points["pose"][_SHOULDER[number]] = body.at((side * 14, 4))
        if pose.hands >= 0:
            _put_arm(points, body, head, story, pose, side)
    return points


def _put_head(points: dict[str, Points], head: Pen, person: Person, face: Face) -> None:
    slide, hidden = slide_of(face), {item for cover in face.covers for item in HIDES[cover]}
    for side, number in ((-1, 0), (1, 1)):
        if face.turn != 1 or side != face.side:
            points["pose"][_EAR[number]] = head.at((side * person.width, 0.6))
        if face.turn != 2 and "eyes" not in hidden:
            points["pose"][_EYE[number]] = head.at(eye_at(face, slide, side)[0])
    if face.turn == 2:
        return
    points["pose"][_NOSE] = head.at((slide, 3.2))
    jaw = arc((0, 0), (person.width, person.height), 180, 0)[::2]  # 11 of 21 points, from the right ear on
    parts: dict[int, list[Point]] = {
        0: _evenly(jaw, 17),
        27: _evenly([(slide, -1.0), (slide, 2.6)], 4),
        31: _evenly([(slide - 1.6, 3.4), (slide, 3.8), (slide + 1.6, 3.4)], 5),
    }
    if "brows" not in hidden:
        parts[17] = _evenly(brow_at(face, slide, -1), 5)
        parts[22] = _evenly(brow_at(face, slide, 1)[::-1], 5)
    if "eyes" not in hidden:
        parts[36], parts[42] = _eye(face, slide, -1), _eye(face, slide, 1)
        if face.eyes:
            parts[68] = [pupil_at(face, slide, -1), pupil_at(face, slide, 1)]
    if "mouth" not in hidden:
        parts[48] = _lips(face, slide * 0.9)
    for first, places in parts.items():
        points["face"][first : first + len(places)] = [head.at(place) for place in places]


def _eye(face: Face, slide: float, side: int) -> list[Point]:
    """Six points: from the corner on the left of the picture over the upper lid, and back below."""
    (x, y), (rx, ry) = eye_at(face, slide, side)
    upper = (0.6 * ry, 0.0, -0.85 * ry)[face.eyes]  # a closed lid lies on the lower one
    return [
        (x - rx, y),
        (x - rx / 2, y + upper),
        (x + rx / 2, y + upper),
        (x + rx, y),
        (x + rx / 2, y + 0.7 * ry),
        (x - rx / 2, y + 0.7 * ry),
    ]


def _lips(face: Face, x: float) -> list[Point]:
    """Twelve points around the mouth and eight within, from the left of the picture over the upper lip."""
    if face.mouth == 0:
        below, (rx, ry) = YAWN
        y = MOUTH_Y + below
        upper, lower = arc((x, y), (rx, ry), 180, 360), arc((x, y), (rx, ry), 180, 0)
    elif face.mouth == 2:
        half, below = STRAIGHT
        upper = lower = [(x - half, MOUTH_Y + below), (x + half, MOUTH_Y + below)]
    else:
        below, radii, start, stop = DOWN if face.mouth == 1 else SMILE
        line = sorted(arc((x, MOUTH_Y + below), radii, start, stop))
        upper, lower = (line, line) if face.mouth == 1 else ([line[0], line[-1]], line)
    outer = _evenly(upper, 7) + _evenly(lower, 7)[-2:0:-1]
    inner = _evenly(upper, 5) + _evenly(lower, 5)[-2:0:-1]
    return outer + inner


def _put_arm(points: dict[str, Points], body: Pen, head: Pen, story: Story, pose: Pose, side: int) -> None:
    """Elbow, wrist and hand of one side of the picture."""
    number, (sheet, (_, bend, _), hand_sheet, hand) = (side + 1) // 2, _arm(body, head, story, pose, side)
    points["pose"][_ELBOW[number]] = sheet.at(bend)
    points["pose"][_WRIST[number]] = hand_sheet.at((hand[0], hand[1] + 3))
    is_raised = pose.hands == 3 and side == busy_side(pose, story.setting)
    part = points["hand_right" if side < 0 else "hand_left"]
    part[:] = [hand_sheet.at(place) for place in _hand(hand, 7.0 if is_raised else 3.0)]


def _arm(
    body: Pen, head: Pen, story: Story, pose: Pose, side: int
) -> tuple[Pen, tuple[Point, Point, Point], Pen, Point]:
    """The sheet and path of a forearm, and the sheet and middle of its hand."""
    desk, is_busy = desk_of(body, pose), side == busy_side(pose, story.setting)
    if is_busy and pose.hands == 0:
        path, _ = mirrored(PROPPING, side)
        return desk, path, head, propping_hand(story.person, side)
    sheet, arm = desk, _resting(pose, side)
    if is_busy and pose.hands == 2:
        arm = writing_arm(pose, side)
    elif is_busy and pose.hands == 3:
        sheet, arm = body, mirrored(RAISED, side)
    return sheet, arm[0], sheet, arm[1]


def _resting(pose: Pose, side: int) -> Arm:
    return mirrored(BESIDE_PAPER if pose.hands == 2 else RESTING, side)


def _hand(middle: Point, reach: float) -> list[Point]:
    """The wrist and four points on each of five fingers that spread upwards from it."""
    (x, y), fingers = middle, (-1.0, -0.5, 0.0, 0.5, 1.0)
    joints = (0.25, 0.5, 0.75, 1.0)
    return [(x, y + 3)] + [
        (x + spread * 3 * joint, y + 2 - reach * joint) for spread in fingers for joint in joints
    ]


def _evenly(line: list[Point], n: int) -> list[Point]:
    """`n` points along a line, evenly by its own points."""
    at, along = np.linspace(0, len(line) - 1, n), np.arange(len(line))
    x, y = (np.interp(at, along, each) for each in zip(*line, strict=True))
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _found(places: Points, rng: np.random.Generator) -> list[float]:
    """Shape (3 * n_points,)."""
    off = rng.normal(0, _OFF_PX, places.shape)
    confidence = rng.uniform(0.6, 0.95, len(places))
    is_found = np.isfinite(places).all(axis=1) & (rng.random(len(places)) >= _MISSED)
    is_found &= ((places >= 0) & (places < SIZE)).all(axis=1)
    found = np.where(is_found[:, None], np.column_stack([places + off, confidence]), 0.0)
    return [round(number, 3) for number in found.ravel().tolist()]
