"""What does going on from an earlier fit save, and how near to a refit does it come?

    python benchmarks/update.py            the real sets, then a million drawn votes
    python benchmarks/update.py --quick    only the real sets

One in a hundred votes, one in a hundred clips, or one in fifty instruments is
kept back at first (at least one). Then all is known, and the model is fitted
from the start ("refit") and from the earlier fit ("update"). Times are
processor seconds of the fit alone, the least of three. "unsettled" is how far
the refit itself is from where a hundred steps lead: an update can be no nearer
to a refit than that. Exits with 1 if one is farther away than both together.
The votes are real and no part of this repository, see benchmarks/vote_sets.py;
the million is drawn: people of different skill, five votes a clip.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from vote_sets import DATA, read_sets

from curate.labels import Evidence, FitSettings, Posterior, evidence_from_frame, fit
from curate.labels.carry import Earlier

NAMES = ("bluebirds", "dog", "weather_sentiment", "music_genre", "snow_rte", "adult_all", "crema_d")
MACHINES = ("llmbar", "tempcompass_yesno")
SHARES = {"votes": 0.01, "clips": 0.01, "instruments": 0.02}
"""What is kept back at first."""
REPEATS = 3
LIMIT = 5e-3
"""How far a probability of an update may be from that of a refit, beside what is unsettled of the refit."""
SETTLED = 100
"""Steps after which a fit no longer moves."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Evidence before and after something was added."""

    name: str
    added: str
    before: Evidence
    after: Evidence


@dataclass(frozen=True, slots=True)
class Gain:
    """What an update saved and cost."""

    refit_s: float
    update_s: float
    largest: float
    """Largest difference of a probability."""
    mean: float
    changed: float
    """Share of clips whose likeliest class differs."""
    unsettled: float
    """Largest difference between the refit and one of `SETTLED` steps."""

    @property
    def strays(self) -> bool:
        """Whether the update is too far from the refit."""
        return self.largest > LIMIT + self.unsettled


def main() -> int:
    """Print the table; 1 if an update strays too far from its refit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="only the real sets")
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'set':18} {'added':12} {'votes':>9} {'refit s':>8} {'update s':>8} {'times':>6}", end=" ")
    print(f"{'max |dp|':>9} {'mean |dp|':>9} {'changed':>8} {'unsettled':>9}")
    strayed = []
    for growth in growths(quick=asked.quick):
        gain = measured(growth)
        print_gain(growth, gain)
        strayed += [f"{growth.name} ({growth.added})"] if gain.strays else []
    print(f"\nfarther than {LIMIT} from a refit: {', '.join(strayed) or 'nowhere'}")
    return int(bool(strayed))


def growths(*, quick: bool) -> Iterator[Growth]:
    """Each real set with each thing added, then the drawn votes."""
    if not DATA.is_dir():
        print(f"no test data at {DATA}: set CURATE_TEST_DATA")
    else:
        for votes in read_sets():
            if votes.name in (*NAMES, *MACHINES):
                for added in SHARES:
                    evidence = votes.evidence
                    yield grown(votes.name, votes.frame, added, evidence.classes, ordinal=evidence.ordinal)
    if not quick:
        yield grown("drawn", drawn(1_000_000, 200_000, 2_000), "votes", tuple("0123456789"))


def grown(
    name: str, frame: pl.DataFrame, added: str, classes: tuple[str, ...], *, ordinal: bool = False
) -> Growth:
    """The evidence without some of it, and with all of it."""
    rng = np.random.default_rng(0)
    if added == "votes":
        late = pl.Series(rng.random(len(frame)) < SHARES[added])
    else:
        column = frame["clip_id" if added == "clips" else "instrument"]
        names = column.unique().sort()
        drawn_names = rng.choice(len(names), max(1, round(len(names) * SHARES[added])), replace=False)
        late = column.is_in(names.gather(drawn_names).implode())
    before, after = (evidence_from_frame(f, classes, ordinal=ordinal) for f in (frame.filter(~late), frame))
    return Growth(name, added, before, after)


def drawn(votes: int, clips: int, people: int) -> pl.DataFrame:
    """Votes of people of different skill on ten classes, spread evenly over clips."""
    rng = np.random.default_rng(0)
    truth, skill = rng.integers(0, 10, clips), rng.beta(6, 3, people)
    clip, person = rng.permutation(np.arange(votes) % clips), rng.integers(0, people, votes)
    right = rng.random(votes) < skill[person]
    says = np.where(right, truth[clip], rng.integers(0, 10, votes))
    columns = {"clip_id": clip, "instrument": person, "outcome": says}
    return pl.DataFrame({name: pl.Series(codes).cast(pl.String) for name, codes in columns.items()})


def measured(growth: Growth) -> Gain:
    """Fit both ways, and compare."""
    earlier = Earlier(growth.before, fit(growth.before))
    refit_s, refit = timed(growth.after, None)
    update_s, update = timed(growth.after, earlier)
    away = np.abs(refit.probabilities - update.probabilities)
    changed = refit.probabilities.argmax(axis=1) != update.probabilities.argmax(axis=1)
    settled = fit(growth.after, FitSettings(steps=SETTLED)).probabilities
    unsettled = float(np.abs(refit.probabilities - settled).max())
    return Gain(refit_s, update_s, float(away.max()), float(away.mean()), float(changed.mean()), unsettled)


def timed(evidence: Evidence, earlier: Earlier | None) -> tuple[float, Posterior]:
    """Least processor seconds of a few fits, and what they gave."""
    seconds = []
    for _ in range(REPEATS):
        started = time.process_time()
        posterior = fit(evidence, earlier=earlier)
        seconds.append(time.process_time() - started)
    return min(seconds), posterior


def print_gain(growth: Growth, gain: Gain) -> None:
    """One line."""
    print(f"{growth.name:18} {growth.added:12} {len(growth.after.item):9,}", end=" ")
    print(f"{gain.refit_s:8.3f} {gain.update_s:8.3f} {gain.refit_s / gain.update_s:6.2f}", end=" ")
    print(f"{gain.largest:9.5f} {gain.mean:9.6f} {gain.changed:8.4f} {gain.unsettled:9.5f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
