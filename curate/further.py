"""Further models: what other runs asked about the same clips, weighed beside this run's own answers.

Nothing is asked again: their answers, with the calls behind them, are taken as they stand.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from curate import tables
from curate.errors import InputError, Problem
from curate.files import sha256_of
from curate.labels.gather import gather, item_directions, item_options
from curate.questionnaire import Questionnaire, load_questionnaire
from curate.release.content import FurtherModel
from curate.run_folder import Run

_KEY = "answers.further"


def further_models(run: Run) -> list[FurtherModel]:
    """The answers of every run or release that the recipe names, about this run's clips.

    Raises:
        InputError: A folder is no run or release, or its model is this run's own
            or another's of them: its answers would count twice.
    """
    found = [_read(Path(place)) for place in run.recipe.answers.further]
    names = [one.model for one in found]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        what = f"names {', '.join(repeated)} twice, so that its answers would count twice"
        raise InputError("answers", [Problem(_KEY, what, "Leave one of them out")])
    return found


def further_digests(run: Run) -> list[dict[str, str]]:
    """What changes when the answers do, who gave them, or what was asked."""
    every = (_files(Path(place)) for place in run.recipe.answers.further)
    return [{name: sha256_of(path) for name, path in files.items()} for files in every]


def further_evidence(run: Run, clips: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """Table `evidence` of further models; an instrument "item:<id> of <model>" an item.

    Args:
        run: The run.
        clips: Table clips: others that they were asked about do not count.
        own: This run's table calls.
    """
    models = further_models(run)
    if twice := sorted({one.model for one in models} & set(own["model"])):
        what = f"names a run of {', '.join(twice)}, which this run asks itself: it would count twice"
        raise InputError("answers", [Problem(_KEY, what, "Leave that run out")])
    return pl.concat([tables.empty("evidence"), *(_evidence(one, clips) for one in models)])


def options_of(run: Run) -> dict[str, Sequence[str]]:
    """Options of each item's instrument, in the order of its probabilities; further models' as well."""
    found = item_options(run.questionnaire)
    for model, asked in _asked(run):
        found |= {f"{name} of {model}": said for name, said in item_options(asked).items()}
    return found


def directions_of(run: Run) -> dict[str, int]:
    """Which way each item's instrument points, as from `item_directions`; further models' as well."""
    found = item_directions(run.questionnaire)
    for model, asked in _asked(run):
        found |= {f"{name} of {model}": way for name, way in item_directions(asked).items()}
    return found


def _asked(run: Run) -> Iterator[tuple[str, Questionnaire]]:
    """Each further model with what it was asked: answers, which may be millions, are not read for that."""
    for place in run.recipe.answers.further:
        files = _files(Path(place))
        yield _model(Path(place), files), load_questionnaire(files["questionnaire"])


def _evidence(further: FurtherModel, clips: pl.DataFrame) -> pl.DataFrame:
    mine = further.answers.join(clips, on="clip_id", how="semi")
    silent = clips.head(0)
    said = gather(silent, tables.empty("votes"), mine, tables.empty("probabilities"))
    return said.with_columns(instrument=pl.col("instrument") + f" of {further.model}")


def _read(place: Path) -> FurtherModel:
    files = _files(place)
    answers, calls = tables.read("answers", files["answers"]), tables.read("calls", files["calls"])
    text = files["questionnaire"].read_text(encoding="utf-8")
    asked = load_questionnaire(files["questionnaire"])
    return FurtherModel(_model(place, files), answers, calls, asked, text)


def _model(place: Path, files: Mapping[str, Path]) -> str:
    """The one model that answered."""
    models = pl.read_parquet(files["calls"], columns=["model"])["model"].unique().sort().to_list()
    if len(models) != 1:
        what = f"{place} holds the answers of {len(models)} models ({', '.join(models)}), expected one"
        raise InputError("answers", [Problem(_KEY, what, "Name a run in which one model answered")])
    return str(models[0])


def _files(place: Path) -> dict[str, Path]:
    """Answers, calls and questionnaire of a run, or of a release."""
    run = {name: place / f"{name}.parquet" for name in ("answers", "calls")}
    release = {
        "answers": place / "answers" / "train-00000-of-00001.parquet",
        "calls": place / "provenance" / "calls.parquet",
    }
    for files, folder in ((run, place), (release, place / "provenance")):
        every = {**files, "questionnaire": folder / "questionnaire.yaml"}
        if all(path.is_file() for path in every.values()):
            return every
    what = f"{place} holds no answers, calls and questionnaire"
    raise InputError("answers", [Problem(_KEY, what, "Name the folder of a finished run, or of a release")])
