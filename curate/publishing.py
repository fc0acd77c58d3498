"""What the verbs of releases do beyond one call, said in lines."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from curate.earlier import keep_release
from curate.errors import ReleaseError
from curate.release.attach import attach
from curate.release.compare.difference import difference
from curate.release.compare.edition import Edition
from curate.release.compare.words import difference_json, difference_lines
from curate.release.hub.light import light_copy
from curate.release.hub.publish import Target, plan_publication, publish
from curate.release.hub.reference import HubReference, resolve
from curate.release.lineage import lineage, lineage_lines

_MOST_NAMED = 10


def release_folder(folder: Path) -> Path:
    """The release in a run's folder, or the folder itself.

    Raises:
        ReleaseError: The run is not finished.
    """
    if not (folder / "recipe.json").is_file():
        return folder
    if not (folder / "release").is_dir():
        raise ReleaseError(f"{folder}: this run has no release yet. Run it to its end")
    return folder / "release"


def compare_releases(before: str, after: str, *, as_json: bool = False) -> Iterator[str]:
    """What changed between two releases, each a folder or USER/NAME@REVISION.

    Raises:
        ReleaseError: One of them is no release.
    """
    with tempfile.TemporaryDirectory() as fetched:
        old, new = (
            _edition(text, Path(fetched) / place) for text, place in ((before, "before"), (after, "after"))
        )
        found = difference(old, new)
    yield from [difference_json(found)] if as_json else difference_lines(found)


def _edition(text: str, place: Path) -> Edition:
    named = resolve(text)
    return light_copy(named, place) if isinstance(named, HubReference) else Edition(release_folder(named))


def explain(folder: Path, clip: str, *, as_json: bool = False) -> Iterator[str]:
    """Where a clip's label comes from.

    Raises:
        ReleaseError: The folder is no release, or no clip is called so.
    """
    found = lineage(release_folder(folder), clip)
    yield from [json.dumps(found, ensure_ascii=False, indent=1)] if as_json else lineage_lines(found)


def publish_folder(folder: Path, target: Target, *, dry_run: bool = False) -> Iterator[str]:
    """Publish, or say what publishing would do. A run keeps what it published, to hold the next against.

    Raises:
        ReleaseError: It may not be published, or it failed.
    """
    release = release_folder(folder)
    if dry_run:
        planned = plan_publication(release, target)
        place = (
            f"a pull request to {target.repo}" if target.pull_request else f"{target.repo}, {target.branch}"
        )
        yield f"would publish {planned.version} to {place}, as tag {planned.tag}"
        if planned.tagged:
            yield f"the tag is there already ({planned.tagged}), with this content: nothing would be written"
        n_bytes = sum(size for _, size in planned.to_add)
        yield from (f"  add     {name} ({size:,} bytes)" for name, size in planned.to_add)
        yield from (f"  delete  {name}" for name in planned.to_delete)
        yield f"{planned.n_same} files are there already; {n_bytes:,} bytes to send"
        return
    done = publish(release, target)
    if done.tag is None:
        yield f"proposed {done.version}: {done.pull_request}"
        yield "once it is merged, run the same command without --pull-request, which sets the tag"
    else:
        yield f"published {done.version} to {done.repo} as {done.tag} (commit {done.commit})"
        if release != folder:
            keep_release(folder)
    yield f"{done.n_compared} files were read back, and are as they were sent"


def attach_media(release: Path, media: Path, out: Path) -> Iterator[str]:
    """Join a release without media to somebody's own copy of them.

    Raises:
        ReleaseError: It holds media already, or none of the files belongs to it.
    """
    done = attach(release, media, out)
    yield f"wrote {out}: {done.n_found} of {done.n_clips} clips with their media"
    if done.missing:
        more = f" and {len(done.missing) - _MOST_NAMED} more" if len(done.missing) > _MOST_NAMED else ""
        yield f"warning: not found, and without media: {', '.join(done.missing[:_MOST_NAMED])}{more}"
