from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from curate import tables
from curate.errors import InputError
from curate.labels.judge import ClipVectors, believed, clip_vectors, embedding_probabilities

CLASSES = ("calm", "glad")
SCHEMA = {"clip_id": pl.String, "model": pl.String, "vectors": pl.List(pl.List(pl.Float16))}


def part(first: int, frames: Sequence[np.ndarray]) -> pl.DataFrame:
    """Table embeddings as far as it is read here; clips are numbered from `first` on."""
    ids = [clip(first + place) for place in range(len(frames))]
    vectors = [array.astype(np.float16) for array in frames]
    return pl.DataFrame({"clip_id": ids, "model": "net@1", "vectors": vectors}, schema=SCHEMA, strict=False)


def clip(number: int) -> str:
    return f"{number:016x}"


def clips_of(groups: Sequence[str | None], labels: Sequence[str | None]) -> pl.DataFrame:
    ids = [clip(number) for number in range(len(groups))]
    columns = {"clip_id": ids, "group": list(groups), "label_given": list(labels)}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def votes_of(*rows: tuple[int, str]) -> pl.DataFrame:
    told = [(clip(number), label) for number, label in rows]
    return pl.DataFrame(told, schema={"clip_id": pl.String, "label": pl.String}, orient="row")


def two_kinds(n_clips: int, rng: np.random.Generator) -> ClipVectors:
    """Clips whose first dimension tells the class, which is that of the number's parity."""
    vectors = rng.normal(size=(n_clips, 5))
    vectors[:, 0] += 6 * (np.arange(n_clips) % 2)
    return ClipVectors("net@1", tuple(map(clip, range(n_clips))), vectors)


def test_mean_and_deviation_over_frames() -> None:
    found = clip_vectors([part(0, [np.array([[1, 2], [3, 2]])]), part(1, [np.array([[5, 7]])])])
    assert (found.model, found.clip_ids) == ("net@1", (clip(0), clip(1)))
    # Means (2, 2) and (5, 7); deviations of 1 and 3 are 1, of 2 and 2 are 0.
    assert found.vectors.tolist() == [[2, 2, 1, 0], [5, 7, 0, 0]]


def test_still_images_have_no_deviation() -> None:
    found = clip_vectors([part(0, [np.array([[1, 2]]), np.array([[3, 4]])])])
    assert found.vectors.tolist() == [[1, 2], [3, 4]]


def test_parts_may_be_cut_anywhere() -> None:
    rng = np.random.default_rng(0)
    frames = [rng.normal(size=(size, 3)) for size in (1, 4, 2, 7)]
    whole = clip_vectors([part(0, frames)])
    cut = clip_vectors([part(0, frames[:1]), part(1, []), part(1, frames[1:])])
    np.testing.assert_array_equal(whole.vectors, cut.vectors)
    assert whole.clip_ids == cut.clip_ids


@pytest.mark.parametrize("parts", [[], [part(0, [])]])
def test_no_embeddings(parts: list[pl.DataFrame]) -> None:
    assert clip_vectors(parts).clip_ids == ()


def test_given_label_and_votes_are_a_voice_each() -> None:
    clips = clips_of(["a"] * 4, ["calm", None, "glad", None])
    votes = votes_of((0, "glad"), (0, "glad"), (0, "bored"), (1, "glad"), (9, "calm"))
    # Clip 0: one calm, two glad, and a word that is no class; of clip 3 nobody said anything.
    assert believed(clips, votes, CLASSES) == pytest.approx(
        np.array([[1 / 3, 2 / 3], [0, 1], [0, 1], [0, 0]])
    )


def test_classes_that_can_be_told_apart_are() -> None:
    looks = two_kinds(60, np.random.default_rng(0))
    labels = [CLASSES[number % 2] if number < 50 else None for number in range(60)]
    clips = clips_of([f"person {number // 4}" for number in range(60)], labels)
    found = embedding_probabilities(looks, clips, votes_of(), CLASSES)
    tables.validate("probabilities", found, CLASSES)
    assert set(found["model"]) == {"embeddings: net@1"}
    assert found["clip_id"].to_list() == sorted(looks.clip_ids)
    says = np.array(found["probs"].to_list()).argmax(axis=1)  # of unlabelled clips too
    assert np.mean(says == np.arange(60) % 2) > 0.95


def test_nothing_is_learned_of_a_clips_own_group() -> None:
    # Ten people of twenty clips each, which look and are labelled alike, and no two people look alike: a
    # classifier that has seen a person is right of each of their clips, and another can but guess.
    person = np.arange(200) // 20
    looks = ClipVectors("net@1", tuple(map(clip, range(200))), np.eye(10)[person])
    labels = [CLASSES[one % 2] for one in person]

    def share_right(groups: list[str | None]) -> float:
        found = embedding_probabilities(looks, clips_of(groups, labels), votes_of(), CLASSES)
        return float(np.mean(np.array(found["probs"].to_list()).argmax(axis=1) == person % 2))

    assert share_right([None] * 200) == 1.0  # each clip a group of its own
    assert share_right([f"person {one}" for one in person]) <= 0.5


def test_order_of_clips_and_votes_does_not_matter() -> None:
    looks = two_kinds(40, np.random.default_rng(2))
    clips = clips_of([None] * 40, [CLASSES[number % 2] for number in range(40)])
    votes = votes_of((3, "calm"), (5, "calm"), (8, "glad"))
    first = embedding_probabilities(looks, clips, votes, CLASSES)
    turned = ClipVectors(looks.model, looks.clip_ids[::-1], looks.vectors[::-1])
    again = embedding_probabilities(turned, clips.reverse(), votes.reverse(), CLASSES)
    assert first.equals(again)


def test_clips_without_vectors_are_not_judged() -> None:
    looks = two_kinds(40, np.random.default_rng(3))
    clips = clips_of([None] * 50, [CLASSES[number % 2] for number in range(50)])
    found = embedding_probabilities(looks, clips[5:], votes_of(), CLASSES)
    assert found["clip_id"].to_list() == [clip(number) for number in range(5, 40)]


def test_labels_of_one_group_only() -> None:
    looks = two_kinds(10, np.random.default_rng(4))
    clips = clips_of(["one person"] * 10, [CLASSES[number % 2] for number in range(10)])
    with pytest.raises(InputError, match="two classes must occur in two groups or more"):
        embedding_probabilities(looks, clips, votes_of(), CLASSES)
