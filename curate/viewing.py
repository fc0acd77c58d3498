"""What the verbs about FiftyOne do: open a run or a release in it, mark clips there, read decisions back."""

import os
import sys
import webbrowser
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from curate.errors import InputError, Problem
from curate.publishing import release_folder
from curate.release.compare.edition import Edition
from curate.run_folder import reopen_run
from curate.run_media import seen_media
from curate.show.places import Places, media_places
from curate.show.review.decision import Decision
from curate.show.view.part import ADDRESS, check_port, install_button, load_fiftyone, serve_app
from curate.show.view.scene import Scene, read_scene


def open_view(folder: Path, name: str | None, *, port: int, serve: bool, browse: bool) -> Iterator[str]:
    """Write a run's or a release's clips into FiftyOne, and open its App; it stays open until interrupted.

    Args:
        folder: Of a run or of a release.
        name: Of the dataset; the one that it has already, or the release's own, if left out.
        port: Where the App is served, at 127.0.0.1.
        serve: Whether the App is served at all.
        browse: Whether a browser is opened, where there is a display.

    Raises:
        MissingPartError: FiftyOne or its database is not there.
        ReleaseError: The folder is no release, or the run is not finished.
        InputError: The port cannot be had, or the name belongs to something else.
    """
    release = Edition(release_folder(folder))
    scene = read_scene(release)
    if serve:
        check_port(port)
    fiftyone = load_fiftyone()
    written = yield from _write(folder, release, scene, name)
    if not serve:
        return
    install_button(Path(fiftyone.config.plugins_dir))
    server = serve_app(port, do_not_track=fiftyone.config.do_not_track)
    address = f"http://{ADDRESS}:{port}/datasets/{written[0]}"
    yield f"open: {address}"
    if not _has_display():
        yield f"no display here; from another machine: ssh -N -L {port}:{ADDRESS}:{port} THIS_MACHINE"
    elif browse:
        webbrowser.open(address)
    yield "it stays open until Ctrl-C"
    server.wait()


def mark_for_review(folder: Path, chosen: pl.DataFrame) -> Iterator[str]:
    """Bring FiftyOne's datasets of a run up to date, and mark the chosen clips in them.

    Args:
        folder: Of the run.
        chosen: Columns clip_id and rank.
    """
    release = Edition(release_folder(folder))
    load_fiftyone()
    import fiftyone

    from curate.show.view.decisions import mark

    names = yield from _write(folder, release, read_scene(release), None)
    for dataset in map(fiftyone.load_dataset, names):
        yield f"{dataset.name}: {mark(dataset, chosen)} clips in the saved view For review"
    yield (
        "decide in the App (curate view) by the button Decide, or by a tag: review: CLASS, review: (unsure), "
        f"review: (skip); then: curate review import {folder} --from fiftyone"
    )


def decisions_in_fiftyone(folder: Path, reviewer: str) -> list[Decision]:
    """The decisions that stand in FiftyOne's datasets of a run.

    Raises:
        InputError: There is no such dataset, or a clip has two decisions at once.
    """
    release = Edition(release_folder(folder))
    load_fiftyone()
    from curate.show.view.dataset import datasets_of
    from curate.show.view.decisions import read_decisions

    mine = datasets_of(release)
    if not mine:
        what = f"FiftyOne has no dataset of {folder}"
        raise InputError(
            "review import", [Problem("--from fiftyone", what, f"curate view {folder} makes it")]
        )
    return [found for one in mine for found in read_decisions(one, release.classes, reviewer)]


def _write(folder: Path, release: Edition, scene: Scene, name: str | None) -> Generator[str, None, list[str]]:
    """Write the datasets, and tell of each; their names are what it returns.

    Without a name they are those that the release has already, or are called as it is.
    """
    import fiftyone
    from fiftyone.core.utils import to_slug

    from curate.show.view.dataset import datasets_of, name_of, write_datasets

    name = name or name_of(datasets_of(release)) or scene.name
    try:
        to_slug(name)
    except ValueError as error:
        fix = "Name another with --name, of letters and figures"
        raise InputError("FiftyOne", [Problem("--name", f"{name!r}: {error}", fix)]) from error
    kept = Path(fiftyone.config.default_dataset_dir) / "curate" / release.folder.resolve().name
    places = _places(folder, release, scene, kept)
    written = write_datasets(release, scene, places, name)
    for one in written:
        gone = f", {one.n_gone} gone" if one.n_gone else ""
        yield f"{one.name}: {one.n_clips} clips, {one.n_new} of them new{gone}"
        if one.n_missing:
            yield f"note: the media of {one.n_missing} clips are nowhere: see the tag media missing"
    return [one.name for one in written]


def _places(folder: Path, release: Edition, scene: Scene, kept: Path) -> Places:
    original: Callable[[str], Any] | None = None
    if (folder / "recipe.json").is_file():
        run = reopen_run(folder)
        original = seen_media(run, run.read("clips"))
    return media_places(scene.clips, release, kept, original)


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
