"""The tables of a large run, drawn at random: only their size matters."""

import numpy as np
import polars as pl
from partial_table import drawn_clips, partial_table

from curate import tables
from curate.questionnaire import Item, Questionnaire
from curate.recipe import Recipe
from curate.release.content import Tables

CLASSES = ("low", "middle", "high")
N_ITEMS, N_MOMENTS, N_CONTROLS = 5, 4, 200
RECIPE_TEXT = """\
name: large
task: {classes: [low, middle, high]}
clips: {source: folder, path: clips}
vlm: {backend: openai, model: none}
release: {licence: cc0-1.0, media: none}
"""


def recipe() -> Recipe:
    """What such a run is asked for."""
    import yaml

    return Recipe.model_validate(yaml.safe_load(RECIPE_TEXT))


def questionnaire() -> Questionnaire:
    """Five questions."""
    items = [
        Item(id=f"item_{k}", ask=f"Question {k}?", options=("no", "some", "yes"), why="It goes with it.")
        for k in range(N_ITEMS)
    ]
    return Questionnaire(name="large", about="Cues.", items=tuple(items))


def drawn_tables(n_clips: int, *, boxes: bool = False) -> Tables:
    """Tables of so many videos: four moments, five answers, a vote and a call each.

    Args:
        n_clips: Videos, at least 400: the first 200 have controls, which show others.
        boxes: Whether a person was found at each moment.
    """
    rng = np.random.default_rng(0)
    ids = pl.Series("clip_id", [f"{number:016x}" for number in range(n_clips)])
    given, posterior = rng.integers(3, size=n_clips), rng.dirichlet([1.0, 1.0, 1.0], n_clips)
    names = np.array(CLASSES)
    reliability = posterior[np.arange(n_clips), given]
    split = np.array(["train", "validation", "test"])[rng.choice(3, n_clips, p=[0.8, 0.1, 0.1])]
    why = [[{"instrument": "given", "outcome": name, "log_odds": 0.5}] for name in CLASSES]
    made = {
        "clips": drawn_clips(ids, names[given], split, rng, least_frames=125),
        "labels": partial_table(
            "labels",
            clip_id=ids,
            label_given=names[given],
            posterior=posterior,
            soft_label=posterior.astype(np.float32),
            label_refined=names[posterior.argmax(axis=1)],
            confidence=posterior.max(axis=1),
            reliability=reliability,
            reliability_split=np.where(reliability >= 0.5, "high", "low"),
            why=[why[code] for code in given],
        ),
        "answers": _answers(ids, rng),
        "frames": _frames(ids, boxes=boxes),
        "votes": partial_table("votes", clip_id=ids, annotator=["ada"] * n_clips, label=names[given]),
        "calls": _calls(n_clips),
        "splits": partial_table("splits", clip_id=ids, split=split, unit=ids.rename("unit")),
    }
    return Tables(**{name: made.get(name, tables.empty(name)) for name in Tables.__slots__})  # type: ignore[arg-type]


def _answers(ids: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    n = len(ids) * N_ITEMS
    probs = rng.dirichlet([1.0, 1.0, 1.0, 0.2], n)
    top = probs.argmax(axis=1)
    receipt = ids + "0" * 48
    plain = partial_table(
        "answers",
        clip_id=ids.gather(np.repeat(np.arange(len(ids)), N_ITEMS)),
        item=np.tile([f"item_{k}" for k in range(N_ITEMS)], len(ids)),
        variant=["base"] * n,
        control=["none"] * n,
        outcome=np.where(top == 3, "unseen", "answered"),
        answer=np.array(["no", "some", "yes", "cannot be seen"])[top],
        told=probs,
        probs=probs,
        expected=rng.random(n),
        spread=rng.random(n),
        source=["logprobs"] * n,
        mask=["after_mask"] * n,
        receipt=receipt.gather(np.repeat(np.arange(len(ids)), N_ITEMS)),
        calls=[[]] * n,
    )
    some = plain.filter(pl.col("clip_id").is_in(ids.head(N_CONTROLS).implode()))
    other = ids.tail(len(ids) - N_CONTROLS).head(N_CONTROLS)
    shown = some["clip_id"].replace_strict(ids.head(N_CONTROLS), other)
    controls = [
        some.with_columns(control=pl.lit("no_media")),
        some.with_columns(control=pl.lit("canary"), media_clip_id=shown),
    ]
    return pl.concat([plain, *controls]).sort("clip_id", maintain_order=True)


def _frames(ids: pl.Series, *, boxes: bool) -> pl.DataFrame:
    n = len(ids) * N_MOMENTS
    index = np.tile(np.arange(N_MOMENTS) * 25, len(ids))
    digest = ids + "f" * 48
    return partial_table(
        "frames",
        clip_id=ids.gather(np.repeat(np.arange(len(ids)), N_MOMENTS)),
        role=["key"] * n,
        index=index,
        t_s=index / 25,
        width=[320] * n,
        height=[240] * n,
        sha256=digest.gather(np.repeat(np.arange(len(ids)), N_MOMENTS)),
        **({"box": [[10.0, 20.0, 210.0, 220.0]] * n} if boxes else {}),
    )


def _calls(n: int) -> pl.DataFrame:
    """Only what is counted of them is drawn: who answered, and tokens."""
    return partial_table(
        "calls",
        key=[f"{number:064x}" for number in range(n)],
        model=["org/model@main"] * n,
        prompt_version=["1"] * n,
        parameters=["{}"] * n,
        reply=['{"choices": []}'] * n,
        tokens_in=np.full(n, 900),
        tokens_out=np.full(n, 5),
        tokens_cached=np.full(n, 600),
    )
