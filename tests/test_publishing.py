"""Versions of a real run: only what is new is asked, and each change has its reason."""

import csv
import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from curate.demo.demonstrate import draw
from curate.earlier import earlier_release, keep_release
from curate.errors import InputError, ReleaseError
from curate.manifest import Manifest
from curate.pipeline import execute
from curate.publishing import compare_releases, explain, release_folder
from curate.release.check import check_release
from curate.release.compare.changes import CHANGES
from curate.release.compare.edition import Edition
from curate.release.load import load_release
from curate.run_folder import Run, open_run

N_CLIPS = 20
N_LATER = 4


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn clips of which some are not there yet."""
    folder = tmp_path_factory.mktemp("versions")
    draw(folder, silent, n_clips=N_CLIPS + N_LATER, seed=11)
    later = folder / "later"
    later.mkdir()
    for path in sorted((folder / "clips").iterdir())[N_CLIPS:]:
        path.rename(later / path.name)
    return folder


def carried_out(folder: Path, name: str = "run") -> Run:
    run = open_run(folder / "recipe.yaml", folder / name, environ={}, progress=silent)
    execute(run)
    return run


@pytest.fixture(scope="module")
def first(place: Path) -> Run:
    run = carried_out(place)
    keep_release(run.folder)
    return run


@pytest.fixture(scope="module")
def second(place: Path, first: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """The first release, and the run with more clips and votes; nothing else was touched."""
    kept = tmp_path_factory.mktemp("first") / "release"
    shutil.copytree(first.release, kept)
    for path in (place / "later").iterdir():
        path.rename(place / "clips" / path.name)
    votes = place / "votes.csv"
    with votes.open(encoding="utf-8") as opened:
        header, *rows = list(csv.reader(opened))
    changed = ["not engaged" if name == "label" else row for name, row in zip(header, rows[0], strict=True)]
    changed[header.index("annotator")] = "a new person"
    with votes.open("a", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerow(changed)
    return kept, carried_out(place)


def test_the_first_release_is_1_0_0_and_has_nothing_before_it(second: tuple[Path, Run]) -> None:
    kept, _ = second
    assert Edition(kept).version == "1.0.0"
    assert not (kept / "provenance" / CHANGES).exists()


def test_with_more_clips_and_votes_only_what_is_new_is_asked(second: tuple[Path, Run]) -> None:
    kept, run = second
    old, new = load_release(kept), load_release(run.release)
    assert new.clips.height == N_CLIPS + N_LATER
    added = set(new.clips["clip_id"]) - set(old.clips["clip_id"])
    asked = new.answers.filter(~pl.col("clip_id").is_in(old.answers["clip_id"].unique().implode()))
    assert set(asked["clip_id"]) == added
    told = Manifest.load(run.folder).stages["answers"].counts
    # Controls are drawn over all clips, so that a few more of them may be asked as well.
    n_items = new.answers["item"].n_unique()
    assert told["new_calls"] <= (N_LATER + 3 * N_LATER) * n_items


def test_the_second_version_is_minor_and_tells_why(second: tuple[Path, Run]) -> None:
    kept, run = second
    check_release(run.release)
    assert Edition(run.release).version == "1.1.0"
    changes = pl.read_parquet(run.release / "provenance" / CHANGES)
    assert changes.filter(what="added").height == N_LATER
    assert changes["because"].null_count() == 0
    lines = list(compare_releases(str(kept), str(run.folder)))
    assert lines[0].startswith("1.0.0 -> 1.1.0: a minor change")
    more = load_release(run.release).votes.height - load_release(kept).votes.height
    assert f"votes: {more} rows more, 0 fewer, 0 say something else" in lines
    told = json.loads(next(compare_releases(str(kept), str(run.release), as_json=True)))
    assert told["counts"]["added"] == N_LATER


def test_clips_of_the_first_version_keep_their_side(second: tuple[Path, Run]) -> None:
    kept, run = second
    before = load_release(kept).clips.select("clip_id", "split")
    after = load_release(run.release).clips.select("clip_id", now="split")
    assert before.join(after, on="clip_id").filter(pl.col("split") != pl.col("now")).is_empty()


def test_pseudonyms_are_the_same_in_both_and_nobody_is_named(second: tuple[Path, Run]) -> None:
    kept, run = second
    old, new = (set(load_release(folder).votes["annotator"]) for folder in (kept, run.release))
    assert old < new
    assert all(name.startswith("annotator-") for name in new)
    with (run.folder / "annotators.csv").open(encoding="utf-8") as opened:
        who = dict(list(csv.reader(opened))[1:])
    assert set(who.values()) == new
    for name in ("annotators.csv", "annotators.key"):
        assert (run.folder / name).stat().st_mode & 0o077 == 0
    people = "|".join(who)
    for path in run.release.rglob("*"):
        if path.suffix in (".md", ".json", ".yaml"):
            assert not pl.Series([path.read_text(encoding="utf-8")]).str.contains(f"vote:({people})")[0]


def test_a_further_model_is_weighed_and_nothing_is_asked(
    place: Path, second: tuple[Path, Run], tmp_path: Path
) -> None:
    _, run = second
    # Another model: the same weights under another name, so that its answers are known.
    other = tmp_path / "other"
    shutil.copytree(run.folder, other)
    calls = pl.read_parquet(other / "calls.parquet").with_columns(model=pl.lit("example/second@1"))
    calls.write_parquet(other / "calls.parquet")
    recipe = place / "recipe-further.yaml"
    text = (place / "recipe.yaml").read_text(encoding="utf-8")
    recipe.write_text(text + f"\nanswers: {{further: ['{other}']}}\n", encoding="utf-8")
    weighed = open_run(recipe, run.folder, environ={}, progress=silent)
    before = Manifest.load(run.folder).stages["answers"]
    execute(weighed)
    assert Manifest.load(run.folder).stages["answers"] == before
    instruments = set(weighed.read("instruments")["instrument"])
    items = {name for name in instruments if name.startswith("item:")}
    assert {f"{name} of example/second@1" for name in items if " of " not in name} <= items
    check_release(weighed.release)
    found = difference_of(weighed)
    assert "model example/second@1 is new" not in found  # its calls lie beside this run's own
    clip_id = weighed.read("clips")["clip_id"][0]
    lines = list(explain(weighed.folder, clip_id))
    assert any(line == "answers of example/second@1, asked in another run:" for line in lines)
    assert any("example/second@1, prompt" in line for line in lines)


def difference_of(run: Run) -> str:
    earlier = earlier_release(run)
    assert earlier is not None
    return "\n".join(compare_releases(str(earlier.folder), str(run.release)))


def test_the_own_model_once_more_is_refused(place: Path, second: tuple[Path, Run]) -> None:
    _, run = second
    recipe = place / "recipe-twice.yaml"
    text = (place / "recipe.yaml").read_text(encoding="utf-8")
    recipe.write_text(text + f"\nanswers: {{further: ['{run.folder}']}}\n", encoding="utf-8")
    with pytest.raises(InputError, match="it would count twice"):
        execute(open_run(recipe, run.folder, environ={}, progress=silent))


def test_a_version_that_is_too_low_is_refused_and_the_release_stays(
    place: Path, second: tuple[Path, Run], tmp_path: Path
) -> None:
    kept, run = second
    shutil.copytree(run.folder, tmp_path / "run")
    recipe = place / "recipe-low.yaml"
    text = (place / "recipe.yaml").read_text(encoding="utf-8")
    recipe.write_text(
        text.replace("release:", f"release:\n  version: 1.0.1\n  previous: {kept}\n ", 1)
        if "release:\n" not in text
        else text.replace("release:\n", f"release:\n  version: 1.0.1\n  previous: {kept}\n", 1),
        encoding="utf-8",
    )
    with pytest.raises(ReleaseError, match=r"asks for 1\.1\.0 or more"):
        execute(open_run(recipe, tmp_path / "run", environ={}, progress=silent))
    check_release(tmp_path / "run" / "release")


def test_words_in_the_card_stay_when_the_run_is_written_anew(
    second: tuple[Path, Run], tmp_path: Path
) -> None:
    from curate.outputs import write_out
    from curate.run_folder import reopen_run

    _, run = second
    card = run.release / "README.md"
    card.write_text(card.read_text(encoding="utf-8") + "\nThanks to Ada.\n", encoding="utf-8")
    write_out(reopen_run(run.folder))
    assert card.read_text(encoding="utf-8").endswith("\nThanks to Ada.\n")


def test_a_run_without_a_release_says_so(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{}")
    with pytest.raises(ReleaseError, match="has no release yet"):
        release_folder(tmp_path)
