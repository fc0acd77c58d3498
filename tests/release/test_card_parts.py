"""The card's own part, and what people write around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import ReleaseError
from curate.release.card_parts import card_text, front_matter, mark_problems, patched

OLD = card_text({"pretty_name": "Faces", "tags": ["curate"], "license": "cc0-1.0"}, "# Faces\n\nold\n")
NEW = card_text({"pretty_name": "Faces", "tags": ["curate", "new"]}, "# Faces\n\nnew\n")
WORDS = st.text(st.characters(exclude_characters="<>", exclude_categories=("Cs", "Cc")), max_size=40)


def test_without_a_card_ours_is_all_of_it() -> None:
    assert patched("", NEW) == NEW
    assert not list(mark_problems(NEW))


@given(WORDS, WORDS)
def test_words_above_and_below_stay(above: str, below: str) -> None:
    head, part = OLD.split("<!-- curate:begin", 1)
    written = f"{head}\n{above}\n<!-- curate:begin{part}{below}\n"
    card = patched(written, NEW)
    body = card.partition("\n---\n")[2]
    assert body.startswith(f"\n{above}\n<!-- curate:begin")
    assert card.endswith(f"<!-- curate:end -->\n{below}\n")
    assert "old" not in card.replace(above, "").replace(below, "")
    assert patched(card, NEW) == card  # the second time changes nothing


def test_keys_of_people_stay_and_ours_are_new() -> None:
    written = OLD.replace("license: cc0-1.0", "license: mit\ngated: auto\nconfigs: []\ntags: [mine]")
    written = written.replace("tags:\n- curate\n", "")
    assert front_matter(patched(written, NEW)) == {
        "pretty_name": "Faces",  # ours; the licence was ours, and is no longer stated
        "tags": ["curate", "new", "mine"],
        "gated": "auto",
    }


def test_a_card_that_a_person_wrote_alone_keeps_every_word() -> None:
    card = patched("---\nlicense: mit\n---\n# My faces\n\nRead me.\n", NEW)
    assert card.partition("\n---\n")[2].startswith("# My faces\n\nRead me.\n\n<!-- curate:begin")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda card: card.replace("<!-- curate:end -->\n", ""), "and 0 marks <!-- curate:end -->"),
        (lambda card: card.replace("old", "better"), "somebody wrote between the marks"),
        (lambda card: card + card.partition("---\n# ")[2] + "<!-- curate:end -->\n", "and 2 marks"),
        (
            lambda card: card.replace("pretty_name: Faces", "pretty_name: [Faces"),
            "front matter cannot be read",
        ),
    ],
)
def test_a_card_that_was_broken_by_hand_is_not_written_over(harm: object, told: str) -> None:
    assert callable(harm)
    with pytest.raises(ReleaseError, match=told):
        patched(harm(OLD), NEW)
