from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from curate.sections import Section, problems_of


class Cat(Section):
    kind: Literal["cat"]
    lives: int = 9


class Dog(Section):
    kind: Literal["dog"]
    tricks: int = 0


class House(Section):
    pets: tuple[Annotated[Cat | Dog, Field(discriminator="kind")], ...] = Field(default=(), max_length=3)
    rooms: int = Field(default=1, ge=1)


def told(**values: object) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        House.model_validate(values)
    return [str(problem) for problem in problems_of(caught.value, House)]


def test_a_key_of_a_tagged_union_is_told_as_the_file_spells_it() -> None:
    assert told(pets=[{"kind": "dog", "trics": 2}]) == ["pets.0.trics: unknown key. Did you mean tricks?"]


def test_an_unknown_key_that_resembles_nothing_gets_the_known_ones() -> None:
    assert told(garden=True) == ["garden: unknown key. Known keys: pets, rooms"]


def test_a_wrong_tag_names_the_tags_there_are() -> None:
    assert "'cat', 'dog'" in told(pets=[{"kind": "owl"}])[0]


def test_what_was_found_is_shown_and_kept_short() -> None:
    (problem,) = told(rooms="x" * 100)
    assert problem.startswith("rooms: got 'xxx")
    assert "..." in problem


def test_a_list_is_not_blamed_for_its_entries() -> None:
    assert told(pets=[{"kind": "dog", "tricks": "many"}], rooms=0) == [
        "pets.0.tricks: got 'many'. Input should be a valid integer, unable to parse string as an integer",
        "rooms: got 0. Input should be greater than or equal to 1",
    ]
