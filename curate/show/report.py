"""The report: one HTML file for somebody who did not run it, with nothing to fetch."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup

from curate.files import write_text
from curate.printable import printable
from curate.release import phrases
from curate.release.asking_words import words
from curate.release.content import Metrics, ReleaseContent
from curate.resources import resource
from curate.show import asking_plots, plots
from curate.show.findings import findings
from curate.show.strips import reasoned_clips, worst_clips

_IN_PERCENTAGE = re.compile(r"(?<=[<>]) (?=\d+ ?%)|(?<=\d) ?(?=%)")
MOST_PROBLEMS = 50
"""Set-aside entries that the report lists; the release holds all."""


COMMANDS = ("curate check recipe.yaml", "curate run recipe.yaml")
"""How the same is made again from the recipe that the report carries."""


def write_report(
    path: Path,
    content: ReleaseContent,
    picture: Callable[[str], bytes],
    commands: Sequence[str] = COMMANDS,
) -> None:
    """Write the report, whole or not at all.

    Every number comes from the content's metrics. Text from data is escaped.

    Args:
        path: The HTML file.
        content: What is released.
        picture: A picture as it was sent to the model, by the sha256 of the
            frames table; KeyError or OSError where it was not kept.
        commands: What to type to make the same again.
    """
    write_text(path, render_report(content, picture, commands))


def render_report(
    content: ReleaseContent, picture: Callable[[str], bytes], commands: Sequence[str] = COMMANDS
) -> str:
    """The report's HTML."""
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_template),
        finalize=_fit_to_be_seen,
    )
    template = environment.get_template("report.html.j2")
    return template.render(_values(content, picture) | {"commands": commands})


def _template(name: str) -> str:
    return resource(f"cards/{name}").read_text(encoding="utf-8")


def _fit_to_be_seen(value: object) -> object:
    """Text without what would steer a terminal or turn the direction of writing round."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return printable(value, keep="\n\t")


def _values(content: ReleaseContent, picture: Callable[[str], bytes]) -> dict[str, Any]:
    metrics = content.metrics
    aside = content.tables.problems.filter(pl.col("action") == "set_aside")
    disputed = content.tables.problems.filter(pl.col("kind") == "review")
    versions = content.manifest.get("versions", {})
    return {
        "title": content.title,
        "recipe": content.recipe,
        "recipe_text": content.recipe_text,
        "questionnaire": content.questionnaire,
        "models": content.models,
        "m": metrics,
        "most_classes": plots.MOST_CLASSES,
        "people": sorted(metrics["annotators"], key=lambda one: -one["n_clips"])[: plots.MOST_PEOPLE],
        "instrument_name": plots.instrument_name,
        "findings": [replace(one, text=_unbroken(one.text)) for one in findings(metrics)],
        "plots": _plots(metrics),
        "strips": worst_clips(content, picture),
        "reasoned_strips": reasoned_clips(content, picture),
        "asking": _unbroken(words(metrics, content.recipe.answers)),
        "aside": aside.head(MOST_PROBLEMS).to_dicts(),
        "n_aside": aside.height,
        "disputed": disputed.head(MOST_PROBLEMS).to_dicts(),
        "n_disputed": disputed.height,
        "versions": versions if isinstance(versions, Mapping) else {},
        "percent": lambda value: _unbroken(phrases.percent(value)),
        "number": phrases.number,
        "count": phrases.count,
        "share": lambda found: _unbroken(phrases.share(found)),
        "split_rule": _unbroken(phrases.split_rule(content.recipe.labels)),
        "pseudo_rule": _unbroken(phrases.pseudo_rule(content.recipe.labels)),
    }


def _unbroken(told: Any) -> Any:
    """The same with percentages that no line ends within; lists and mappings through and through."""
    match told:
        case str():
            return _IN_PERCENTAGE.sub("\N{NO-BREAK SPACE}", told)
        case list() | tuple():
            return type(told)(map(_unbroken, told))
        case dict():
            return {key: _unbroken(value) for key, value in told.items()}
        case _:
            return told


def _plots(metrics: Metrics) -> dict[str, Any]:
    labelled = metrics["counts"]["labelled"] > 0
    return {
        "reliability": plots.reliability_histogram(metrics) if labelled else None,
        "changes": plots.change_matrix(metrics) if labelled else None,
        "balance": plots.class_balance(metrics) if labelled else None,
        "worth": plots.item_worth(metrics),
        "annotators": plots.annotator_quality(metrics),
        "cost": plots.token_cost(metrics),
        "stability": asking_plots.stability_by_item(metrics),
        "controls": asking_plots.controls_by_item(metrics),
        "trust": plots.calibration(
            metrics,
            "reliability_bins",
            "Reliability of the given label",
            "Share of given labels that are right",
        ),
        "confidence": plots.calibration(
            metrics,
            "calibration_bins",
            "Confidence of the refined label",
            "Share of refined labels that are right",
        ),
    }
