"""Does taking off a bias help, what does it cost, and does it harm where there is none?

    python benchmarks/debias.py [--clips 240]

The demo's model answers its eight items about freshly drawn clips in every
cyclic order of the options. Its own bias is small, so a bias is added on
purpose to the log-probabilities that it gives: of positions, from +s at the
first letter to -s at the last (nats), or of one option, +s wherever it stands.
For each: share of right answers and mean loss of the right answer (NLL, nats),
mean over items; the calls an answer; and, for estimates from some clips, means
over 200 draws of the clips. Then how well some clips tell the bias of
positions, and how far apart replies about two different clips are at least.
"""

import argparse
import hashlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.answers.measures.debias import (
    average_orders,
    by_option,
    by_position,
    cyclic_orders,
    position_prior,
    prior_error,
    remove_content_free,
    remove_position,
)
from curate.demo.cues import HIDDEN, OPTIONS
from curate.demo.reading import Reader
from curate.demo.training_pictures import draw_chunk
from curate.questionnaire import Item, Questionnaire, load_questionnaire, question_text
from curate.vlm.client import Letter, Picture, Prompt, Reply

DEMO = Path(__file__).resolve().parent.parent / "curate" / "demo"

SEED = 50_021
"""First word of the seeds of these clips; training and other benchmarks use others."""

STRENGTHS = (2.0, 6.0)
"""Of an added bias, nats."""

SHARE = 0.05
"""Share of clips that are asked in all orders, as in the recipe's default."""

SIZES = (3, 6, 12, 24, 60, 120)
DRAWS = 200
BATCH = 32

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What the model says of one item."""

    logs: Floats
    """In order of the options, shape (n_clips, n_orders, n_options); sums of exp are 1."""
    without: Floats
    """The same without pictures, (1, n_orders, n_options)."""
    true: Ints
    """The true option, (n_clips,)."""


def main() -> int:
    """Ask, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=240)
    told = list(ask(parser.parse_args().clips))
    print_methods("no bias added", told)
    for strength in STRENGTHS:
        print_methods(
            f"bias of positions added, {strength:g}", [favour_positions(one, strength) for one in told]
        )
    for strength in STRENGTHS:
        print_methods(
            f"bias of one option added, {strength:g}", [favour_option(one, strength) for one in told]
        )
    print_sizes("no bias added", told)
    print_sizes(
        f"bias of positions added, {STRENGTHS[0]:g}", [favour_positions(one, STRENGTHS[0]) for one in told]
    )
    print_apart(told)
    print_noise()
    return 0


def ask(n_clips: int) -> Iterator[Told]:
    """Every item in every cyclic order, of every clip and of none."""
    reader, questionnaire = Reader(DEMO / "model"), load_questionnaire(DEMO / "questionnaire.yaml")
    clips = draw_chunk(0, SEED, n_clips, as_demo=True)
    pictures = [tuple(map(picture, clip)) for clip in clips.pixels]
    for item in questionnaire.items:
        answers, last = clips.answers[:, list(OPTIONS).index(item.id)], len(item.options)
        true = np.where(answers == HIDDEN, last, answers).astype(np.int64)
        put = partial(in_all_orders, reader, questionnaire, item)
        yield Told(put(pictures), put([()]), true)


def in_all_orders(
    reader: Reader, questionnaire: Questionnaire, item: Item, pictures: list[tuple[Picture, ...]]
) -> Floats:
    """Log-probabilities in order of the options, (n_clips, n_orders, n_options)."""
    orders = cyclic_orders(len(item.all_options))
    listed = np.stack(
        [
            letters(reader, pictures, question_text(questionnaire, item, order=order), item.letters)
            for order in orders
        ],
        axis=1,
    )
    return by_option(listed, orders)


def letters(reader: Reader, pictures: list[tuple[Picture, ...]], text: str, of: tuple[str, ...]) -> Floats:
    """Log-probability of each letter, (n_clips, n_letters), normalised over them."""
    prompts = [Prompt((*clip, text), Letter(of)) for clip in pictures]
    batches = [prompts[start : start + BATCH] for start in range(0, len(prompts), BATCH)]
    logs = np.array([logprobs(reply) for batch in batches for reply in reader.local.answer(batch)])
    return normalised(logs)


def logprobs(reply: Reply | Exception) -> tuple[float, ...]:
    """Of the letters; an error is raised."""
    if isinstance(reply, Exception):
        raise reply
    assert reply.option_logprobs is not None
    return reply.option_logprobs


