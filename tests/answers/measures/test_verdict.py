"""Servers that are sound, and servers that answer about the wrong media, as they would look."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
import pytest
from scipy.special import softmax

from curate.answers.measures.pairs import canary_pairs, control_pairs
from curate.answers.measures.verdict import ALARM, COINCIDENCE, Verdict, media_verdict

N_OPTIONS = 4


@dataclass
class Server:
    """Answers items about clips; a score of each option, from the pictures and from the words."""

    seed: int
    n_items: int = 5
    n_clips: int = 20
    looks: float = 2.0
    """How much pictures move the scores."""
    listens: float = 0.0
    """How much a clip's words move the scores; at 0 all clips have the same words."""
    ignored: int = 0
    """Items whose scores no picture moves."""
    noise: float = 0.0
    """How much a score differs when the same is asked again."""
    step: float = 0.0
    """Scores are rounded to this, as with weights of 16 bits."""
    source: Literal["logprobs", "text", "samples"] = "logprobs"
    fault: Literal["", "memory", "no pictures", "mixed up"] = ""
    fresh: float = 0.0
    """Share of replies that the memory lets through."""
    memory: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.usual = self.rng.normal(0, 1, (self.n_items, N_OPTIONS))
        # The last clip is no clip at all: what is answered without pictures.
        self.of_pictures = self.rng.normal(0, self.looks, (self.n_clips + 1, self.n_items, N_OPTIONS))
        self.of_pictures[:, : self.ignored] = 0
        self.of_words = self.rng.normal(0, self.listens, (self.n_clips, self.n_items, N_OPTIONS))

    def ask(self, words: int, pictures: int, item: int) -> tuple[list[float], str]:
        known = (item, words if self.listens else 0)
        probs = self._think(words, pictures, item)
        if self.fault == "memory" and self.rng.random() >= self.fresh:
            probs = self.memory.setdefault(known, probs)
        if self.source == "samples":
            probs = (self.rng.multinomial(5, probs) + 1 / N_OPTIONS) / 6
        return (np.eye(N_OPTIONS)[probs.argmax()] if self.source == "text" else probs).tolist(), self.source

    def _think(self, words: int, pictures: int, item: int) -> np.ndarray:
        if self.fault == "no pictures":
            pictures = self.n_clips
        elif self.fault == "mixed up":
            pictures = int(self.rng.integers(self.n_clips))
        scores = self.usual[item] + self.of_pictures[pictures, item] + self.of_words[words, item]
        scores = scores + self.rng.normal(0, self.noise, N_OPTIONS)
        return softmax(np.round(scores / self.step) * self.step if self.step else scores)


def judge(server: Server, n_canaries: int = 10) -> Verdict:
    """The verdict when so many clips are asked as controls, each with another's pictures."""
    rows = []
    for item in range(server.n_items):
        for clip in range(server.n_clips):
            rows.append((clip, item, "none", *server.ask(clip, clip, item)))
        for clip in range(n_canaries):
            rows.append((clip, item, "canary", *server.ask(clip, (clip + 1) % server.n_clips, item)))
            rows.append((clip, item, "no_media", *server.ask(clip, server.n_clips, item)))
    answers = pl.DataFrame(rows, schema=["clip_id", "item", "control", "told", "source"], orient="row")
    answers = answers.with_columns(pl.col("clip_id", "item").cast(pl.String), variant=pl.lit("base"))
    partners = pl.DataFrame(
        [(str(clip), str((clip + 1) % server.n_clips), not server.listens) for clip in range(n_canaries)],
        schema={"clip_id": pl.String, "other": pl.String, "same_words": pl.Boolean},
        orient="row",
    )
    return media_verdict(canary_pairs(answers, partners), control_pairs(answers, "no_media"))


def verdicts(n_canaries: int = 10, n_servers: int = 12, **server: object) -> Counter[str]:
    return Counter(judge(Server(seed, **server), n_canaries).verdict for seed in range(n_servers))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "server",
    [
        {},
        {"looks": 60.0},  # sure of everything
        {"ignored": 4},
        {"ignored": 3, "noise": 0.1},
        {"noise": 1.0},
        {"step": 0.125, "noise": 0.1},
        {"step": 0.125, "looks": 0.2},  # replies meet by chance
        {"listens": 1.0},
        {"source": "text"},
        {"source": "text", "looks": 60.0},
    ],
)
def test_a_sound_server_is_called_sound(server: dict[str, object]) -> None:
    found = verdicts(**server)
    assert found["wrong_media"] == 0
    assert found["sound"] >= 11


