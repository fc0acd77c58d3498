import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.answers.schedule import BASE, LEAST, Way, drawn, make_schedule, wording_problems
from curate.questionnaire import Item, Paraphrase, Questionnaire
from curate.recipe import Answers, Controls, Variants

ITEMS = (
    Item(id="smile", ask="A smile?", options=("no", "yes"), why="w", paraphrases=(Paraphrase(ask="So?"),)),
    Item(id="eyes", ask="The eyes?", options=("closed", "half", "wide"), why="w"),
)
QUESTIONS = Questionnaire(name="q", about="Cues.", items=ITEMS)
IDS = [f"{n:016x}" for n in range(200)]
NONE = Controls(canary=0, no_media=0, shuffled=0)


@given(st.integers(0, 300), st.floats(0, 1), st.integers(0, 20))
def test_a_share_rounded_up_or_the_least(n: int, share: float, least: int) -> None:
    ids = [f"{i:x}" for i in range(n)]
    found = drawn(ids, share, "purpose", least)
    assert found <= set(ids)
    # ceil(share n), or the least of it, where there are as many.
    assert len(found) == (0 if share == 0 else min(max(-int(-share * n // 1), least), n))


@given(st.permutations(IDS[:50]), st.floats(0.01, 1))
def test_order_does_not_matter(ids: list[str], share: float) -> None:
    assert drawn(ids, share, "purpose") == drawn(IDS[:50], share, "purpose")


def test_other_purposes_draw_others_and_more_clips_keep_the_first() -> None:
    assert drawn(IDS, 0.1, "canary") != drawn(IDS, 0.1, "shuffled")
    few, many = drawn(IDS, 0.1, "canary"), drawn(IDS, 0.3, "canary")
    assert few < many


def test_by_default_there_are_controls_and_no_variants() -> None:
    schedule = make_schedule(IDS, Answers(), QUESTIONS)
    assert {schedule.ways_of(clip_id) for clip_id in IDS} == {(BASE,)}
    for control in ("canary", "no_media", "shuffled"):
        # 2 % of 200 are four: fewer than the least.
        assert sum(control in schedule.controls_of(clip_id) for clip_id in IDS) == LEAST


def test_every_order_every_wording_every_repeat() -> None:
    answers = Answers(
        debias="position",
        permutations=1,
        paraphrases=Variants(count=1, share=1),
        repeats=Variants(count=2, share=1),
        controls=NONE,
    )
    schedule = make_schedule(IDS, answers, QUESTIONS)
    # Four options with "cannot be seen": three more orders.
    assert schedule.ways_of(IDS[0]) == (
        BASE,
        *(Way(f"order {shift}", shift=shift) for shift in (1, 2, 3)),
        Way("wording 1", wording=1),
        Way("repeat 1", draw=1),
        Way("repeat 2", draw=2),
    )
    assert schedule.controls_of(IDS[0]) == ()


def test_orders_are_asked_only_to_take_their_bias_off() -> None:
    schedule = make_schedule(IDS, Answers(permutations=1, controls=NONE), QUESTIONS)
    assert schedule.ways_of(IDS[0]) == (BASE,)


@pytest.mark.parametrize(("count", "is_told"), [(0, False), (1, True), (2, True)])
def test_wordings_that_are_not_there(count: int, is_told: bool) -> None:
    problems = wording_problems(Answers(paraphrases=Variants(count=count)), QUESTIONS)
    assert bool(problems) == is_told
    if is_told:
        assert "eyes (0)" in problems[0].what
