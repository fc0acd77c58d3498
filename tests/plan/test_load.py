import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate.answers.ask import Survey, ask_about, each
from curate.answers.questions import how_told
from curate.answers.schedule import make_schedule
from curate.answers.shown import Moment, Shown
from curate.plan.load import Kind, Load, Reckoning, Sent, reckon
from curate.questionnaire import Item, Paraphrase, Questionnaire
from curate.recipe import Answers, Controls, Task, Variants
from curate.vlm.canned import CannedClient
from curate.vlm.client import Abilities, Letter, Pace, Prompt, Reply, Sheet
from curate.vlm.desk.asking import Desk
from curate.vlm.desk.earlier import Asker
from curate.vlm.desk.keys import canonical
from curate.vlm.desk.ledger import Ledger
from curate.vlm.tokens.ranges import exactly

ITEMS = tuple(
    Item(
        id=name,
        ask=f"How much {name}?",
        options=options,
        why="w",
        paraphrases=(Paraphrase(ask=f"Is there {name}?"), Paraphrase(ask=f"Some {name}?")),
    )
    for name, options in (("smile", ("no", "yes")), ("gaze", ("down", "level", "up")))
)
QUESTIONS = Questionnaire(name="q", about="Cues.", items=ITEMS)
TASK = Task(classes=("dull", "bright"))
NONE = Controls(canary=0, no_media=0, shuffled=0)
SOME = Controls(canary=0.2, no_media=0.2, shuffled=0.2, wrong_media="warn")
UNTOLD = Abilities("a server", None, structured=True)
TOLD = Abilities("a server", "before_mask", structured=True)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def clip(n: int, look: int, *, n_keys: int = 3, transcript: str | None = None) -> Shown:
    """A clip that looks like all others of the same `look`."""
    keys = tuple(Moment(4 * i, 1.0 * i, digest(f"key {i} of {look}")) for i in range(n_keys))
    between = tuple(
        (Moment(4 * i + 1, i + 0.25, digest(f"between {i} of {look}")),) for i in range(n_keys - 1)
    )
    return Shown(f"{n:016x}", f"clip {n}", keys, between, transcript)


