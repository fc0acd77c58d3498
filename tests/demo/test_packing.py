"""Packed questions give what the same questions give one by one."""

from pathlib import Path

import numpy as np
import pytest
import torch

import curate.demo.cues as module
from curate.demo.lessons import Teacher, whole_questionnaire
from curate.demo.packing import Asker, Eyes, pack, patches_of, read
from curate.demo.reading import Reader
from curate.demo.student import Student
from curate.demo.tiny_vlm import save_checkpoint
from curate.demo.training_pictures import Pictures, draw_chunk, save_chunk
from curate.questionnaire import load_questionnaire

QUESTIONNAIRE = Path(module.__file__).with_name("questionnaire.yaml")


@pytest.fixture(scope="module")
def student() -> Student:
    student = Student(seed=0).eval()
    with torch.no_grad():  # fresh weights are so small that a wrong mask would hardly show
        for weight in student.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    return student


@pytest.fixture(scope="module")
def asker(student: Student) -> Asker:
    return Asker(student.tokenizer, load_questionnaire(QUESTIONNAIRE))


@pytest.mark.parametrize("n_pictures", [1, 4])
@torch.no_grad()
def test_packed_logits_equal_those_of_one_question_a_prompt(
    student: Student, asker: Asker, tmp_path: Path, n_pictures: int
) -> None:
    pixels = draw_chunk(0, 1, 2).pixels[:, :n_pictures]
    items = asker.questionnaire.items[3:6]
    packed = pack(asker, n_pictures, [[asker.ask(item) for item in items]] * 2)
    seen = Eyes(student.model.model.visual)(patches_of(torch.from_numpy(pixels).flatten(0, 1) / 127.5 - 1))
    hidden = read(student.model, packed, *seen)
    ours = student.model.lm_head(hidden[torch.arange(2)[:, None], packed.ends]).log_softmax(-1)

    save_checkpoint(tmp_path / "model", student.model, student.tokenizer)
    reader = Reader(tmp_path / "model")
    # The student's own weights, without the rounding to 16 bits.
    reader.local.checkpoint.model.load_state_dict(student.model.state_dict())
    for k, item in enumerate(items):
        tokens = [list(reader.local.checkpoint.letters[letter]) for letter in item.letters]  # "A" and " A"
        chances = torch.stack([ours[:, k, each].double().exp().sum(-1) for each in tokens], dim=-1)
        letters = (chances / chances.sum(-1, keepdim=True)).numpy()
        theirs = reader.chances(pixels, asker.questionnaire, item)
        np.testing.assert_allclose(letters, theirs, atol=2e-5)


def test_reordered_options_move_the_right_letter(asker: Asker) -> None:
    item = asker.questionnaire.items[1]  # closed, half open, wide open, cannot be seen
    asked = asker.ask(item, [2, 3, 0, 1])
    words = asker.tokenizer.decode(asked.tokens)
    assert "A) wide open\nB) cannot be seen\nC) closed\nD) half open\nAnswer" in words
    ends = [asker.tokenizer.decode([asked.tokens[end]]).strip() for end in asked.option_ends]
    assert ends == ["open", "seen", "closed", "open"]


def test_every_wording_can_be_taught(asker: Asker, tmp_path: Path) -> None:
    for item in asker.questionnaire.items:
        for n in range(item.n_wordings):
            words = asker.tokenizer.decode(asker.ask(item, wording=item.worded(n)).tokens)
            assert item.worded(n).ask in words
    save_chunk(tmp_path, 0, n_clips=4)
    teacher = Teacher(asker, tmp_path, np.random.default_rng(0))
    teacher.look_for_chunks()
    taught = {asked.tokens for _ in range(200) for asked in [teacher._ask(0, varied=1.0)]}
    gaze = asker.questionnaire.items[0]
    as_listed = {asker.ask(gaze, wording=gaze.worded(n)).tokens for n in range(1, gaze.n_wordings)}
    assert as_listed <= taught, "each paraphrase comes up, with its options as they are listed too"


def test_the_right_letter_is_that_of_the_answer(asker: Asker) -> None:
    clips = Pictures(
        pixels=np.zeros((1, 4, 64, 64, 3), dtype=np.uint8),
        cues=np.zeros((1, 4, 8), dtype=np.int8),
        answers=np.array([[0, 1, 2, 3, -1, 0, -1, 2]], dtype=np.int8),
        places=np.zeros((1, 4), dtype=np.float32),
    )
    lesson = whole_questionnaire(asker, clips)
    # Hidden brows are the fourth option of four, hidden hands the fifth of five.
    assert asker.tokenizer.decode(lesson.right[0]) == "ABCDDAEC"
    swapped = whole_questionnaire(asker, clips, {"gaze": [3, 2, 1, 0]})
    assert asker.tokenizer.decode(swapped.right[0]) == "DBCDDAEC"


def test_fewer_pictures_are_asked_for_what_they_show(asker: Asker, tmp_path: Path) -> None:
    save_chunk(tmp_path, 0, n_clips=24)
    teacher = Teacher(asker, tmp_path, np.random.default_rng(0))
    assert teacher.look_for_chunks() == 1
    gaze, movement = 0, 7
    for clips, allowed in ((teacher.clips(60, 1), {-1}), (teacher.clips(60, 4), {-1, 0, 1, 2})):
        assert set(clips.answers[:, movement]) == allowed
    one = teacher.clips(60, 1)
    assert 1 not in one.answers[:, gaze]  # one glance is always or never, not sometimes
    assert one.pixels.shape == (60, 1, 64, 64, 3)
