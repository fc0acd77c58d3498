"""Publishing through the real client, to a Hub on loopback that can fail."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from huggingface_hub import HfApi

from curate.errors import ReleaseError
from curate.release.card_parts import CARD, front_matter
from curate.release.compare.edition import Edition
from curate.release.dataset import write_release
from curate.release.hub.publish import Target, plan_publication, publish, refusals

REPO = "user/drawn-faces"
TARGET = Target(REPO)


@pytest.fixture
def mine(release: Path, tmp_path: Path) -> Path:
    """A release that tests may write in."""
    return Path(shutil.copytree(release, tmp_path / "drawn-faces"))


def local(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def next_version(synthetic: ModuleType, folder: Path, previous: Path, **changes: Any) -> Path:
    """The same clips with one more, after `previous`."""
    from dataclasses import replace

    content = synthetic.make(25, **changes).content
    write_release(folder, replace(content, previous=Edition(previous)))
    return folder


def test_everything_goes_up_in_one_commit_and_is_tagged(hub: Any, api: HfApi, mine: Path) -> None:
    done = publish(mine, TARGET, api)
    assert (done.version, done.tag) == ("1.0.0", "v1.0.0")
    assert hub.repos[REPO].titles == ["initial commit", "Release 1.0.0"]
    assert hub.repos[REPO].tags == {"v1.0.0": done.commit}
    published = hub.files(REPO, "v1.0.0")
    assert published.pop(".gitattributes") == b""
    assert published == local(mine)
    assert done.n_compared == len(published)
    assert not hub.repos[REPO].private


def test_a_new_dataset_may_be_private(hub: Any, api: HfApi, mine: Path) -> None:
    publish(mine, Target(REPO, private=True), api)
    assert hub.repos[REPO].private


def test_a_dry_run_writes_nothing(hub: Any, api: HfApi, mine: Path) -> None:
    planned = plan_publication(mine, TARGET, api)
    assert {name for name, _ in planned.to_add} == set(local(mine))
    assert (planned.tag, planned.head, planned.to_delete) == ("v1.0.0", None, ())
    assert not hub.repos
    assert all(method in ("GET", "HEAD") for method, _ in hub.requests)


def test_published_again_nothing_is_written(hub: Any, api: HfApi, mine: Path) -> None:
    first = publish(mine, TARGET, api)
    hub.requests.clear()
    assert publish(mine, TARGET, api).commit == first.commit
    assert all(method in ("GET", "HEAD") or "paths-info" in path for method, path in hub.requests)


def test_a_later_version_deletes_what_is_gone_and_keeps_what_is_not_ours(
    hub: Any, api: HfApi, mine: Path, synthetic: ModuleType, tmp_path: Path
) -> None:
    publish(mine, TARGET, api)
    hub.write(REPO, "LICENSE", b"mine")
    hub.write(REPO, "data/old-00000-of-00001.parquet", b"of an earlier version")
    later = next_version(synthetic, tmp_path / "later", mine)
    done = publish(later, TARGET, api)
    assert done.tag == "v1.1.0"  # a clip more is a minor change
    published = hub.files(REPO, "v1.1.0")
    assert published["LICENSE"] == b"mine"
    assert "data/old-00000-of-00001.parquet" not in published
    assert hub.repos[REPO].tags["v1.0.0"] != hub.repos[REPO].tags["v1.1.0"]


def test_a_tag_is_never_moved(
    hub: Any, api: HfApi, mine: Path, synthetic: ModuleType, tmp_path: Path
) -> None:
    first = publish(mine, TARGET, api)
    other = tmp_path / "other"
    write_release(other, synthetic.make(23).content)  # also 1.0.0
    with pytest.raises(ReleaseError, match=r"tag v1\.0\.0 is there with other content"):
        publish(other, TARGET, api)
    assert hub.repos[REPO].tags == {"v1.0.0": first.commit}


def test_words_of_people_in_the_published_card_stay(
    hub: Any, api: HfApi, mine: Path, synthetic: ModuleType, tmp_path: Path
) -> None:
    publish(mine, TARGET, api)
    card = (
        hub.files(REPO)[CARD].decode().replace("---\n<!--", "gated: auto\n---\nRead this first.\n\n<!--", 1)
    )
    hub.write(REPO, CARD, card.encode() + b"\nThanks to Ada.\n")
    later = next_version(synthetic, tmp_path / "later", mine)
    publish(later, TARGET, api)
    published = hub.files(REPO, "v1.1.0")[CARD].decode()
    assert "Read this first." in published
    assert published.endswith("\nThanks to Ada.\n")
    assert front_matter(published)["gated"] == "auto"
    assert "Version 1.1.0" in published
    assert published == (later / CARD).read_text(encoding="utf-8")


def test_a_failure_in_mid_upload_publishes_nothing_and_is_carried_on_with(
    hub: Any, api: HfApi, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def fail(method: str, path: str) -> int | None:
        if method == "PUT":
            sent.append(path)
            return 500 if len(sent) > 3 else None
        return None

    hub.fail = fail
    monkeypatch.setattr("time.sleep", lambda _: None)  # the client waits between its tries
    with pytest.raises(ReleaseError, match=r"the upload failed .*500"):
        publish(mine, TARGET, api)
    assert hub.repos[REPO].titles == ["initial commit"]
    assert not hub.repos[REPO].tags
    arrived = set(hub.large)
    assert arrived
    hub.fail = lambda method, path: None
    hub.requests.clear()
    assert publish(mine, TARGET, api).tag == "v1.0.0"
    again = {path.rpartition("/")[2] for method, path in hub.requests if method == "PUT"}
    assert not again & arrived


def test_interrupted_before_the_tag_it_goes_on_from_there(hub: Any, api: HfApi, mine: Path) -> None:
    hub.fail = lambda method, path: 500 if "/tag/" in path else None
    with pytest.raises(ReleaseError, match="No version was published half"):
        publish(mine, TARGET, api)
    assert not hub.repos[REPO].tags
    hub.fail = lambda method, path: None
    done = publish(mine, TARGET, api)
    assert hub.repos[REPO].tags == {"v1.0.0": done.commit}
    assert hub.repos[REPO].titles == ["initial commit", "Release 1.0.0"]


def test_another_writer_is_not_overwritten(hub: Any, api: HfApi, mine: Path) -> None:
    api.create_repo(REPO, repo_type="dataset")

    def meanwhile(method: str, path: str) -> int | None:
        if "/preupload/" in path:
            hub.write(REPO, "theirs.txt", b"theirs")
        return None

    hub.fail = meanwhile
    with pytest.raises(ReleaseError, match="somebody else wrote to main meanwhile"):
        publish(mine, TARGET, api)
    assert set(hub.files(REPO)) == {".gitattributes", "theirs.txt"}
    hub.fail = lambda method, path: None
    publish(mine, TARGET, api)
    assert hub.files(REPO, "v1.0.0")["theirs.txt"] == b"theirs"


@pytest.mark.parametrize("name", ["metrics.json", "votes/train-00000-of-00001.parquet"])
def test_what_comes_back_otherwise_is_not_tagged(hub: Any, api: HfApi, mine: Path, name: str) -> None:
    hub.damaged = {name}
    with pytest.raises(ReleaseError, match=r"not what was sent, and no tag was set \(1 files\)") as told:
        publish(mine, TARGET, api)
    assert name in str(told.value)
    assert not hub.repos[REPO].tags
    hub.damaged = set()
    assert publish(mine, TARGET, api).tag == "v1.0.0"


def test_a_pull_request_is_tagged_once_it_is_merged(hub: Any, api: HfApi, mine: Path) -> None:
    api.create_repo(REPO, repo_type="dataset")
    proposed = publish(mine, Target(REPO, pull_request=True), api)
    assert proposed.tag is None
    assert proposed.pull_request is not None
    assert proposed.pull_request.endswith("/discussions/1")
    repo = hub.repos[REPO]
    assert not repo.tags
    repo.branches["main"] = repo.branches["refs/pr/1"]  # merged
    assert publish(mine, TARGET, api).tag == "v1.0.0"


def test_a_branch_of_its_own(hub: Any, api: HfApi, mine: Path) -> None:
    publish(mine, Target(REPO, branch="next"), api)
    assert set(hub.files(REPO)) == {".gitattributes"}
    assert CARD in hub.files(REPO, "next")
    assert hub.repos[REPO].tags == {"v1.0.0": hub.repos[REPO].branches["next"]}


def damage(folder: Path) -> None:
    (folder / "metrics.json").write_text("{}", encoding="utf-8")


def no_licence(folder: Path) -> None:
    path = folder / "provenance" / "release.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"licence": None}))


@pytest.mark.parametrize(("harm", "told"), [(damage, "metrics.json"), (no_licence, "licence: is missing")])
def test_what_may_not_be_published(
    hub: Any, api: HfApi, mine: Path, harm: Callable[[Path], None], told: str
) -> None:
    harm(mine)
    with pytest.raises(ReleaseError, match=told):
        publish(mine, TARGET, api)
    assert not hub.requests


def test_leakage_is_refused_unless_it_is_allowed_by_name(synthetic: ModuleType, tmp_path: Path) -> None:
    from dataclasses import replace

    content = synthetic.make().content
    one, other = content.tables.clips["clip_id"].sort().to_list()[:2]
    leak = pl.DataFrame(
        {
            "kind": ["near_duplicate"],
            "clip_id": [one],
            "split": ["train"],
            "other": [other],
            "other_split": ["test"],
            "strength": [0.99],
            "what": ["nearly the same pictures"],
        }
    )
    leaking = replace(content, tables=replace(content.tables, leakage=leak))
    write_release(tmp_path / "refused", leaking)
    assert [problem.where for problem in refusals(tmp_path / "refused")] == ["provenance/leakage.parquet"]
    allowed = synthetic.recipe(
        release={"licence": "cc-by-4.0", "title": "Drawn faces", "allow_leakage": ["near_duplicate"]}
    )
    write_release(tmp_path / "allowed", replace(leaking, recipe=allowed))
    assert not list(refusals(tmp_path / "allowed"))
    card = (tmp_path / "allowed" / CARD).read_text(encoding="utf-8")
    assert "published all the same, as the recipe says by name" in card


def test_no_name_on_the_hub(mine: Path) -> None:
    with pytest.raises(ReleaseError, match="expected USER/NAME"):
        plan_publication(mine, Target("drawn-faces"))
