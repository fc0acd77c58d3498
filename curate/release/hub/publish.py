"""Publishes a release: one commit with everything in it, read back and compared, and only then tagged."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
from huggingface_hub.hf_api import RepoFile

from curate.errors import Problem, ReleaseError, in_short
from curate.files import sha256_of, write_text
from curate.release.card_parts import CARD, patched
from curate.release.check import release_problems
from curate.release.compare.edition import Edition
from curate.release.hub.reference import check_repo
from curate.release.integrity import FACTS, read_facts, released_files

KIND = "dataset"
_PLACES = (
    "data",
    "pseudo",
    "answers",
    "votes",
    "keypoints",
    "features",
    "embeddings",
    "media",
    "provenance",
    "metrics.json",
    "croissant.json",
)
"""What a release consists of: a file of the repository that lies elsewhere is somebody's own, and stays."""
_MOST_FILES = 20_000
"""In one commit; the Hub's own advice is under 25,000."""
_CONFLICT = 412
_TAKEN = 409


@dataclass(frozen=True, slots=True)
class Target:
    """Where a release goes."""

    repo: str
    """USER/NAME."""
    private: bool = False
    """Of a repository that is newly made; one that is there stays as it is."""
    branch: str = "main"
    """Made from main if need be."""
    pull_request: bool = False
    """Whether it is proposed rather than written; it is tagged once it was merged."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing would do."""

    version: str
    tag: str
    to_add: tuple[tuple[str, int], ...]
    """Files that are not there as they are here, with their bytes."""
    to_delete: tuple[str, ...]
    """Files of an earlier version that are gone."""
    n_same: int
    """Files that are there already."""
    head: str | None
    """Commit that it would build on; None where there is no repository yet."""
    card: str
    """The card, with what people wrote into the published one."""
    tagged: str | None
    """Commit of the tag, where it is there already."""


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it."""

    repo: str
    version: str
    commit: str
    tag: str | None
    """None where a pull request has to be merged first."""
    pull_request: str | None
    n_compared: int
    """Files that were read back and compared."""


def plan_publication(folder: Path, target: Target, api: HfApi | None = None) -> Plan:
    """What publishing would do; writes nothing, anywhere.

    Raises:
        ReleaseError: The release may not be published, everything against it at once.
    """
    check_repo(target.repo)
    if problems := list(refusals(folder)):
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ReleaseError(f"{folder}: not published, {len(problems)} to fix\n{lines}")
    return _plan(folder, target, api or HfApi())


def refusals(folder: Path) -> Iterator[Problem]:
    """Why a release may not be published: what is wrong with it, no licence, leakage that nobody allowed."""
    yield from release_problems(folder)
    facts = read_facts(folder)
    if not facts.get("licence"):
        fix = "Name one under release.licence, as the Hub does (cc-by-4.0), and run again"
        yield Problem("licence", "is missing: nobody could tell what the data may be used for", fix)
    allowed = set(facts.get("allow_leakage", []))
    leaks = Edition(folder).table("leakage")["kind"].value_counts().sort("kind") if facts else None
    for kind, n in leaks.iter_rows() if leaks is not None else ():
        if kind not in allowed:
            what = f"{n} pairs of clips on two sides of the splits tell of each other ({kind})"
            fix = f"Say splits.make: true, or release.allow_leakage: [{kind}], which the card then tells"
            yield Problem("provenance/leakage.parquet", what, fix)
    if (n_files := len(released_files(folder))) > _MOST_FILES:
        yield Problem("media", f"{n_files} files are too many for one commit", "Say release.media: embed")


def publish(folder: Path, target: Target, api: HfApi | None = None) -> Published:
    """Publish a release.

    All files go up in one commit, which is read back file by file and compared
    with the folder; then the tag is set. Interrupted anywhere, it is carried on
    with by calling it again: what is there already is not sent again. A tag that
    is there is never moved.

    Raises:
        ReleaseError: It may not be published, somebody else wrote to the
            repository meanwhile, the Hub failed, or what came back is not what was sent.
    """
    api = api or HfApi()
    planned = plan_publication(folder, target, api)
    if planned.card != (folder / CARD).read_text(encoding="utf-8"):
        write_text(folder / CARD, planned.card)
    try:
        commit, request = _commit(folder, target, planned, api)
        n_compared = _compare(folder, target.repo, request[0] if request else commit, api)
        if request is None and planned.tagged is None:
            api.create_tag(
                target.repo, tag=planned.tag, revision=commit, repo_type=KIND, tag_message=_message(planned)
            )
    except HfHubHTTPError as error:
        raise ReleaseError(_told(error, target, planned)) from error
    # The client tells a failed upload as a RuntimeError, and what failed as its cause.
    except (OSError, httpx2.HTTPError, RuntimeError) as error:
        why = in_short(error.__cause__ or error)
        raise ReleaseError(f"{target.repo}: the upload failed ({why}). {_AGAIN}") from error
    return Published(
        repo=target.repo,
        version=planned.version,
        commit=commit,
        tag=None if request else planned.tag,
        pull_request=request[1] if request else None,
        n_compared=n_compared,
    )


_AGAIN = "No version was published half: run the same command again, what arrived is not sent again"


def _plan(folder: Path, target: Target, api: HfApi) -> Plan:
    version = str(read_facts(folder)["version"])
    tag = f"v{version}"
    try:
        heads, tags = _refs(target.repo, api)
        head = heads.get(target.branch, heads.get("main"))
        there = _remote_files(target.repo, head, api) if head else {}
        card = _merged_card(folder, target.repo, head if CARD in there else None, api)
        wanted = _local_files(folder, card)
        if tag in tags:
            _check_tag(_remote_files(target.repo, tags[tag], api), wanted, target.repo, tag)
    except HfHubHTTPError as error:
        raise ReleaseError(f"{target.repo}: the Hub cannot be asked ({in_short(error)})") from error
    except httpx2.HTTPError as error:
        raise ReleaseError(f"{target.repo}: the Hub cannot be reached ({in_short(error)})") from error
    to_add = sorted(name for name, file in wanted.items() if not file.is_same(there.get(name)))
    return Plan(
        version=version,
        tag=tag,
        to_add=tuple((name, wanted[name].size) for name in to_add),
        to_delete=tuple(
            sorted(name for name in there if name not in wanted and name.split("/")[0] in _PLACES)
        ),
        n_same=len(wanted) - len(to_add),
        head=head,
        card=card,
        tagged=tags.get(tag),
    )


def _refs(repo: str, api: HfApi) -> tuple[dict[str, str], dict[str, str]]:
    """Commits of branches and of tags, by name; empty where there is no repository."""
    if not api.repo_exists(repo, repo_type=KIND):
        return {}, {}
    refs = api.list_repo_refs(repo, repo_type=KIND)
    return (
        {one.name: one.target_commit for one in refs.branches},
        {one.name: one.target_commit for one in refs.tags},
    )


@dataclass(frozen=True, slots=True)
class _File:
    """A file by what the Hub tells of one."""

    size: int
    sha256: str
    git_sha1: str
    """Of a file that is kept in git itself."""

    def is_same(self, other: RepoFile | None) -> bool:
        if other is None:
            return False
        return self.sha256 == other.lfs.sha256 if other.lfs else self.git_sha1 == other.blob_id


def _local_files(folder: Path, card: str) -> dict[str, _File]:
    names = [*released_files(folder), FACTS]
    found = {name: _file(folder / name) for name in names}
    return found | {CARD: _of_bytes(card.encode())}


def _file(path: Path) -> _File:
    size = path.stat().st_size
    blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as opened:
        while block := opened.read(1 << 20):
            blob.update(block)
    return _File(size, sha256_of(path), blob.hexdigest())


def _of_bytes(content: bytes) -> _File:
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
    return _File(len(content), hashlib.sha256(content).hexdigest(), blob.hexdigest())


def _remote_files(repo: str, revision: str, api: HfApi) -> dict[str, RepoFile]:
    tree = api.list_repo_tree(repo, recursive=True, revision=revision, repo_type=KIND)
    return {one.path: one for one in tree if isinstance(one, RepoFile)}


def _merged_card(folder: Path, repo: str, head: str | None, api: HfApi) -> str:
    """Our card with what people wrote into the published one, and into the local one."""
    ours = (folder / CARD).read_text(encoding="utf-8")
    if head is None:
        return ours
    with tempfile.TemporaryDirectory() as cache:
        path = api.hf_hub_download(repo, CARD, revision=head, repo_type=KIND, cache_dir=cache)
        theirs = Path(path).read_text(encoding="utf-8")
    return patched(theirs, ours)


def _check_tag(there: Mapping[str, RepoFile], wanted: Mapping[str, _File], repo: str, tag: str) -> None:
    # The card may have been written in since.
    other = [name for name, file in wanted.items() if name != CARD and not file.is_same(there.get(name))]
    if other:
        raise ReleaseError(
            f"{repo}: tag {tag} is there with other content ({len(other)} files, such as {other[0]}), and "
            "tags are never moved. Say release.version: auto with release.previous, or raise the version"
        )


def _commit(folder: Path, target: Target, planned: Plan, api: HfApi) -> tuple[str, tuple[str, str] | None]:
    """The commit, and of a pull request its revision and page."""
    if planned.tagged is not None:
        return planned.tagged, None
    api.create_repo(target.repo, repo_type=KIND, private=target.private, exist_ok=True)
    head = planned.head or _refs(target.repo, api)[0].get("main")
    if not planned.to_add and not planned.to_delete and head:
        return head, None  # an earlier call came so far
    if target.branch != "main":
        api.create_branch(target.repo, branch=target.branch, repo_type=KIND, exist_ok=True)
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        *(CommitOperationAdd(name, str(folder / name)) for name, _ in planned.to_add),
        *(CommitOperationDelete(name, is_folder=False) for name in planned.to_delete),
    ]
    done = api.create_commit(
        target.repo,
        list(operations),
        commit_message=_message(planned),
        repo_type=KIND,
        revision=target.branch,
        create_pr=target.pull_request,
        parent_commit=head,
    )
    return done.oid, (str(done.pr_revision), str(done.pr_url)) if done.pr_url else None


def _message(planned: Plan) -> str:
    return f"Release {planned.version}"


def _compare(folder: Path, repo: str, revision: str, api: HfApi) -> int:
    """Fetch every file into an empty cache, one at a time, and hold it against the folder's.

    Raises:
        ReleaseError: A file came back otherwise.
    """
    names = [*released_files(folder), FACTS, CARD]
    wrong = []
    for name in names:
        with tempfile.TemporaryDirectory() as cache:
            try:
                path = api.hf_hub_download(repo, name, revision=revision, repo_type=KIND, cache_dir=cache)
                found = sha256_of(Path(path))
            except EntryNotFoundError:
                found = "nothing"
            except OSError as error:
                found = in_short(error)
        if found != sha256_of(folder / name):
            wrong.append(f"  - {name}: came back as {found}, expected {sha256_of(folder / name)}")
    if wrong:
        lines = "\n".join(wrong)
        raise ReleaseError(
            f"{repo}: what came back is not what was sent, and no tag was set ({len(wrong)} files)\n{lines}\n"
            "Run the same command again; if it stays so, the files on the Hub are damaged"
        )
    return len(names)


def _told(error: HfHubHTTPError, target: Target, planned: Plan) -> str:
    status = error.response.status_code if error.response is not None else 0
    if status == _CONFLICT:
        return (
            f"{target.repo}: somebody else wrote to {target.branch} meanwhile. Nothing was published: look "
            "at what they wrote, then run the same command again"
        )
    if status == _TAKEN:
        return (
            f"{target.repo}: tag {planned.tag} was set by somebody else meanwhile, and tags are never moved"
        )
    if status in (401, 403):
        return f"{target.repo}: the Hub refuses ({in_short(error)}). Set HF_TOKEN to one that may write there"
    return f"{target.repo}: the Hub failed ({in_short(error)}). {_AGAIN}"
