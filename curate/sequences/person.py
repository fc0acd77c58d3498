"""One person of several, followed through a clip; pure."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from curate.frames.people.boxes import Box
from curate.frames.people.finder import Detection
from curate.frames.people.tracks import Track, tracks
from curate.sequences.points import N_POINTS, Points

_LOST_S = 5.0
"""Who was not seen for longer is looked for no more: crowds would be compared with everybody before."""


def main_person(people: Sequence[Points], times_s: Sequence[float]) -> Points:
    """The points of a clip's main person (ours).

    People are followed by the boxes round their points. The main person is the
    one with the largest sum of confidence x size over the clip. Where they are
    missing for all of somebody else's presence, that one counts as the same
    person seen again, as after a cut or a leap; who was ever seen beside the
    main person never counts.

    Args:
        people: Shape (n_frames,) of (n_people, 137, 3) each, in any order.
        times_s: Shape (n_frames,), rising.

    Returns:
        Shape (n_frames, 137, 3); 0 where nobody was found.
    """
    seen = [{one: each for each in here if (one := _detection(each)) is not None} for here in people]
    points = np.zeros((len(people), N_POINTS, 3), dtype=np.float32)
    taken: set[int] = set()
    for track in sorted(tracks([list(here) for here in seen], times_s, lost_s=_LOST_S), key=_weight)[::-1]:
        moments = {sighting.moment for sighting in track}
        if not moments & taken:
            taken |= moments
            for sighting in track:
                person = Detection(sighting.box, sighting.score)
                points[sighting.moment] = seen[sighting.moment][person]
    return points


def box_of(points: Points) -> Box | None:
    """The box round the points of one person, (137, 3), that were found; None if none was."""
    found = points[points[:, 2] > 0, :2]
    return Box(*found.min(axis=0).tolist(), *found.max(axis=0).tolist()) if len(found) else None


def _detection(points: Points) -> Detection | None:
    """The box of a person, and the sum of confidences; None of whom nothing was found."""
    box = box_of(points)
    return None if box is None else Detection(box, float(points[:, 2].sum()))


def _weight(track: Track) -> float:
    return sum(one.score * sqrt(max(1.0, one.box.area)) for one in track)
