"""The dataset card: what the Hub and people read first."""

from pathlib import Path
from typing import Any

import pandera.polars as pa
import pyarrow.parquet as pq
from datasets import Features
from markupsafe import Markup

from curate import tables
from curate.release import phrases
from curate.release.asking_words import words
from curate.release.card_parts import card_text
from curate.release.compare.difference import Difference
from curate.release.compare.words import change_rows
from curate.release.configs import configs_of
from curate.release.content import Metrics, ReleaseContent
from curate.release.features import FILE_COLUMN
from curate.release.markdown import render_markdown

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "n>1M"
_CONFIGS = {
    "default": "every clip that came with a label",
    "high_reliability": "clips whose given label the evidence supports",
    "low_reliability": "clips whose given label is in doubt",
    "pseudo_labeled": "clips that came without a label; `label` is null where the pseudo-label was refused",
    "answers": (
        "a row a question and clip: what the model answered, with probabilities; other ways of asking and "
        "controls have rows of their own, which `variant` and `control` name"
    ),
    "votes": "a row a person and clip",
    "keypoints": "a row a clip: 137 key points of one person, frame by frame (x, y, confidence)",
    "features": "a row a clip: gaze, head pose, action units or what else was measured, frame by frame",
    "embeddings": "a row a clip: what a vision model makes of its frames, a vector each",
}
_QUALITY = (
    ("Given labels that are right", "accuracy_given"),
    ("Majority of votes and given label that is right", "accuracy_majority"),
    ("Refined labels that are right", "accuracy_refined"),
    ("Refined labels that are right, high reliability", "accuracy_high"),
    ("Refined labels that are right, low reliability", "accuracy_low"),
    ("Given labels that are right, high reliability", "accuracy_given_high"),
    ("Given labels that are right, low reliability", "accuracy_given_low"),
    ("Pseudo-labels that are right, all", "accuracy_pseudo"),
    ("Pseudo-labels that are right, accepted", "accuracy_pseudo_accepted"),
)


def render_card(content: ReleaseContent, folder: Path, version: str, changed: Difference | None) -> str:
    """The card of a release whose Parquet files already lie in `folder`.

    Shows numbers of `content.metrics` only. Text from data is escaped.

    Args:
        content: What is released.
        folder: The release.
        version: Its version.
        changed: Held against the release before; None where there is none.
    """
    configs = configs_of(folder)
    body = render_markdown("dataset_card.md.j2", _values(content, configs, version, changed))
    return card_text(_front_matter(content, configs, folder), body)


