"""From the points of pose models to the 137 of OpenPose; pure."""

from collections.abc import Mapping, Sequence

import numpy as np

from curate.sequences.points import FACE, LEFT_HAND, N_POINTS, RIGHT_HAND, Points

# COCO: 0 nose, 1 2 eyes, 3 4 ears, 5 6 shoulders, 7 8 elbows, 9 10 wrists, 11 12 hips, 13 14 knees,
# 15 16 ankles; the person's left before the right (https://cocodataset.org/#keypoints-eval).
# BODY_25: 0 nose, 1 neck, 2 3 4 right arm, 5 6 7 left arm, 8 mid-hip, 9 10 11 right leg, 12 13 14 left leg,
# 15 16 eyes and 17 18 ears, right before left, 19 20 21 left foot, 22 23 24 right foot
# (https://github.com/CMU-Perceptual-Computing-Lab/openpose, doc/02_output.md).
COCO: Mapping[int, int] = {
    **{0: 0, 1: 16, 2: 15, 3: 18, 4: 17, 5: 5, 6: 2, 7: 6, 8: 3, 9: 7, 10: 4},
    **{11: 12, 12: 9, 13: 13, 14: 10, 15: 14, 16: 11},
}
"""Point of COCO's 17 to point of the 137."""

# COCO-WholeBody (https://github.com/jin-s13/COCO-WholeBody): 17 to 22 the feet, left before right, each big
# toe, small toe, heel; 23 to 90 the face, 91 to 111 the left hand, 112 to 132 the right. Its 68 points of the
# face are the first 68 of OpenPose's 70, whose last two are the pupils; both count a hand from the wrist,
# thumb first.
WHOLE_BODY: Mapping[int, int] = {
    **COCO,
    **{17 + point: 19 + point for point in range(6)},
    **{23 + point: FACE.start + point for point in range(68)},
    **{91 + point: LEFT_HAND.start + point for point in range(21)},
    **{112 + point: RIGHT_HAND.start + point for point in range(21)},
}
"""Point of COCO-WholeBody's 133 to point of the 137."""

MIDDLES: Mapping[int, tuple[int, int]] = {1: (2, 5), 8: (9, 12)}
"""Neck and mid-hip, which COCO has not, to the points in whose middle they are: shoulders, hips."""

MAPPINGS: Mapping[int, Mapping[int, int]] = {17: COCO, 133: WHOLE_BODY}
"""By number of points."""


def as_openpose(points: Points) -> Points:
    """Points of COCO or COCO-WholeBody in the order of OpenPose.

    Args:
        points: Shape (n_people, 17, 3) or (n_people, 133, 3): x, y, confidence.

    Returns:
        Shape (n_people, 137, 3). Neck and mid-hip are as sure as the less sure
        of their two points. What the model does not tell is 0.

    Raises:
        KeyError: There are neither 17 nor 133 points.
    """
    mapping = MAPPINGS[points.shape[1]]
    found = np.zeros((len(points), N_POINTS, 3), dtype=np.float32)
    found[:, list(mapping.values())] = points[:, list(mapping)]
    found[found[..., 2] <= 0] = 0
    for middle, ends in MIDDLES.items():
        found[:, middle] = _middle(found, ends)
    return found


def _middle(points: Points, ends: Sequence[int]) -> Points:
    """The middle of two points of each person, (n_people, 3); 0 where either was not found."""
    pair = points[:, list(ends)]  # (n_people, 2, 3)
    middle: Points = pair.mean(axis=1)
    middle[:, 2] = pair[..., 2].min(axis=1)
    middle[middle[:, 2] <= 0] = 0
    return middle
