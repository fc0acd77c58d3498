"""The page of every key of a recipe is that of the models."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest
from pydantic import Field

from curate.recipe import Recipe
from curate.recipe.fields import Text
from curate.sections import Section

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def keys() -> ModuleType:
    spec = importlib.util.spec_from_file_location("recipe_keys", ROOT / "docs" / "recipe_keys.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_that_of_the_models(keys: ModuleType) -> None:
    assert keys.page() == PAGE, "run: python docs/recipe_keys.py"


def test_every_key_of_every_section_has_its_row_and_its_meaning() -> None:
    """Held against the JSON schema that pydantic itself makes of a recipe."""
    schema = Recipe.model_json_schema()
    sections: list[dict[str, Any]] = [schema, *schema["$defs"].values()]
    expected = [
        (key, " ".join(_description(value, schema).split()).replace("|", r"\|"))
        for section in sections
        for key, value in section["properties"].items()
    ]
    rows = [_cells(line) for line in PAGE.splitlines() if line.startswith("| `")]
    assert sorted((key.strip("`"), meaning) for key, _, _, meaning in rows) == sorted(expected)


def test_every_link_has_one_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    links = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert links
    assert [link for link in links if anchors.count(link) != 1] == []


def test_top_sections_come_in_the_order_of_a_recipe() -> None:
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert headings == [key for key in Recipe.model_fields if key != "name"]


class Inner(Section):
    """A section in a section."""

    ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    """One thing | another."""


class Outer(Section):
    """A section of every kind of value whose words are easily got wrong."""

    names: tuple[Text, ...] = Field(min_length=2)
    """Names."""

    one: Inner = Inner(ratio=0.5)
    """One."""

    more: tuple[Inner, ...] = ()
    """More."""


OUTER = r"""| key | what it may be | default | what it means |
|---|---|---|---|
| `names` | list of at least 2: text, not empty | *needed* | Names. |
| `one` | section [one, more](#one-more) | `ratio: 0.5` | One. |
| `more` | list of sections [one, more](#one-more) | `[]` | More. |

## one, more

A section in a section.

| key | what it may be | default | what it means |
|---|---|---|---|
| `ratio` | number, above 0 and at most 1, or `null` | `null` | One thing \| another. |
"""


def test_words_of_a_small_section(keys: ModuleType) -> None:
    assert keys.tables(Outer) == OUTER


class Strange(Section):
    """A kind of value that no recipe holds yet."""

    data: bytes = b""
    """Bytes."""


def test_a_value_without_words_is_an_error(keys: ModuleType) -> None:
    with pytest.raises(TypeError, match=r"bytes.*has no words"):
        keys.tables(Strange)


def _description(value: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a key means; where that is what its section says of itself, pydantic says it only there."""
    said = value if "description" in value else schema["$defs"][value["$ref"].split("/")[-1]]
    return str(said["description"])


def _cells(line: str) -> list[str]:
    """The cells of a row; a bar that is escaped ends none."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
