"""The calls of a run, reckoned: in whose name, with which abilities, counted by what."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from curate.answers.questions import Told
from curate.interview import make_survey
from curate.plan.bill import Line, cost, lines
from curate.plan.load import Kind, Load, Reckoning, reckon
from curate.plan.look import Looked, ledger_of
from curate.recipe import OpenAIBackend, ReplayBackend, TransformersBackend, VllmBackend, Vlm, price_of
from curate.run_folder import Run
from curate.vlm.canned import CannedClient
from curate.vlm.client import Abilities
from curate.vlm.desk.earlier import Asker, last_asker
from curate.vlm.desk.keys import canonical
from curate.vlm.desk.ledger import Ledger
from curate.vlm.replay import ReplayClient
from curate.vlm.tokens.count import TokenCounter, reply_tokens
from curate.vlm.tokens.ranges import Range


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run is expected to ask."""

    told: Told
    """How the model tells how sure it is."""
    loads: Mapping[Kind, Load]
    bill: tuple[Line, ...]
    other_replies: int
    """In the ledger, of calls that are not among these."""


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What it would be if the server told no log-probabilities."""

    calls: int
    cost: Range | None
    """In US dollars; None without a price."""


def find_asker(run: Run) -> Asker | None:
    """Who answers by the run's ledger, or by the one to replay; None where nobody answered yet."""
    vlm = run.recipe.vlm
    if not isinstance(vlm, ReplayBackend):
        return last_asker(ledger_of(run), vlm)
    client = ReplayClient(vlm.ledger)
    asyncio.run(client.close())
    return Asker(client.model, canonical(client.parameters))


def expect(run: Run, there: Looked, asker: Asker | None, counter: TokenCounter) -> Expected:
    """The calls of a run over these clips, those at hand apart."""
    abilities = _abilities(run.recipe.vlm, asker)
    if asker is None or not ledger_of(run).is_file():
        told, loads = _loads(run, there, abilities, _reckoning(run, there, counter, asker))
        return Expected(told, loads, lines(loads, _at_most(run)), 0)
    with Ledger(ledger_of(run)) as ledger:
        told, loads = _loads(run, there, abilities, _reckoning(run, there, counter, asker, ledger))
        others = ledger.count() - sum(load.held for load in loads.values())
    return Expected(told, loads, lines(loads, _at_most(run)), others)


def otherwise(run: Run, there: Looked, counter: TokenCounter) -> Otherwise | None:
    """The same for a server without log-probabilities; None where that changes no number of calls."""
    vlm, answers = run.recipe.vlm, run.recipe.answers
    if not isinstance(vlm, OpenAIBackend) or answers.probabilities != "auto" or answers.samples == 1:
        return None
    untold = Abilities("a server", None, structured=True)
    _, loads = _loads(run, there, untold, _reckoning(run, there, counter))
    bill = lines(loads, _at_most(run))
    return Otherwise(sum(line.calls for line in bill), cost(bill, price_of(vlm)))


def _abilities(vlm: Vlm, asker: Asker | None) -> Abilities:
    """What the model can tell, as far as it is known; a server that nobody asked is taken to tell all."""
    if asker is None:
        return Abilities(vlm.backend, "before_mask", structured=True)
    kind = asker.told.get("logprobs")
    logprobs = kind if kind in ("after_mask", "before_mask") else None
    return Abilities(asker.model, logprobs, structured=asker.told.get("structured") is True)


def _reckoning(
    run: Run, there: Looked, counter: TokenCounter, asker: Asker | None = None, ledger: Ledger | None = None
) -> Reckoning:
    is_local = isinstance(run.recipe.vlm, TransformersBackend | VllmBackend)
    return Reckoning(
        tokens_in=lambda prompt: counter.prompt(prompt, lambda picture: there.pictures[picture.sha256].size),
        tokens_out=lambda form: reply_tokens(form, is_local=is_local),
        asker=asker,
        reply=ledger.get if ledger else lambda key: None,
    )


def _loads(
    run: Run, there: Looked, abilities: Abilities, reckoning: Reckoning
) -> tuple[Told, Mapping[Kind, Load]]:
    step = run.steps("plan")

    async def reckoned() -> tuple[Told, Mapping[Kind, Load]]:
        survey = await make_survey(run, there.clips, CannedClient(lambda prompt: "", abilities=abilities))
        n_clips = len(there.shown)
        loads = await reckon(
            there.shown, survey, there.pictures, reckoning, progress=lambda done: step(done, n_clips)
        )
        return survey.told, loads

    return asyncio.run(reckoned())


def _at_most(run: Run) -> frozenset[Kind]:
    """Kinds of calls of which there may be fewer: two sentences may turn out the same."""
    some: frozenset[Kind] = frozenset(("context", "reasons"))
    resting: frozenset[Kind] = frozenset(("questionnaire", "variants", "controls"))
    return some | resting if run.recipe.answers.context == "between" else some
