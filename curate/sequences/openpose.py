"""What OpenPose writes for a frame: JSON with 25 + 70 + 21 + 21 points for each person."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from curate.errors import MediaError
from curate.sequences.points import BODY, FACE, LEFT_HAND, N_POINTS, RIGHT_HAND, Points

_PARTS: Mapping[str, slice] = {
    "pose_keypoints_2d": BODY,
    "face_keypoints_2d": FACE,
    "hand_left_keypoints_2d": LEFT_HAND,
    "hand_right_keypoints_2d": RIGHT_HAND,
}
_OLD_NAMES = {"pose_keypoints_2d": "pose_keypoints"}
"""Of OpenPose before 1.3, for parts that changed their name."""
_BODIES = {18: "COCO's", 15: "MPI's", 135: "BODY_135's"}
_MOST_PEOPLE = 20
"""In a frame; of a crowd, those with the largest sum of confidences."""


def people_of(content: bytes) -> Points:
    """The people of one frame.

    A part that was not looked for (OpenPose without --face or --hand) is
    missing or empty, and its points count as not found.

    Args:
        content: The file's bytes.

    Returns:
        Shape (n_people, 137, 3): x, y, confidence, as OpenPose counts them.

    Raises:
        MediaError: It is no such JSON; its words begin with a verb.
    """
    try:
        told = json.loads(content)
    # A RecursionError: brackets within brackets, thousands deep.
    except (ValueError, RecursionError) as error:
        raise MediaError(f"is no JSON ({error})") from error
    people = told.get("people") if isinstance(told, dict) else None
    if not isinstance(people, list):
        raise MediaError("has no list of people, expected OpenPose's JSON, a file a frame")
    if not people:
        return np.zeros((0, N_POINTS, 3), dtype=np.float32)
    points = np.stack([_person(one) for one in people])
    order = np.argsort(-points[..., 2].sum(axis=1), kind="stable")
    return points[order[:_MOST_PEOPLE]]


def _person(told: Any) -> Points:
    if not isinstance(told, dict):
        raise MediaError(f"has {type(told).__name__} for a person, expected the names and points of parts")
    points = np.zeros((N_POINTS, 3), dtype=np.float32)
    for name, place in _PARTS.items():
        numbers = told.get(name, told.get(_OLD_NAMES.get(name, name), []))
        if numbers:
            points[place] = _part(name, numbers, place.stop - place.start)
    points[points[:, 2] <= 0] = 0
    return points


def _part(name: str, numbers: Any, n_points: int) -> Points:
    try:
        with np.errstate(over="ignore"):  # looked for below
            found = np.array(numbers, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        raise MediaError(f"has something else than numbers in {name}") from None
    if found.ndim != 1 or len(found) != 3 * n_points:
        whose = _BODIES.get(found.size // 3) if found.size % 3 == 0 and name.startswith("pose") else None
        fix = f" ({whose} body; run OpenPose with --model_pose BODY_25)" if whose else ""
        expected = f"{n_points} times x, y, confidence{fix}"
        raise MediaError(f"has {found.size} numbers in {name}, expected {expected}")
    if not np.isfinite(found).all():
        raise MediaError(f"has numbers in {name} that are not finite")
    return found.reshape(n_points, 3)