def picture(pixels: NDArray[np.uint8]) -> Picture:
    """One picture, as a PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    data = file.getvalue()
    return Picture(hashlib.sha256(data).hexdigest(), lambda digest: data, "image/png")


def favour_positions(told: Told, strength: float) -> Told:
    """As told, with a bias of positions added."""
    n_options = told.logs.shape[-1]
    orders = cyclic_orders(n_options)
    gain = np.linspace(strength, -strength, n_options)

    def biased(logs: Floats) -> Floats:
        return normalised(by_option(by_position(logs, orders) + gain, orders))

    return Told(biased(told.logs), biased(told.without), told.true)


def favour_option(told: Told, strength: float) -> Told:
    """As told, with a bias of the second option added, as of a word that is common on the web."""
    gain = np.zeros(told.logs.shape[-1])
    gain[1] = strength
    return Told(normalised(told.logs + gain), normalised(told.without + gain), told.true)


def normalised(logs: Floats) -> Floats:
    """Log-probabilities that sum to 1."""
    return np.asarray(logs - np.logaddexp.reduce(logs, axis=-1, keepdims=True))


def print_methods(title: str, told: list[Told]) -> None:
    """A line a method."""
    n_clips = len(told[0].true)
    n_some = max(round(SHARE * n_clips), 2)
    orders = float(np.mean([one.logs.shape[1] for one in told]))
    some_cost = 1 + (orders - 1) * n_some / n_clips
    print(f"\n{title}\n{'method':36}{'right':>7}{'NLL':>8}{'calls an answer':>17}")
    for name, cost, scored in [
        ("as told", 1.0, [score(plain(one), one.true) for one in told]),
        (f"PriDe, prior from {SHARE:.0%} of clips", some_cost, [pride(one, n_some) for one in told]),
        ("PriDe, prior from all clips", orders, [pride(one, n_clips, 1) for one in told]),
        (
            "all orders, arithmetic mean",
            orders,
            [score(np.exp(one.logs).mean(axis=1), one.true) for one in told],
        ),
        ("all orders, geometric mean", orders, [score(geometric(one), one.true) for one in told]),
        ("content-free, 1 answer without media", 1 + 1 / n_clips, [content_free(one) for one in told]),
    ]:
        right, nll = np.mean(scored, axis=0)
        print(f"{name:36}{right:7.3f}{nll:8.3f}{cost:17.2f}")


def plain(told: Told) -> Floats:
    """Answers to the question as written, (n_clips, n_options)."""
    return np.exp(told.logs[:, 0])


def listed(told: Told) -> Floats:
    """Answers in order of positions, (n_clips, n_orders, n_positions)."""
    return by_position(np.exp(told.logs), cyclic_orders(told.logs.shape[-1]))


def geometric(told: Told) -> Floats:
    """What curate makes of clips that were asked in all orders."""
    return average_orders(listed(told))


def content_free(told: Told) -> tuple[float, float]:
    """Score without what is answered without a picture."""
    return score(remove_content_free(plain(told), np.exp(told.without[:, 0])), told.true)


def pride(told: Told, n_some: int, draws: int = DRAWS) -> tuple[float, float]:
    """Mean score over draws of the clips that tell the prior; these themselves are averaged over orders."""
    rng, by_place, whole = np.random.default_rng(0), listed(told), geometric(told)
    scores = []
    for _ in range(draws):
        drawn = rng.choice(len(told.true), n_some, replace=False)
        probs = remove_position(plain(told), position_prior(by_place[drawn]))
        if n_some < len(told.true):
            probs[drawn] = whole[drawn]
        scores.append(score(probs, told.true))
    right, nll = np.mean(scores, axis=0)
    return float(right), float(nll)


def score(probs: Floats, true: Ints) -> tuple[float, float]:
    """Share of right answers, and mean loss of the right one."""
    of_true = np.maximum(probs[np.arange(len(true)), true], 1e-10)
    return float((probs.argmax(axis=1) == true).mean()), float(-np.log(of_true).mean())


def print_sizes(title: str, told: list[Told]) -> None:
    """How well some clips tell the bias."""
    print(f"\n{title}: how many clips tell the bias of positions")
    print(f"{'clips':>7}{'standard error':>16}{'spread over draws':>19}{'right':>8}{'NLL':>8}")
    for n_some in [size for size in SIZES if size < len(told[0].true)]:
        errors, spreads = zip(*(estimates(one, n_some) for one in told), strict=True)
        right, nll = np.mean([pride(one, n_some) for one in told], axis=0)
        print(f"{n_some:7}{np.mean(errors):16.4f}{np.mean(spreads):19.4f}{right:8.3f}{nll:8.3f}")


def estimates(told: Told, n_some: int) -> tuple[float, float]:
    """Largest standard error of the prior's entries as told, and as found over the draws."""
    rng, by_place = np.random.default_rng(0), listed(told)
    drawn = [by_place[rng.choice(len(told.true), n_some, replace=False)] for _ in range(DRAWS)]
    errors = np.mean([prior_error(clips) for clips in drawn], axis=0)
    spreads = np.std([position_prior(clips) for clips in drawn], axis=0)
    return float(errors.max()), float(spreads.max())


def print_apart(told: list[Told]) -> None:
    """The smallest difference between replies about two clips, each clip beside the next."""
    apart = [np.abs(one.logs[:, 0] - np.roll(one.logs[:, 0], 1, axis=0)).max(axis=1) for one in told]
    n_pairs = sum(map(len, apart))
    print(
        f"\nlargest difference of log-probabilities of two clips' replies: at least "
        f"{np.min(apart):.3f} in {n_pairs:,} pairs, median {np.median(apart):.1f}"
    )


def print_noise(n_clips: int = 16) -> None:
    """How far a reply moves when its prompt is put alone instead of among others."""
    reader, questionnaire = Reader(DEMO / "model"), load_questionnaire(DEMO / "questionnaire.yaml")
    pictures = [tuple(map(picture, clip)) for clip in draw_chunk(0, SEED, n_clips, as_demo=True).pixels]
    moved = []
    for item in questionnaire.items:
        put = partial(letters, reader, text=question_text(questionnaire, item), of=item.letters)
        moved.append(np.abs(put(pictures) - np.concatenate([put([clip]) for clip in pictures])).max())
    print(f"the same prompt in another batch: at most {np.max(moved):.1e} in {n_clips * len(moved)} pairs")


if __name__ == "__main__":
    sys.exit(main())
