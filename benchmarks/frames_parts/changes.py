"""Is a picture taken inside a change that lasts 0.3 s?"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import sqrt

import numpy as np
from frames_parts.drawn import DISTURBANCES, Disturbance, encoded, inside, script

from curate.frames.decode import video_pictures
from curate.recipe import Frames

BUDGET = 8
LEAST_SHARE = 0.97
LIMITED: tuple[Disturbance, ...] = ("clean", "noise", "shake", "compression")
"""Under these the limit holds; of a head that sways all the time only the figure is told."""
N_CLIPS = 30
FIRST_SEED = 50_000
"""Seeds below were used to choose the method."""
Z_95 = 1.96


def report(n_clips: int = N_CLIPS) -> list[str]:
    """Print shares of changes with a key frame inside; the limits that were missed."""
    print(f"drawn clips of 10 s, {BUDGET} pictures, changes of 0.3 s: share with a picture inside (95 %)")
    print(f"{'':14}{'one change a clip':>44}{'eight changes a clip':>44}")
    print(f"{'':14}" + f"{'uniform':>22}{'events':>22}" * 2)
    missed = []
    with ProcessPoolExecutor() as pool:
        for disturbance in DISTURBANCES:
            cells, shares = [], []
            for n_changes in (1, BUDGET):
                seeds = range(FIRST_SEED, FIRST_SEED + n_clips)
                met = list(pool.map(partial(_met, disturbance, n_changes), seeds))
                for hits in zip(*met, strict=True):
                    shares.append(sum(hits) / (n_changes * n_clips))
                    cells.append(_share(sum(hits), n_changes * n_clips))
            print(f"{disturbance:14}" + "".join(f"{cell:>22}" for cell in cells), flush=True)
            if disturbance in LIMITED and shares[1] < LEAST_SHARE:
                missed.append(f"{disturbance}: {shares[1]:.3f} of single changes met")
    print(f"limit: at least {LEAST_SHARE} of single changes, events, {', '.join(LIMITED)}")
    return missed


def _met(disturbance: Disturbance, n_changes: int, seed: int) -> tuple[int, int]:
    """Changes with a picture inside, of uniform and of events."""
    rng = np.random.default_rng([seed, DISTURBANCES.index(disturbance), n_changes])
    told = script(rng, n_changes)
    video = encoded(told, disturbance, rng)
    uniform, events = (inside(told, list(_times_s(video, strategy))) for strategy in ("uniform", "events"))
    return uniform, events


def _times_s(video: bytes, strategy: str) -> Iterator[float]:
    frames = Frames.model_validate({"strategy": strategy, "count": BUDGET, "size_px": 16})
    return (picture.moment.t_s for picture in video_pictures(video, frames).shown)


def _share(hits: int, n: int) -> str:
    """With Wilson's interval."""
    share, centre = hits / n, (hits + Z_95**2 / 2) / (n + Z_95**2)
    half = Z_95 * sqrt(share * (1 - share) / n + Z_95**2 / (4 * n * n)) / (1 + Z_95**2 / n)
    return f"{share:.3f} ({max(0, centre - half):.3f}-{min(1, centre + half):.3f})"
