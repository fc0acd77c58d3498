"""The model that ships: small, loaded by transformers alone, and right far more often than by chance."""

from pathlib import Path

import numpy as np
import pytest

import curate.demo.cues as module
from curate.demo.cues import HIDDEN, OPTIONS
from curate.demo.nothing import draw_nothing
from curate.demo.reading import Reader
from curate.demo.training_pictures import draw_chunk
from curate.questionnaire import load_questionnaire

MODEL = Path(module.__file__).with_name("model")
QUESTIONNAIRE = load_questionnaire(MODEL.with_name("questionnaire.yaml"))

SEED = 50_021  # first word of seeds that neither training nor the benchmark uses


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(MODEL)


def test_the_checkpoint_is_small_and_holds_no_code() -> None:
    files = [path for path in MODEL.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 12_000_000
    assert {path.suffix for path in files} <= {".json", ".jinja", ".safetensors", ".md"}
    assert "auto_map" not in (MODEL / "config.json").read_text(encoding="utf-8")


def test_it_is_a_qwen3_vl_in_32_bits(reader: Reader) -> None:
    assert type(reader.local.checkpoint.model).__name__ == "Qwen3VLForConditionalGeneration"
    assert str(reader.local.checkpoint.model.dtype) == "torch.float32"


def test_every_letter_is_one_token(reader: Reader) -> None:
    tokenizer = reader.local.checkpoint.processor.tokenizer
    lines = tokenizer([f"\n{letter}" for letter in "ABCDEFGHI"], add_special_tokens=False)["input_ids"]
    assert [tokenizer.decode([token]) for _, token in lines] == list("ABCDEFGHI")


def test_it_reads_drawings_of_people_it_has_not_seen(reader: Reader) -> None:
    # 96 answers among 4 or 5 options: chance is below 0.25, always saying the
    # commonest option below 0.6. At a true share of 0.9 the standard error is
    # sqrt(0.9 * 0.1 / 96) = 0.03, so 0.8 is missed by chance once in a thousand.
    clips = draw_chunk(7, SEED, 12, as_demo=True)
    right = []
    for item, true in zip(QUESTIONNAIRE.items, clips.answers.T, strict=True):
        said = reader.chances(clips.pixels, QUESTIONNAIRE, item).argmax(axis=1)
        right.append(said == np.where(true == HIDDEN, len(item.options), true))
    assert np.mean(right) > 0.8


def test_it_answers_with_a_letter_though_every_word_is_allowed(reader: Reader) -> None:
    clip = draw_chunk(8, SEED, 1, as_demo=True)
    for item in QUESTIONNAIRE.items:
        (reply,) = reader.replies(clip.pixels, QUESTIONNAIRE, item)
        assert reply.text in item.letters
        assert reply.option_logprobs is not None
        assert np.exp(reply.option_logprobs).sum() > 0.99


@pytest.mark.parametrize("n_pictures", [1, 2, 3])
def test_one_to_three_pictures_do(reader: Reader, n_pictures: int) -> None:
    clips = draw_chunk(9, SEED, 12, as_demo=True)
    column = list(OPTIONS).index("tilt")
    chances = reader.chances(clips.pixels[:, :n_pictures], QUESTIONNAIRE, QUESTIONNAIRE.items[column])
    assert np.mean(chances.argmax(axis=1) == clips.answers[:, column]) > 0.7


def test_where_nobody_is_nothing_can_be_seen(reader: Reader) -> None:
    rng = np.random.default_rng(3)
    clips = np.stack(
        [[np.asarray(picture.resize((64, 64))) for picture in draw_nothing(4, rng)] for _ in range(6)]
    )
    for item in QUESTIONNAIRE.items:
        said = reader.chances(clips, QUESTIONNAIRE, item).argmax(axis=1)
        assert np.mean(said == len(item.options)) > 0.6