# Two clips that show the same, next to each other and apart; one with a single picture.
CLIPS = [*(clip(n, n) for n in range(12)), clip(12, 11), clip(13, 2), clip(14, 14, n_keys=1)]
TALKING = [clip(n, n // 2, transcript=f"Number {n // 3}.") for n in range(12)]


def pictures(clips: list[Shown]) -> dict[str, Sent]:
    moments = [(one, moment) for one in clips for moment in (*one.keys, *sum(one.between, ()))]
    return {moment.sha256: Sent(one.clip_id, (64, 48)) for one, moment in reversed(moments)}


def said(prompt: Prompt) -> Reply:
    """A model that always answers as it is asked, and says something else each time."""
    mark = digest(repr((prompt.parts, prompt.draw)))[:8]
    form = prompt.form
    if isinstance(form, Letter):
        return Reply("A", "m", option_logprobs=(-1.0,) * len(form.letters))
    if not isinstance(form, Sheet):
        return Reply(f"Something moves, {mark}.", "m")
    keys = json.loads(form.schema)["properties"]
    filled: dict[str, object] = {
        key: said_to[0] if (said_to := of.get("enum")) else 50 for key, of in keys.items()
    }
    if "scores" in keys:
        filled |= {"reasoning": mark, "scores": {"A": 90, "B": 10}, "label": "A"}
    if "verdict" in keys:
        filled |= {"reason": mark, "verdict": "confirm", "label": "A"}
    return Reply(json.dumps(filled), "m")


@dataclass(frozen=True)
class Both:
    """What was planned, and what was asked."""

    planned: dict[Kind, Load]
    asked: list[Prompt]
    left: dict[Kind, Load]
    """What a second plan finds, with the ledger of the first run at hand."""

    @property
    def calls(self) -> dict[str, int]:
        return {kind: load.calls for kind, load in self.planned.items() if load.calls}


def plan_and_ask(
    path: Path,
    answers: Answers,
    *,
    clips: list[Shown] = CLIPS,
    abilities: Abilities = TOLD,
    say: Callable[[Prompt], Reply] = said,
) -> Both:
    client = CannedClient(say, abilities=abilities, pace=Pace(5))
    survey = Survey(
        QUESTIONS,
        answers,
        TASK,
        make_schedule([one.clip_id for one in clips], answers, QUESTIONS),
        how_told(answers, abilities),
        reasoned=lambda clip_id: answers.reasons == "all",
    )

    def reckoned(asker: Asker | None = None, ledger: Ledger | None = None) -> dict[Kind, Load]:
        by = Reckoning(lambda prompt: exactly(10), lambda form: exactly(1), asker)
        if ledger:
            by = Reckoning(by.tokens_in, by.tokens_out, asker, ledger.get)
        return asyncio.run(reckon(clips, survey, pictures(clips), by))

    async def asked(ledger: Ledger) -> None:
        desk = Desk(client, ledger, pace=client.pace, rng=np.random.default_rng(0))
        await ask_about(each(clips), survey, desk, lambda sha256: b"", concurrency=5)

    planned = reckoned()
    with Ledger(path / "ledger.sqlite") as ledger:
        asyncio.run(asked(ledger))
        left = reckoned(Asker(client.model, canonical(client.parameters)), ledger)
    return Both(planned, client.asked, left)


SETTINGS = {
    "separate": Answers(controls=NONE),
    "joint": Answers(controls=SOME, mode="joint"),
    "controls": Answers(controls=SOME),
    "samples": Answers(controls=SOME, probabilities="samples", samples=3),
    "stated": Answers(controls=SOME, probabilities="stated"),
    "permutations": Answers(controls=NONE, debias="position", permutations=0.8),
    "joint permutations": Answers(controls=NONE, debias="position", permutations=1, mode="joint"),
    "paraphrases": Answers(controls=SOME, paraphrases=Variants(count=2, share=0.5)),
    "repeats": Answers(controls=SOME, repeats=Variants(count=2, share=0.5)),
    "sampled repeats": Answers(
        controls=NONE, repeats=Variants(count=2, share=1), probabilities="samples", samples=2
    ),
    "context": Answers(controls=SOME, context="between"),
    "reasons": Answers(controls=SOME, reasons="all"),
    "everything": Answers(
        controls=SOME,
        mode="joint",
        context="between",
        reasons="all",
        debias="position",
        paraphrases=Variants(count=1, share=0.3),
        repeats=Variants(count=1, share=0.3),
    ),
}


@pytest.mark.parametrize("answers", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("clips", [CLIPS, TALKING], ids=["silent", "talking"])
def test_what_is_planned_is_what_is_asked(tmp_path: Path, answers: Answers, clips: list[Shown]) -> None:
    both = plan_and_ask(tmp_path, answers, clips=clips)
    assert sum(load.calls for load in both.planned.values()) == len(both.asked)
    assert sum(load.pictures for load in both.planned.values()) == sum(
        len(prompt.pictures) for prompt in both.asked
    )


@pytest.mark.parametrize("answers", SETTINGS.values(), ids=SETTINGS)
def test_what_was_asked_is_at_hand_afterwards(tmp_path: Path, answers: Answers) -> None:
    both = plan_and_ask(tmp_path, answers)
    assert not any(load.calls for load in both.left.values())
    held = {kind: load.held for kind, load in both.left.items() if load.held}
    assert held == both.calls


def test_what_calls_are_made_for(tmp_path: Path) -> None:
    unlike = [clip(n, n) for n in range(4)]
    answers = Answers(
        controls=SOME,
        context="between",
        reasons="all",
        repeats=Variants(count=1, share=1),
        debias="position",
        permutations=1,
    )
    assert plan_and_ask(tmp_path, answers, clips=unlike).calls == {
        "context": 4 * 2,  # two gaps a clip
        "questionnaire": 4 * 2,  # two items
        "variants": 4 * (2 + 3 + 2),  # the other orders of three and of four options; a repeat of each item
        "controls": 4 * 3 * 2,  # three controls of two items
        "reasons": 4 * 3 + 1,  # observe, conclude, reflect; and one conclusion of nothing
    }


def test_the_same_words_without_a_picture_are_asked_once(tmp_path: Path) -> None:
    controls = Controls(canary=0, no_media=1, shuffled=0, wrong_media="warn")
    assert plan_and_ask(tmp_path, Answers(controls=controls)).calls["controls"] == len(ITEMS)


def test_clips_that_show_the_same_share_their_answers(tmp_path: Path) -> None:
    twins = [clip(0, 7), clip(1, 7)]
    assert plan_and_ask(tmp_path, Answers(controls=NONE), clips=twins).calls == {"questionnaire": 2}


@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_steps_that_fail_make_fewer_calls_and_never_more(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    refused = data.draw(st.sets(st.sampled_from("0123456789abcdef")))

    def say(prompt: Prompt) -> Reply:
        reply = said(prompt)
        is_refused = digest(prompt.text)[0] in refused and not isinstance(prompt.form, Letter)
        return Reply("I'm sorry, I cannot help with that.", "m") if is_refused else reply

    answers = Answers(controls=SOME, context="between", reasons="all")
    both = plan_and_ask(tmp_path_factory.mktemp("run"), answers, clips=TALKING[:5], say=say)
    assert sum(load.calls for load in both.planned.values()) >= len(both.asked)
    assert not any(load.calls for load in both.left.values())


def test_tokens_of_replies_at_hand_are_measured_clip_by_clip(tmp_path: Path) -> None:
    def say(prompt: Prompt) -> Reply:
        taken = Reply("A", "m", option_logprobs=(0.0,), tokens_in=20, tokens_out=2, latency_s=0.5)
        return taken if prompt.pictures else Reply("A", "m", option_logprobs=(0.0,), latency_s=0.25)

    controls = Controls(canary=0, no_media=1, shuffled=0, wrong_media="warn")
    left = plan_and_ask(tmp_path, Answers(controls=controls), clips=CLIPS[:3], say=say).left
    measures = left["questionnaire"].measures
    assert set(measures) == {one.clip_id for one in CLIPS[:3]}
    (one, *_) = measures.values()
    # Two items about a clip: reckoned 10 and 1 tokens each, told 20 and 2.
    assert (one.calls, one.told, one.reckoned_in, one.tokens_in, one.tokens_out) == (2, 2, 20, 40, 4)
    untold = left["controls"].measures.values()
    assert [(each.calls, each.told, each.latency_s) for each in untold] == [(1, 0, 0.25)] * 2


def test_a_prompt_and_its_pictures_are_counted_once_each(tmp_path: Path) -> None:
    both = plan_and_ask(tmp_path, Answers(controls=NONE), clips=CLIPS[:2], abilities=UNTOLD)
    load = both.planned["questionnaire"]
    assert (load.calls, load.pictures, load.tokens_in, load.tokens_out) == (4, 12, exactly(40), exactly(4))