@pytest.mark.parametrize(
    "server",
    [
        {"ignored": 4, "noise": 0.1},
        {"source": "samples"},
        {"source": "samples", "looks": 0.5},
        {"source": "text", "looks": 0.2, "noise": 0.5},
        {"source": "text", "listens": 1.0},
        {"listens": 4.0},  # words weigh twice what pictures do
        {"listens": 4.0, "source": "text"},
        {"listens": 8.0},
    ],
)
@pytest.mark.parametrize("n_canaries", [1, 3, 10])
def test_a_server_that_is_hard_to_read_raises_no_alarm(server: dict[str, object], n_canaries: int) -> None:
    assert verdicts(n_canaries, **server)["wrong_media"] == 0


@pytest.mark.parametrize("n_canaries", [1, 2, 3])
@pytest.mark.parametrize("n_items", [1, 2, 5])
def test_few_answers_raise_no_alarm(n_canaries: int, n_items: int) -> None:
    assert verdicts(n_canaries, n_items=n_items, step=0.125, looks=0.2)["wrong_media"] == 0


@pytest.mark.parametrize(
    "server",
    [
        {},
        {"looks": 60.0},
        {"ignored": 3},
        {"step": 0.125},
        {"listens": 1.0},
        {"listens": 1.0, "source": "text"},
        {"listens": 4.0, "source": "text"},
    ],
)
def test_a_server_that_remembers_replies_by_words_is_found(server: dict[str, object]) -> None:
    assert verdicts(fault="memory", **server) == {"wrong_media": 12}


def test_a_memory_that_lets_some_replies_through_is_found_by_the_rest() -> None:
    # Two replies are the same where both come from memory: .75^2 = .56 of them.
    assert verdicts(fault="memory", fresh=0.25) == {"wrong_media": 12}


@pytest.mark.parametrize("server", [{}, {"noise": 1e-5}, {"listens": 1.0, "noise": 0.01}])
def test_pictures_that_do_not_reach_the_model_are_noticed(server: dict[str, object]) -> None:
    assert verdicts(fault="no pictures", **server) == {"wrong_media": 12}


def test_mixed_up_answers_are_not_called_sound() -> None:
    assert verdicts(fault="mixed up")["sound"] <= 1


def test_words_alone_cannot_be_told_when_all_answers_are_the_same() -> None:
    """The same words for every clip, no probabilities, a memory: one answer to each item."""
    found = judge(Server(0, fault="memory", source="text"))
    assert found.verdict == "cannot_tell"
    assert found.reason == "all answers are the same whatever the pictures, and no probabilities say more"
    assert (found.n_asked, found.same_reply.total, found.followed.total) == (100, 0, 0)


def test_repeated_samples_are_no_proof_of_a_memory() -> None:
    """A model that is sure draws the same five answers again, whatever the server."""
    found = judge(Server(0, source="samples", looks=0.0))
    assert found.verdict == "cannot_tell"
    assert found.same_reply.total == 0


def test_reasons_say_what_was_counted() -> None:
    sound = judge(Server(0))
    assert sound.reason == "50 of 50 answers with another clip's pictures followed the pictures"
    assert (sound.followed.count, sound.same_reply.count, sound.same_reply.total) == (50, 0, 100)
    repeated = judge(Server(0, fault="memory"))
    assert repeated.reason == (
        "100 of 100 replies are the same to the last digit though other pictures, or none, were sent: "
        "the server answers from memory by the words alone, or the pictures do not reach the model"
    )
    by_words = judge(Server(0, fault="memory", listens=4.0, source="text"))
    assert by_words.reason.startswith("only 0 of ")
    few = judge(Server(0, n_items=1), 2)
    assert few.reason == (
        "2 of 2 answers with another clip's pictures followed the pictures and not the words: "
        "too few, or too even, to tell"
    )


def test_nothing_asked() -> None:
    found = judge(Server(0), 0)
    assert (found.verdict, found.n_asked) == ("not_asked", 0)
    assert (found.followed.low, found.followed.high) == (0, 1)


def test_without_canaries_only_a_repeated_reply_is_found() -> None:
    pair = {"item": "gaze", "exact": True, "told": [0.6, 0.4], "own": [0.6, 0.4]}
    same = pl.DataFrame([pair] * 5)
    other = same.with_columns(own=pl.lit([0.7, 0.3]))
    none = canary_pairs(
        pl.DataFrame(
            schema={
                **dict.fromkeys(["clip_id", "item", "variant", "control", "source"], pl.String),
                "told": pl.List(pl.Float64),
            }
        ),
        pl.DataFrame(schema={"clip_id": pl.String, "other": pl.String, "same_words": pl.Boolean}),
    )
    assert media_verdict(none, same).verdict == "wrong_media"
    # At the border of chance, five of five have 0.2^5 = .00032, four of four .0016.
    assert COINCIDENCE**5 < ALARM < COINCIDENCE**4
    assert media_verdict(none, same.head(4)).verdict == "not_asked"
    assert media_verdict(none, other).verdict == "not_asked"
    no_probabilities = same.with_columns(told=pl.lit([1.0, 0.0]), own=pl.lit([1.0, 0.0]))
    assert media_verdict(none, no_probabilities).verdict == "not_asked"
