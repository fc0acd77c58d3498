"""How a clip unfolds: what its person shows from picture to picture."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from curate.demo.cues import OPTIONS, Cues
from curate.demo.faces import Face
from curate.demo.people import Person, Setting
from curate.demo.scenes import Pose

N_MOMENTS = 4
"""A clip is so many moments; within one, nothing that an item asks about changes."""

FRAMES_PER_MOMENT = 6
FPS = 8

_BLINK_AT, _EASE_AT = 4, 5
"""Where in a moment a blink may fall, and where the person is half-way to the next one.
Neither is the first or a middle frame of a moment: four evenly spaced pictures miss both."""

_TILTS = ((0.0, 2.5), (10.5, 2.0), (22.0, 2.5))
"""Middle and half-width of the head's tilt for each option, degrees."""

_STEPS = ((-0.3, -0.1, 0.1, 0.3), (-1.7, -0.6, 0.6, 1.7), (-5.0, -2.0, 2.0, 5.0))
"""Where the person is in the four moments for each option of `movement`, in any order, units."""


@dataclass(frozen=True, slots=True)
class Story:
    """One clip before it is drawn."""

    person: Person
    setting: Setting
    cues: Cues
    moments: tuple[Pose, ...]
    """What each of the `N_MOMENTS` moments shows."""
    blinks: tuple[bool, ...]
    """Whether the person blinks in each moment."""


def tell_story(person: Person, setting: Setting, cues: Cues, rng: np.random.Generator) -> Story:
    """Draw how one clip unfolds."""
    values, sign = cues.values, int(rng.choice((-1, 1)))
    glances = _glances(values["gaze"], rng)  # (N_MOMENTS,)
    middle, half = _TILTS[values["tilt"]]
    tilt = sign * (middle + rng.uniform(-half, half))
    steps = rng.permutation(np.array(_STEPS[values["movement"]])) + rng.uniform(-3, 3)
    sway = 0.1 + 0.35 * values["movement"]
    side = int(rng.choice((-1, 1)))
    depth = rng.uniform(-1.0, 1.5) + 0.9 * values["tilt"]
    moments = tuple(
        Pose(
            face=Face(
                eyes=values["eyes"],
                gaze=float(glances[k]),
                turn=values["head"],
                side=side,
                mouth=values["mouth"],
                brows=values["brows"],
                covers=cues.covers,
            ),
            x=float(steps[k] + rng.normal(0, 0.1)),
            y=float(depth + rng.normal(0, sway)),
            tilt=float(tilt + rng.normal(0, 0.6)),
            hands=-1 if "low camera" in cues.covers else values["hands"],
            pencil=float(rng.random()),
        )
        for k in range(N_MOMENTS)
    )
    blinks = tuple(bool(rng.random() < 0.25) for _ in range(N_MOMENTS))
    return Story(person, setting, cues, moments, blinks)


def poses_of(story: Story) -> list[Pose]:
    """The pose of every frame, `N_MOMENTS * FRAMES_PER_MOMENT` of them; still frames are the same object."""
    poses = []
    for k, pose in enumerate(story.moments):
        frames = [pose] * FRAMES_PER_MOMENT
        if story.blinks[k]:
            frames[_BLINK_AT] = replace(pose, face=replace(pose.face, eyes=OPTIONS["eyes"].index("closed")))
        if k + 1 < N_MOMENTS:
            frames[_EASE_AT] = _between(pose, story.moments[k + 1])
        poses += frames
    return poses


def _glances(value: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Where the pupils are in each moment, shape (N_MOMENTS,), -1 left to +1 right."""
    aside = np.zeros(N_MOMENTS, dtype=bool)
    if value == OPTIONS["gaze"].index("all of the time"):
        aside[:] = True
    elif value == OPTIONS["gaze"].index("some of the time"):
        aside[rng.permutation(N_MOMENTS)[: rng.integers(1, N_MOMENTS)]] = True
    way = int(rng.choice((-1, 1)))
    far = way * rng.uniform(0.85, 1.0, N_MOMENTS)
    return np.where(aside, far, rng.uniform(-0.1, 0.1, N_MOMENTS))


def _between(first: Pose, second: Pose) -> Pose:
    return replace(
        first,
        x=(first.x + second.x) / 2,
        y=(first.y + second.y) / 2,
        tilt=(first.tilt + second.tilt) / 2,
        pencil=(first.pencil + second.pencil) / 2,
    )
