"""The verbs that a person types. Each parses, calls and prints; nothing is decided here."""

import os
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import typer

from curate.errors import CurateError, RecipeError
from curate.printable import printable
from curate.review_cli import review
from curate.starters.write import Domain, write_starter
from curate.terminal import resumable, tell

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.add_typer(review, name="review")

RecipePath = Annotated[Path, typer.Argument(metavar="RECIPE", help="The recipe's YAML file.")]
Classes = Annotated[str | None, typer.Option(help="Class names, comma-separated, lowest first if ordered.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"curate {metadata.version('curate')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Turns a dataset with noisy, subjective labels into one that people can trust and train on."""


def main() -> None:
    """Run the command line: a CurateError becomes one message and exit code 1."""
    try:
        app()
    except CurateError as error:
        print(printable(f"error: {error}", keep="\n"), file=sys.stderr)  # noqa: T201
        sys.exit(1)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the new files; made if need be.")],
    domain: Annotated[Domain, typer.Option(help="Which questionnaire to start from.")] = "engagement",
) -> None:
    """Write a commented recipe and a questionnaire to start from."""
    for path in write_starter(folder, domain):
        typer.echo(f"wrote {path}")
    typer.echo(f"next: put clips and labels beside them, then: curate check {folder / 'recipe.yaml'}")


@app.command()
def check(recipe: RecipePath) -> None:
    """Tell every problem of recipe, questionnaire, label files and media at once. Calls no model."""
    from curate.check import check as problems_of

    problems = problems_of(recipe, os.environ)
    for note in (problem for problem in problems if problem.mends_itself):
        typer.echo(f"note: {note}")
    if to_fix := [problem for problem in problems if not problem.mends_itself]:
        raise RecipeError(str(recipe), to_fix)
    typer.echo(f"{recipe}: ok")


@app.command()
def run(
    recipe: RecipePath,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder; one under runs/ beside the recipe if left out.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many clips, a random sample.")] = None,
    max_calls: Annotated[int | None, typer.Option(min=0, help="Stop asking after so many new calls.")] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=0, help="Stop asking after so many new tokens, in and out together.")
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="Stop asking after so many US dollars; needs vlm.price.")
    ] = None,
) -> None:
    """Make a release and a report. Run again, it does only what is missing or changed."""
    # Heavy parts are imported by the verbs that need them, so that help and init answer at once.
    from curate import verbs
    from curate.progress import bars
    from curate.run_folder import Caps

    caps = Caps(max_calls, max_tokens, max_cost)
    with resumable(), bars() as progress:
        finished = verbs.run(recipe, out, limit=limit, caps=caps, progress=progress)
    tell(verbs.findings(finished))


@app.command()
def plan(
    recipe: RecipePath,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder; one under runs/ beside the recipe if left out.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many clips, a random sample.")] = None,
    pilot: Annotated[
        int | None,
        typer.Option(min=1, help="Ask about so many clips for real, and measure. The run keeps the replies."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say what a run would ask, what that takes and costs, before it does. Only a pilot asks a model."""
    from curate.plan.text import plan_json, plan_lines
    from curate.plan.whole import plan as planned
    from curate.progress import bars

    with resumable(), bars() as progress:
        found = planned(recipe, out, environ=os.environ, limit=limit, pilot=pilot, progress=progress)
    tell([plan_json(found)] if as_json else plan_lines(found))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the demo; an unfinished one is gone on with.")] = Path(
        "demo"
    ),
) -> None:
    """All of it on drawn clips with the model that ships, in a minute or two."""
    from curate.demo.demonstrate import demonstrate
    from curate.progress import bars
    from curate.verbs import findings

    with resumable(), bars() as progress:
        finished = demonstrate(out, progress)
    tell(findings(finished))


@app.command()
def refine(
    evidence: Annotated[
        Path, typer.Argument(metavar="EVIDENCE.csv", help="Columns clip_id, instrument, outcome.")
    ],
    gold: Annotated[
        Path | None, typer.Option(help="CSV of clip_id,gold: labels known to be right, to learn from.")
    ] = None,
    classes: Classes = None,
    ordinal: Annotated[bool, typer.Option("--ordinal", help="The classes are ordered.")] = False,
    out: Annotated[Path, typer.Option(help="Where the refined labels go.")] = Path("labels.parquet"),
    certify: Annotated[
        float | None,
        typer.Option(
            help="Certify as many of the surest labels as gold proves wrong for at most this share."
        ),
    ] = None,
    drawn: Annotated[
        Literal["unknown", "at-random"], typer.Option(help="How clips came to have gold.")
    ] = "unknown",
    queue: Annotated[
        Path | None, typer.Option(help="CSV to write: the clips that a person should look at next.")
    ] = None,
) -> None:
    """The statistics alone: votes in, refined labels out. Needs no model."""
    from curate.votes_only import refine_file

    names = [name.strip() for name in classes.split(",")] if classes else None
    told = refine_file(
        evidence,
        gold,
        names,
        ordinal=ordinal,
        out=out,
        certify=certify,
        drawn="at random" if drawn == "at-random" else "unknown",
        queue=queue,
    )
    tell(told)


@app.command(name="eval")
def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="RUN|RELEASE", help="Folder of a run or of a release.")],
    gold: Annotated[Path, typer.Option(help="CSV of clip_id (or file) and gold (or label).")],
) -> None:
    """Measure refined labels and reliability against labels known to be right."""
    from curate.verbs import evaluate_folder

    tell(evaluate_folder(folder, gold))


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
) -> None:
    """Measure a finished run again, and write its report anew; nothing is asked or fetched."""
    # Before polars is loaded, whose allocator would keep what is freed: a million clips fit into 1 GB so.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")
    from curate.verbs import rebuild

    typer.echo(f"wrote {rebuild(folder).report}")


