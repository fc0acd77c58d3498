import polars as pl
import pytest

from curate import tables
from curate.labels.gather import gather, item_directions, item_options
from curate.questionnaire import Questionnaire

CLIP = "0123456789abcdef"
HEX = "0" * 64


def answer(**changes: object) -> dict[str, object]:
    row = {"clip_id": CLIP, "item": "gaze", "variant": "base", "control": "none", "outcome": "answered"}
    return {**row, "answer": "ahead", "probs": [0.2, 0.8], "source": "logprobs", "receipt": HEX, **changes}


def evidence(answers: list[dict[str, object]]) -> pl.DataFrame:
    nothing = (tables.empty("clips"), tables.empty("votes"))
    return gather(*nothing, tables.table("answers", answers), tables.empty("probabilities"))


def test_the_table_keeps_its_contract_and_names_each_instrument() -> None:
    clip = {"clip_id": CLIP, "name": "a", "uri": "a", "sha256": HEX, "media": "image", "label_given": "calm"}
    clips = tables.table("clips", [{**clip, "split": "train", "n_frames": 1, "width": 1, "height": 1}])
    votes = tables.table("votes", [{"clip_id": CLIP, "annotator": "ann", "label": "busy"}])
    classifier = tables.table("probabilities", [{"clip_id": CLIP, "model": "net", "probs": [0.1, 0.9]}])
    frame = gather(clips, votes, tables.table("answers", [answer()]), classifier)
    tables.validate("evidence", frame)
    assert frame["instrument"].to_list() == ["given", "item:gaze", "model:net", "vote:ann"]
    assert frame["kind"].to_list() == ["given", "vlm", "model", "human"]


def test_controls_and_missing_answers_never_become_evidence() -> None:
    rows = [answer(control="canary"), answer(item="head", outcome="refusal", answer=None, probs=None)]
    assert evidence(rows).is_empty()


def test_variants_of_one_item_count_once_with_their_mean() -> None:
    frame = evidence([answer(), answer(variant="paraphrase-1", probs=[0.4, 0.6])])
    assert frame.height == 1
    # (0.2 + 0.4) / 2 and (0.8 + 0.6) / 2
    assert frame["probs"].to_list()[0] == pytest.approx([0.3, 0.7])


def test_items_tell_their_options_and_direction() -> None:
    items = [
        {"id": "up", "ask": "?", "options": ["less", "more"], "why": "w"},
        {"id": "down", "ask": "?", "options": ["less", "more"], "why": "w", "reverse": True},
        {"id": "other", "ask": "?", "options": ["x", "y"], "why": "w", "scale": "nominal"},
    ]
    questionnaire = Questionnaire.model_validate({"name": "cues", "about": "Cues.", "items": items})
    assert item_directions(questionnaire) == {"item:up": 1, "item:down": -1, "item:other": 0}
    assert item_options(questionnaire)["item:up"] == ("less", "more", "cannot be seen")
