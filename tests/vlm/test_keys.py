from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from curate.vlm.canned import CannedClient
from curate.vlm.client import Picture, Prompt
from curate.vlm.keys import call_key, prompt_digest

digests = st.integers(0, 3).map(lambda n: f"{n:064x}")
pictures = st.lists(digests, max_size=3).map(lambda found: tuple(Picture(b"", digest) for digest in found))
options = st.integers(2, 5).map(lambda n: tuple("ABCDE"[:n]))
prompts = st.builds(Prompt, pictures, st.text(), options)
Parts = tuple[Prompt, str, int, str, str, str]
parts = st.tuples(
    prompts,
    st.sampled_from(["m@1", "m@2"]),
    st.integers(0, 1),
    st.sampled_from(["q-1", "q-2"]),
    digests,
    digests,
)


def key(parts: Parts) -> str:
    prompt, model, seed, version, receipt, form = parts
    client = CannedClient(lambda _: "A", model=model, parameters={"temperature": 0, "seed": seed})
    return call_key(prompt, client, prompt_version=version, receipt=receipt, form=form)


@given(parts, parts)
def test_keys_are_the_same_exactly_when_everything_is(one: Parts, other: Parts) -> None:
    assert (key(one) == key(other)) == (one == other)


@given(parts, st.integers(0, 5), parts)
def test_any_changed_part_makes_another_key(one: Parts, place: int, other: Parts) -> None:
    changed = (*one[:place], other[place], *one[place + 1 :])
    assert (key(one) == key(changed)) == (one[place] == other[place])


@given(prompts, st.binary(min_size=1))
def test_a_picture_counts_by_its_digest(prompt: Prompt, data: bytes) -> None:
    other = replace(prompt, pictures=tuple(replace(picture, data=data) for picture in prompt.pictures))
    assert prompt_digest(prompt) == prompt_digest(other)


def test_the_order_of_parameters_does_not_matter() -> None:
    prompt = Prompt((), "?", ("A", "B"))
    clients = [
        CannedClient(lambda _: "A", parameters=found) for found in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    ]
    keys = {call_key(prompt, client, prompt_version="1", receipt="r", form="f") for client in clients}
    assert len(keys) == 1