@app.command()
def view(
    folder: Annotated[Path, typer.Argument(metavar="RUN|RELEASE", help="Folder of a run or of a release.")],
    name: Annotated[
        str | None, typer.Option(help="Name of FiftyOne's dataset; the release's own if left out.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Where the App is served, at 127.0.0.1.")
    ] = 5151,
    serve: Annotated[
        bool, typer.Option("--app/--no-app", help="Serve the App, or only fill the database.")
    ] = True,
    browse: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, where there is a display.")
    ] = True,
) -> None:
    """Open a run or a release in FiftyOne: what changed, what is doubtful, and why."""
    from curate.viewing import open_view

    with suppress(KeyboardInterrupt):
        tell(open_view(folder, name, port=port, serve=serve, browse=browse))


@app.command()
def validate(
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="Folder of a release.")],
) -> None:
    """Check every file, table and value of a release, and say what is wrong and where. Mends nothing."""
    from curate.release.check import check_release

    check_release(release)
    typer.echo(f"{release}: ok")


@app.command()
def diff(
    before: Annotated[
        str, typer.Argument(metavar="BEFORE", help="A release: folder, or USER/NAME@REVISION.")
    ],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="The release that came after it.")],
    as_json: Annotated[bool, typer.Option("--json", help="For machines, with every change.")] = False,
) -> None:
    """Say what changed between two releases, and why."""
    from curate.publishing import compare_releases

    tell(compare_releases(before, after, as_json=as_json))


@app.command()
def why(
    folder: Annotated[Path, typer.Argument(metavar="RUN|RELEASE", help="Folder of a run or of a release.")],
    clip: Annotated[str, typer.Argument(metavar="CLIP", help="Its id, the beginning of it, or its name.")],
    as_json: Annotated[bool, typer.Option("--json", help="For machines, and with everything.")] = False,
) -> None:
    """Trace a clip's label back to the rule, instruments, votes, answers, pictures and calls behind it."""
    from curate.publishing import explain

    tell(explain(folder, clip, as_json=as_json))


@app.command()
def publish(
    folder: Annotated[Path, typer.Argument(metavar="RUN|RELEASE", help="Folder of a run or of a release.")],
    repo: Annotated[str, typer.Argument(metavar="USER/NAME", help="Dataset on the Hub; made if need be.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new dataset private.")] = False,
    branch: Annotated[str, typer.Option(help="Branch to write to; made if need be.")] = "main",
    pull_request: Annotated[
        bool, typer.Option("--pull-request", help="Propose it; publish again once it is merged, for the tag.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go where.")] = False,
) -> None:
    """Publish a release on the Hugging Face Hub: one commit, read back and compared, then tagged."""
    from curate.publishing import publish_folder
    from curate.release.hub.publish import Target

    target = Target(repo, private, branch, pull_request)
    tell(publish_folder(folder, target, dry_run=dry_run))


@app.command()
def attach(
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="A release without media.")],
    media: Annotated[Path, typer.Argument(metavar="MEDIA", help="Folder of your own copy of the media.")],
    out: Annotated[Path, typer.Option(help="Where the release with media goes.")] = Path("attached"),
) -> None:
    """Join a release without media to your own copy of them, by their bytes."""
    from curate.publishing import attach_media

    tell(attach_media(release, media, out))
