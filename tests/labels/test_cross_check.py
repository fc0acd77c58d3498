import numpy as np
import polars as pl
import pytest

from curate.labels import Evidence, evidence_from_frame, fit
from curate.labels.cross_check import CrossCheck, cross_check, without_given
from curate.labels.evaluate import auroc
from curate.labels.reliability import given_codes

CLASSES = ["a", "b", "c"]
COLUMNS = [
    "clip_id",
    "ours_issue",
    "confident_learning_issue",
    "confident_learning_quality",
    "crowdlab_issue",
    "crowdlab_label",
    "crowdlab_quality",
    "crowdlab_given_quality",
]
N_CLIPS, N_WRONG = 120, 12


def truth() -> np.ndarray:
    return np.arange(N_CLIPS) % 3


def given_labels() -> np.ndarray:
    """Right but for the first N_WRONG clips."""
    return np.where(np.arange(N_CLIPS) < N_WRONG, (truth() + 1) % 3, truth())


def people(n_people: int, accuracy: float) -> list[tuple[str, str, str, str]]:
    rng = np.random.default_rng(0)
    rows = []
    for person in range(n_people):
        wrong = (truth() + rng.integers(1, 3, N_CLIPS)) % 3
        said = np.where(rng.random(N_CLIPS) < accuracy, truth(), wrong)
        rows += [(f"c{clip:03}", f"p{person}", "human", CLASSES[code]) for clip, code in enumerate(said)]
    return rows


def coded(rows: list[tuple[str, str, str, str]], **more: object) -> Evidence:
    frame = pl.DataFrame(rows, schema=["clip_id", "instrument", "kind", "outcome"], orient="row")
    return evidence_from_frame(frame.with_columns(**more), CLASSES)


def given_rows() -> list[tuple[str, str, str, str]]:
    return [(f"c{clip:03}", "given", "given", CLASSES[code]) for clip, code in enumerate(given_labels())]


def classifier(sure: float = 0.8) -> np.ndarray:
    return np.where(np.eye(3)[truth()] == 1, sure, (1 - sure) / 2)


def check(evidence: Evidence, probabilities: np.ndarray | None) -> CrossCheck:
    return cross_check(evidence, fit(evidence).probabilities, given_codes(evidence), probabilities)


def test_planted_mistakes_are_found_by_all_three() -> None:
    found = check(coded(given_rows() + people(4, 0.85)), classifier())
    assert found.table.columns == COLUMNS
    planted = found.table.head(N_WRONG)
    for name in ("ours_issue", "confident_learning_issue", "crowdlab_issue"):
        assert planted[name].mean() > 0.8
        assert found.table[name].sum() <= N_WRONG + 2
    assert planted["crowdlab_given_quality"].mean() < found.table["crowdlab_given_quality"].mean()
    assert found.probabilities_from == "classifier"
    assert found.notes == ()


def test_the_overlap_counts_every_labelled_clip_once() -> None:
    found = check(coded(given_rows() + people(4, 0.85)), classifier())
    ours, theirs = found.table["ours_issue"], found.table["confident_learning_issue"]
    overlap = found.confident_learning
    assert overlap is not None
    assert overlap.both == (ours & theirs).sum()
    assert overlap.only_ours == (ours & ~theirs).sum()
    assert overlap.only_cleanlab == (~ours & theirs).sum()
    assert overlap.both + overlap.only_ours + overlap.only_cleanlab + overlap.neither == N_CLIPS


def test_without_a_classifier_the_other_evidence_judges_and_crowdlab_is_left_out() -> None:
    found = check(coded(given_rows() + people(4, 0.85)), None)
    assert found.probabilities_from == "posterior without given labels"
    assert found.table.head(N_WRONG)["confident_learning_issue"].mean() > 0.8
    assert found.table["crowdlab_label"].null_count() == N_CLIPS
    assert found.crowdlab is None
    assert found.notes == ("CROWDLAB was not run: it needs a classifier's probabilities",)


def test_items_judge_given_labels_that_are_hidden_in_turn(world) -> None:
    frame = pl.concat([world.given, world.items])
    evidence = evidence_from_frame(frame, ["low", "middle", "high"], options=world.options)
    found = check(evidence, None)
    assert found.probabilities_from == "posterior without the clip's given label"
    wrong = given_codes(evidence) != world.truth
    quality = found.table["confident_learning_quality"].to_numpy()
    assert auroc(-quality, wrong) > 0.8


def test_with_one_given_label_there_is_nothing_left_to_learn_from(world) -> None:
    frame = pl.concat([world.given.head(1), world.items])
    found = check(evidence_from_frame(frame, ["low", "middle", "high"], options=world.options), None)
    assert found.confident_learning is None


def test_given_labels_alone_cannot_be_checked() -> None:
    found = check(coded(given_rows()), None)
    assert found.probabilities_from == "nothing"
    assert found.confident_learning is None
    assert found.notes[0] == "confident learning was not run: no given label has anything to be compared with"
    assert found.table["confident_learning_issue"].null_count() == N_CLIPS


def test_one_vote_a_clip_is_too_few_for_crowdlab() -> None:
    found = check(coded(given_rows()), classifier())
    assert found.confident_learning is not None
    assert found.notes == ("CROWDLAB was not run: no clip has two votes by people who can be told apart",)


def test_tallies_are_too_few_for_crowdlab_too() -> None:
    rows = given_rows() + [(clip, "people", "human", said) for clip, _, _, said in people(1, 0.9)]
    count = pl.when(pl.col("instrument") == "people").then(5.0)
    found = check(coded(rows, count=count), classifier())
    assert found.notes == ("CROWDLAB was not run: no clip has two votes by people who can be told apart",)


def test_thousands_of_people_are_too_many_for_crowdlab() -> None:
    rows = [(f"c{clip:04}", f"p{clip:04}", "human", CLASSES[clip % 3]) for clip in range(1500)]
    rows += [(f"c{clip:04}", "given", "given", CLASSES[clip % 3]) for clip in range(1500)]
    evidence = coded(rows)
    found = cross_check(evidence, np.full((1500, 3), 1 / 3), given_codes(evidence), np.full((1500, 3), 1 / 3))
    assert found.notes == ("CROWDLAB was not run: 1500 clips times 1501 people are too many for it",)


def test_clips_without_given_label_or_classifier_are_left_open() -> None:
    probabilities = classifier()
    probabilities[1] = np.nan
    found = check(coded(given_rows()[1:] + people(3, 0.9)), probabilities).table
    assert found["ours_issue"][0] is None
    assert found["confident_learning_issue"][0] is None
    assert found["crowdlab_issue"][0] is None
    assert found["crowdlab_label"][0] == CLASSES[truth()[0]]
    assert found["confident_learning_quality"][1] is None
    assert found["crowdlab_label"][1] is None


def test_one_given_class_only_is_no_problem() -> None:
    rows = [(f"c{clip:03}", "given", "given", "a") for clip in range(N_CLIPS)] + people(3, 0.9)
    assert check(coded(rows), classifier()).confident_learning is not None


def test_no_clips() -> None:
    found = check(coded([]), np.empty((0, 3)))
    assert found.table.columns == COLUMNS
    assert len(found.notes) == 2


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    check(coded(given_rows() + people(4, 0.85)), classifier())
    assert capfd.readouterr() == ("", "")


def test_without_given_keeps_everything_else() -> None:
    rows = people(2, 0.9)
    evidence = coded(given_rows() + rows)
    rest = without_given(evidence)
    assert len(rest.item) == len(rows)
    assert rest.instruments == evidence.instruments
    assert (given_codes(rest) == -1).all()
