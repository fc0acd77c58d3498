from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from curate.vlm.client import Form, Letter, Picture, Prompt, Sheet, Words
from curate.vlm.desk.keys import call_key, canonical, prompt_digest


def nothing(_: str) -> bytes:
    raise AssertionError("a digest needs no bytes")


digests = st.integers(0, 3).map(lambda n: f"{n:064x}")
pictures = st.builds(Picture, digests, st.just(nothing), st.sampled_from(["image/jpeg", "image/png"]))
letters = st.integers(2, 4).map(lambda n: tuple("ABCD"[:n]))
sheets = st.builds(
    Sheet, st.sampled_from(["{}", '{"type":"object"}']), st.integers(1, 2), st.just(()) | letters.map(
        lambda found: (("eyes", found),)
    )
)  # fmt: skip
forms: st.SearchStrategy[Form] = st.builds(Letter, letters) | sheets | st.builds(Words, st.integers(1, 2))
prompts = st.builds(
    Prompt,
    st.lists(pictures | st.text(max_size=3), max_size=3).map(tuple),
    forms,
    st.integers(0, 1),
    st.booleans(),
    st.sampled_from(["", "canary"]),
)
Parts = tuple[Prompt, str, int, str, str]
parts = st.tuples(
    prompts, st.sampled_from(["m@1", "m@2"]), st.integers(0, 1), st.sampled_from(["q-1", "q-2"]), digests
)


def key(parts: Parts) -> str:
    prompt, model, seed, version, receipt = parts
    return call_key(
        prompt_digest(prompt),
        model=model,
        parameters=canonical({"temperature": 0, "seed": seed}),
        prompt_version=version,
        receipt=receipt,
    )


@given(parts, parts)
def test_keys_are_the_same_exactly_when_everything_is(one: Parts, other: Parts) -> None:
    assert (key(one) == key(other)) == (one == other)


@given(parts, st.integers(0, 4), parts)
def test_any_changed_part_makes_another_key(one: Parts, place: int, other: Parts) -> None:
    changed = (*one[:place], other[place], *one[place + 1 :])
    assert (key(one) == key(changed)) == (one[place] == other[place])


@given(prompts, prompts, st.sampled_from(["parts", "form", "draw", "warm", "again"]))
def test_every_field_of_a_prompt_counts(prompt: Prompt, other: Prompt, field: str) -> None:
    changed = replace(prompt, **{field: getattr(other, field)})
    assert (prompt_digest(prompt) == prompt_digest(changed)) == (prompt == changed)


@given(prompts)
def test_parts_count_in_their_order(prompt: Prompt) -> None:
    turned = replace(prompt, parts=prompt.parts[::-1])
    assert (prompt_digest(prompt) == prompt_digest(turned)) == (prompt.parts == prompt.parts[::-1])


def test_words_that_look_like_a_picture_are_words() -> None:
    picture = Picture("0" * 64, nothing)
    words = canonical({"": [picture.sha256, picture.mime]})[4:-1]
    assert words == f'["{picture.sha256}","{picture.mime}"]'
    one, other = (Prompt((part,), Words(1)) for part in (picture, words))
    assert prompt_digest(one) != prompt_digest(other)


def test_the_order_of_parameters_does_not_matter() -> None:
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1}) == '{"a":1,"b":2}'