def _front_matter(content: ReleaseContent, configs: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    release, counts = content.recipe.release, content.metrics["counts"]
    kinds = [kind for kind, many in (("video", "videos"), ("image", "images")) if counts[many]]
    found = {
        "pretty_name": content.title,
        "license": release.licence,
        "language": list(release.language),
        "task_categories": [f"{kind}-classification" for kind in kinds],
        "size_categories": [_size(counts["clips"])],
        "annotations_creators": [
            "found",
            "machine-generated",
            *(["crowdsourced"] if counts["votes"] else []),
        ],
        "tags": ["curate", "label-noise", "soft-labels", "vision-language-model"],
        "configs": configs,
        "dataset_info": [_info(config, folder) for config in configs],
    }
    # The Hub takes an empty key for a mistake.
    return {key: value for key, value in found.items() if value}


def _info(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Features and sizes of one config, as load_dataset checks them."""
    files = {one["split"]: sorted(folder.glob(one["path"])) for one in config["data_files"]}
    every = [path for paths in files.values() for path in paths]
    splits = [
        {
            "name": split,
            "num_bytes": sum(_n_bytes(path) for path in paths),
            "num_examples": sum(pq.read_metadata(path).num_rows for path in paths),
        }
        for split, paths in files.items()
    ]
    return {
        "config_name": config["config_name"],
        "features": Features.from_arrow_schema(pq.read_schema(every[0]))._to_yaml_list(),
        "splits": splits,
        "download_size": sum(path.stat().st_size for path in every),
        "dataset_size": sum(split["num_bytes"] for split in splits),
    }


def _n_bytes(path: Path) -> int:
    """Of the values of a Parquet file, uncompressed."""
    told = pq.read_metadata(path)
    return sum(told.row_group(group).total_byte_size for group in range(told.num_row_groups))


def _size(n: int) -> str:
    return next((name for limit, name in _SIZES if n < limit), _LARGEST)


def _values(
    content: ReleaseContent, configs: list[dict[str, Any]], version: str, changed: Difference | None
) -> dict[str, Any]:
    metrics = content.metrics
    return {
        "title": content.title,
        "recipe": content.recipe,
        "questionnaire": content.questionnaire,
        "models": content.models,
        "m": metrics,
        "quality": _quality(metrics),
        "asking": words(metrics, content.recipe.answers),
        "configs": [(one["config_name"], Markup(_CONFIGS[one["config_name"]])) for one in configs],  # noqa: S704
        "example_split": _example_split(configs),
        "fields": _fields(content),
        "percent": phrases.percent,
        "number": phrases.number,
        "count": phrases.count,
        "share": phrases.share,
        "split_rule": phrases.split_rule(content.recipe.labels),
        "pseudo_rule": phrases.pseudo_rule(content.recipe.labels),
        "version": version,
        "changed": changed,
        "change_rows": [] if changed is None else list(change_rows(changed)),
        "leaks": _leaks(content),
        "citations": Markup("\n\n".join(phrases.bibtex(one) for one in content.recipe.release.cite)),  # noqa: S704
        "no_personal_data": phrases.NO_PERSONAL_DATA,
        "observers": phrases.OBSERVERS,
    }


def _leaks(content: ReleaseContent) -> list[tuple[str, int, bool]]:
    """Kinds of leakage between splits, how many pairs, and whether the recipe allows it."""
    counted = content.tables.leakage["kind"].value_counts().sort("kind").iter_rows()
    return [(kind, n, kind in content.recipe.release.allow_leakage) for kind, n in counted]


def _quality(metrics: Metrics) -> list[tuple[str, str]]:
    """What is shown of the truth: rows of (what, value), one saying so where no truth is known."""
    truth = metrics["truth"]
    if truth is None and metrics["quality"]:
        return _estimates(metrics)
    if truth is None:
        return [(title, phrases.UNKNOWN) for title, _ in _QUALITY[:3]]
    rows = [(title, phrases.share(truth[key])) for title, key in _QUALITY if truth[key]["n"]]
    rows.append(
        (
            "Area under the ROC curve: low reliability finds wrong given labels",
            phrases.number(truth["reliability_auroc"]),
        )
    )
    rows.append(("Log-loss of the posterior [nat]", phrases.number(truth["log_loss"])))
    rows.append(("Macro F1 of the refined labels", phrases.number(truth["macro_f1"])))
    rows.append(("Expected calibration error", phrases.number(truth["ece"])))
    return rows


def _estimates(metrics: Metrics) -> list[tuple[str, str]]:
    """Shares of right labels as gold tells of them."""
    titles = {
        "given": "Given labels that are right, estimated",
        "refined": "Refined labels that are right, estimated",
        "high": "Given labels that are right, high reliability, estimated",
    }
    found = [one for one in metrics["quality"] if one["measure"] in titles and one["n_clips"]]
    return [
        (titles[one["measure"]], phrases.share({**one, "n": f"{one['n_gold']} gold labels"})) for one in found
    ]


def _example_split(configs: list[dict[str, Any]]) -> tuple[str, str]:
    """A config and split that surely exist, for the lines that show how to load."""
    if not configs:
        return "default", "train"
    return configs[0]["config_name"], configs[0]["data_files"][0]["split"]


def _fields(content: ReleaseContent) -> list[tuple[str, str, str]]:
    """Name, title and description of each published column, from the schema."""
    counts = content.metrics["counts"]
    absent = {kind for kind, many in (("video", "videos"), ("image", "images")) if not counts[many]}
    if content.recipe.release.media != "embed":
        absent |= {"video", "image"}
    if content.recipe.release.media != "files":
        absent.add(FILE_COLUMN)
    columns: dict[str, pa.Column] = tables.schema("release_clips").columns
    return [_field(name, column) for name, column in columns.items() if name not in absent]


def _field(name: str, column: pa.Column) -> tuple[str, str, str]:
    return ("q_<item>" if column.regex else name, str(column.title), str(column.description))
