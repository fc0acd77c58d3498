"""The verbs of review that a person types."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from curate.terminal import resumable, tell

review = typer.Typer(help="What a person should look at next, and what they decided.", no_args_is_help=True)
ReviewTool = Literal["csv", "label-studio", "fiftyone"]


@review.command(name="export")
def review_export(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    to: Annotated[ReviewTool, typer.Option(help="Where people will look at the clips.")] = "csv",
    size: Annotated[int, typer.Option("--clips", min=1, help="How many clips.")] = 50,
    control: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share that is drawn at random: it tells how right all labels are."),
    ] = 0.2,
    aim: Annotated[
        Literal["posterior", "certificate"],
        typer.Option(help="What the look is for: labels that are sure, or a larger high split."),
    ] = "posterior",
    show_labels: Annotated[
        bool, typer.Option("--show-labels", help="Show what is believed so far, which sways reviewers.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Leave out clips of earlier exports that are still out.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="The file; in the run's reviews/ if left out.")] = None,
    media_address: Annotated[
        str, typer.Option(help="For Label Studio: what it fetches media by, before their path.")
    ] = "/data/local-files/?d=",
) -> None:
    """Hand out the clips that a person's look is worth most about."""
    from curate.candidates import Asked
    from curate.reviewing import export_review

    asked = Asked(size, control, aim, show_labels, fresh)
    tell(export_review(folder, to, asked, out=out, address=media_address))


@review.command(name="import")
def review_import(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The run that was exported from.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The filled-in CSV, or Label Studio's JSON export.")
    ] = None,
    source: Annotated[
        ReviewTool | None,
        typer.Option("--from", help="Told by the file's name if left out; fiftyone has none."),
    ] = None,
    reviewer: Annotated[str, typer.Option(help="Who decided, where the tool does not tell.")] = "",
    keep_as: Annotated[
        Literal["gold", "votes"],
        typer.Option("--as", help="gold: the reviewer's word is the truth. votes: one person's word."),
    ] = "gold",
) -> None:
    """Bring decisions back, say what they change, and cut the release's next version. Asks no model."""
    from curate.progress import bars
    from curate.reviewing import import_review

    tool = source or ("fiftyone" if file is None else "label-studio" if file.suffix == ".json" else "csv")
    with resumable(), bars() as progress:
        lines = list(import_review(folder, tool, file, reviewer=reviewer, kept_as=keep_as, progress=progress))
    tell(lines)
