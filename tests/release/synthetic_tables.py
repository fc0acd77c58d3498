"""Small tables that are the same in every synthetic run."""

import polars as pl

from curate import tables
from curate.questionnaire import UNSEEN

CLASSES = ("bored", "neutral", "engaged")
OPTIONS = ("never", "sometimes", "always")


def problems() -> pl.DataFrame:
    return tables.table(
        "problems",
        [
            {
                "where": "clips/cut.mp4",
                "clip": "cut.mp4",
                "kind": "media",
                "what": "the file ends early, expected a whole mp4",
                "action": "set_aside",
            },
            {
                "where": "labels.csv:9",
                "clip": "gone.mp4",
                "kind": "label",
                "what": "no such clip",
                "action": "set_aside",
            },
        ],
    )


def instruments(n: int) -> pl.DataFrame:
    return pl.DataFrame(
        [
            ("given", "given", n * 5 // 6, 0.83, 0.7, 0.5, 0.4),
            ("item:gaze", "vlm", n, 0.9, None, 0.61, 0.5),
            ("item:posture", "vlm", n, 0.9, None, 0.33, 0.2),
            ("item:smile", "vlm", n, 0.9, None, 0.04, 0.01),
            ("vote:ada", "human", n, 1.0, 0.83, 0.8, 0.3),
            ("vote:ben", "human", n, 1.0, 0.79, 0.7, 0.2),
        ],
        schema=tables.dtypes("instruments"),
        orient="row",
    )


def confusions() -> pl.DataFrame:
    rows = [("item:gaze", name, option, 0.25) for name in CLASSES for option in (*OPTIONS, UNSEEN)]
    return pl.DataFrame(rows, schema=tables.dtypes("confusions"), orient="row")


def cautions() -> pl.DataFrame:
    text = "30% of the clips have only one vote. Ask for a second vote on some clips"
    rows = [("single_votes", "note", text, 0.3, 0.2)]
    return pl.DataFrame(rows, schema=tables.dtypes("cautions"), orient="row")


def certificates() -> pl.DataFrame:
    statement = "Cannot certify: 40 more gold labels, drawn at random among the 20 surest clips, would"
    row = ("given", None, False, 0.1, 0.05, None, 0, 12, 1, 40, statement)
    return pl.DataFrame([row], schema=tables.dtypes("certificates"), orient="row")


def quality() -> pl.DataFrame:
    rows = [
        ("given", None, 0.7, 0.6, 0.8, 12, 20, "exact"),
        ("refined", None, 0.9, 0.8, 0.95, 12, 24, "exact"),
        ("high", None, 0.95, 0.85, 1.0, 9, 14, "exact"),
        *(("class", name, 0.3, 0.2, 0.5, 12, 24, "exact") for name in CLASSES),
    ]
    return pl.DataFrame(rows, schema=tables.dtypes("quality"), orient="row")


def cross_check() -> pl.DataFrame:
    rows = [
        ("0" * 16, True, True, 0.1, None, None, None, None),
        ("1" * 16, True, False, 0.6, None, None, None, None),
        ("2" * 16, False, False, 0.9, None, None, None, None),
    ]
    return pl.DataFrame(rows, schema=tables.dtypes("cross_check"), orient="row")
