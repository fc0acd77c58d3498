"""What a run would newly ask, what that takes, and what is at hand already."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from curate.answers.ask import each
from curate.answers.questions import Told
from curate.check import check, vlm_problems
from curate.errors import Problem, QuestionnaireError, RecipeError
from curate.interview import put_questions
from curate.plan.bill import Line, asking_s, cost
from curate.plan.disk import Disk, disk
from curate.plan.expected import Otherwise, expect, find_asker, otherwise
from curate.plan.look import Looked, ledger_of, look
from curate.recipe import TransformersBackend, VllmBackend, Vlm, price_of
from curate.run_folder import Progress, Run, open_run, silent
from curate.vlm.desk.earlier import pace_reached
from curate.vlm.desk.ledger import Ledger
from curate.vlm.tokens.count import token_counter
from curate.vlm.tokens.ranges import Range


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a pilot newly took."""

    clips: int
    calls: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    """In US dollars; None without a price."""
    failed: int
    """Questions that came to nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run of a recipe would newly ask, and what that takes."""

    folder: str
    """Of the run."""
    clips: int
    """With pictures, and so asked about."""
    set_aside: int
    """Files and rows that cannot be used."""
    not_sampled: int
    """Clips beyond a limit."""
    pictures: int
    """Different ones."""
    told: Told
    """How the model tells how sure it is."""
    counted_by: str
    """What tokens are counted by."""
    bill: tuple[Line, ...]
    other_replies: int
    """In the ledger, of calls that are not part of this plan."""
    cost: Range | None
    """In US dollars; None without a price."""
    asking_s: Range | None
    """Seconds; None where no pace was measured."""
    at_once: float | None
    """Calls under way on average, as measured."""
    devices: int | None
    """That a model in this process runs on; None for a server."""
    disk: Disk
    otherwise: Otherwise | None
    """Where it is not known yet whether the server tells log-probabilities, and it matters."""
    pilot: Pilot | None


def plan(
    recipe: Path,
    folder: Path | None = None,
    *,
    environ: Mapping[str, str],
    limit: int | None = None,
    pilot: int | None = None,
    progress: Progress = silent,
) -> Plan:
    """Say what `curate run` with the same arguments would newly ask, and what that takes.

    Clips are read and their pictures taken as the run does, which does not
    take them again. Without a pilot no model is asked and no key is needed.

    Args:
        recipe: The recipe's file.
        folder: The run's folder, as of `curate.run`.
        environ: Where the key of a model's server is looked up, for a pilot.
        limit: Only so many clips, as of `curate.run`.
        pilot: Ask about so many clips, a random sample, for real: the very calls
            that the run makes, kept in its ledger, so that it does not make them
            again.
        progress: Told of every step.

    Raises:
        CurateError: With what to put right.
    """
    run = _open(recipe, folder, environ, limit, is_asking=pilot is not None)
    run = replace(run, progress=progress)
    there = look(run)
    piloted = None if pilot is None else _pilot(run, there, pilot)
    asker, counter = find_asker(run), token_counter(run.recipe.vlm)
    expected = expect(run, there, asker, counter)
    pace = pace_reached(ledger_of(run), asker) if asker and ledger_of(run).is_file() else None
    return Plan(
        folder=str(run.folder),
        clips=len(there.shown),
        set_aside=there.set_aside,
        not_sampled=there.not_sampled,
        pictures=len(there.pictures),
        told=expected.told,
        counted_by=counter.said_by,
        bill=expected.bill,
        other_replies=expected.other_replies,
        cost=cost(expected.bill, price_of(run.recipe.vlm)),
        asking_s=asking_s(expected.loads, pace),
        at_once=pace.at_once if pace else None,
        devices=_devices(run.recipe.vlm),
        disk=disk(run, there, expected.bill),
        otherwise=None if asker else otherwise(run, there, counter),
        pilot=piloted,
    )


def _open(
    recipe: Path, folder: Path | None, environ: Mapping[str, str], limit: int | None, *, is_asking: bool
) -> Run:
    """The run, or every problem of its recipe at once; the model's own only where it is to be asked."""
    try:
        run = open_run(recipe, folder, environ=environ, limit=limit)
    except (RecipeError, QuestionnaireError) as error:
        found = [problem for problem in check(recipe, environ) if not problem.mends_itself]
        to_fix = [problem for problem in found if is_asking or not _is_of_asking(problem)]
        raise RecipeError(str(recipe), to_fix or list(error.problems)) from error
    if is_asking and (to_fix := vlm_problems(run.recipe.vlm, environ)):
        raise RecipeError(str(recipe), to_fix)
    return run


def _is_of_asking(problem: Problem) -> bool:
    """Whether it stands in the way of asking, and of nothing else."""
    return problem.where == "vlm.api_key_env" or problem.what.endswith("is not installed")


def _pilot(run: Run, there: Looked, n_clips: int) -> Pilot:
    """Ask about the first clips. Ids come from a hash: those are a random sample."""
    few = there.shown[:n_clips]
    # Variants and controls are drawn over all clips, so that what is asked now is what the run asks.
    watched = replace(run, progress=lambda stage, done, total: run.progress(stage, done, len(few)))
    with Ledger(ledger_of(run)) as ledger:
        asked, spent, _ = asyncio.run(put_questions(watched, there.clips, partial(each, few), ledger))
    return Pilot(len(few), spent.calls, spent.tokens_in, spent.tokens_out, spent.cost, asked.n_failed)


def _devices(vlm: Vlm) -> int | None:
    if isinstance(vlm, VllmBackend):
        return vlm.tensor_parallel
    return 1 if isinstance(vlm, TransformersBackend) else None
