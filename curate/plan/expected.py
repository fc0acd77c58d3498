"""The calls of a run, reckoned: under whose name, with which abilities, counted by what."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

def find_asker(run: Run) -> Asker | None:
    vlm = run.recipe.vlm
    if not isinstance(vlm, ReplayBackend):
        return lastfind_asker(run.ledger, vlm)
    client = ReplayClient(vlm.ledger)
    asyncio.run(client.close())
    return Asker(client.model, canonical(client.parameters))


def abilities_of(vlm: Vlm, asker: Asker | None) -> Abilities:
    """What the model can tell, as far as it is known; a server that nobody asked is taken to tell all."""
    if asker is None:
        return Abilities(vlm.backend, "before_mask", structured=True)
    kind = asker.told.get("logprobs")
    logprobs = kind if kind in ("after_mask", "before_mask") else None
    return Abilities(asker.model, logprobs, structured=asker.told.get("structured") is True)


def reckoned(
    run: Run, there: Looked, asker: Asker | None, abilities: Abilities, counter: TokenCounter
) -> tuple[Told, Mapping[Kind, Load], int]:
    """How the model tells, the calls by kind, and how many replies at hand are of other calls."""
    if asker is None or not run.ledger.is_file():
        return *_loads(run, there, abilities, _reckoning(run, there, counter, asker)), 0
    with Ledger(run.ledger) as ledger:
        known = replace(_reckoning(run, there, counter, asker), reply=ledger.get)
        told, loads = _loads(run, there, abilities, known)
        return told, loads, ledger.count() - sum(load.held for load in loads.values())


def _loads(
    run: Run, there: Looked, abilities: Abilities, reckoning: Reckoning
) -> tuple[Told, Mapping[Kind, Load]]:
    step = run.steps("plan")

    async def reckoned() -> tuple[Told, Mapping[Kind, Load]]:
        client = CannedClient(lambda prompt: "", abilities=abilities)
        survey = await make_survey(run, there.clips, client)
        found = await reckon(
            there.shown,
            survey,
            there.pictures,
            reckoning,
            progress=lambda done: step(done, len(there.shown)),
        )
        return survey.told, found

    return asyncio.run(reckoned())


def _reckoning(run: Run, there: Looked, counter: TokenCounter, asker: Asker | None) -> Reckoning:
    is_local = isinstance(run.recipe.vlm, TransformersBackend | VllmBackend)

    def size_of(sha256: str) -> tuple[int, int]:
        sent = there.pictures[sha256]
        return sent.width, sent.height

    return Reckoning(
        tokens_in=lambda prompt: counter.prompt(prompt, lambda picture: size_of(picture.sha256)),
        tokens_out=lambda form: reply_tokens(form, is_local=is_local),
        asker=asker,
    )


def at_most(run: Run) -> frozenset[Kind]:
    """Kinds of calls of which there may be fewer: two sentences may turn out the same."""
    resting: tuple[Kind, ...] = ("questionnaire", "variants", "controls")
    some: frozenset[Kind] = frozenset(("context", "reasons"))
    return some.union(resting) if run.recipe.answers.context == "between" else some


def is_uncertain(run: Run) -> bool:
    answers = run.recipe.answers
    return (
        isinstance(run.recipe.vlm, OpenAIBackend) and answers.probabilities == "auto" and answers.samples > 1
    )


def otherwise(run: Run, there: Looked, counter: TokenCounter) -> Otherwise:
    untold = Abilities("a server", None, structured=True)
    _, loads = _loads(run, there, untold, _reckoning(run, there, counter, None))
    bill = lines(loads, at_most(run))
    return Otherwise(sum(line.calls for line in bill), cost(bill, price_of(run.recipe.vlm)))
