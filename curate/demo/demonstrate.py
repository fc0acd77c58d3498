"""The whole road on clips drawn on the spot, with the model that ships."""

import shutil
from pathlib import Path

from curate.demo.drawings import draw_dataset
from curate.errors import InputError, Problem
from curate.pipeline import execute
from curate.resources import resource
from curate.run_folder import Progress, Run, open_run

N_CLIPS = 240
SEED = 2026
_FILES = ("recipe.yaml", "questionnaire.yaml")


def demonstrate(folder: Path, progress: Progress, *, n_clips: int = N_CLIPS, seed: int = SEED) -> Run:
    """Draw a small dataset into `folder`, refine it, and return the finished run.

    A folder that holds an earlier demo is gone on with: clips are not drawn
    again, and nothing that was answered is asked again.

    Raises:
        InputError: The folder holds something else.
    """
    marker = folder / "recipe.yaml"
    ours = marker.exists() and marker.read_bytes() == resource("demo/recipe.yaml").read_bytes()
    if folder.exists() and any(folder.iterdir()) and not ours:
        fix = "Choose another with --out"
        raise InputError(str(folder), [Problem(str(folder), "is not empty and holds no demo", fix)])
    if not (folder / "truth.csv").exists():
        draw(folder, progress, n_clips=n_clips, seed=seed)
    run = open_run(folder / "recipe.yaml", folder / "run", environ={}, progress=progress)
    execute(run)
    return run


def draw(folder: Path, progress: Progress, *, n_clips: int, seed: int) -> None:
    """Draw the clips, and put recipe and questionnaire beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(resource(f"demo/{name}"), folder / name)
    drawn = 0

    def count() -> None:
        nonlocal drawn
        drawn += 1
        progress("draw", drawn, n_clips)

    draw_dataset(folder, n_clips=n_clips, seed=seed, progress=count)
