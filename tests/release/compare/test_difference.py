"""Two releases beside each other: what is found, why, and what version it asks for."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from curate.release.compare.changes import CHANGES, MOVED
from curate.release.compare.difference import Count, Difference, difference
from curate.release.compare.edition import Edition
from curate.release.compare.words import difference_json, difference_lines
from curate.release.content import ReleaseContent
from curate.release.dataset import write_release


@pytest.fixture
def after(
    synthetic: ModuleType, release: Path, tmp_path: Path
) -> Callable[[Callable[[ReleaseContent], ReleaseContent]], Difference]:
    """Writes the release again after an edit, and compares."""

    def made(edit: Callable[[ReleaseContent], ReleaseContent]) -> Difference:
        folder = tmp_path / "after"
        write_release(folder, replace(edit(synthetic.make().content), previous=Edition(release)))
        return difference(Edition(release), Edition(folder))

    return made


def with_tables(content: ReleaseContent, **tables: pl.DataFrame) -> ReleaseContent:
    return replace(content, tables=replace(content.tables, **tables))


def relabelled(content: ReleaseContent, clip_id: str, **values: Any) -> ReleaseContent:
    """Other values in the row of one clip of table labels."""
    labels = content.tables.labels
    mine = pl.col("clip_id") == clip_id
    changed = [
        pl.when(mine).then(pl.lit(value, dtype=labels.schema[name])).otherwise(name).alias(name)
        for name, value in values.items()
    ]
    return with_tables(content, labels=labels.with_columns(changed))


def a_low_clip(content: ReleaseContent) -> dict[str, Any]:
    low = content.tables.labels.filter(pl.col("reliability_split") == "low").sort("clip_id")
    return low.row(0, named=True)


def kinds(found: Difference) -> dict[str, int]:
    return found.by_kind


def test_the_same_content_differs_in_nothing(after: Callable[..., Difference]) -> None:
    found = after(lambda content: content)
    assert found.level is None
    assert (found.before, found.after) == ("1.0.0", "1.0.0")
    assert found.changes.is_empty()
    assert list(difference_lines(found)) == ["1.0.0 -> 1.0.0: nothing that is published changed"]


def test_a_label_that_a_new_vote_moved(synthetic: ModuleType, after: Callable[..., Difference]) -> None:
    clip = a_low_clip(synthetic.make().content)
    other = next(name for name in synthetic.CLASSES if name != clip["label_refined"])

    def edit(content: ReleaseContent) -> ReleaseContent:
        row = {"clip_id": clip["clip_id"], "annotator": "eve", "label": other}
        votes = pl.concat([content.tables.votes, pl.DataFrame([row])], how="diagonal")
        said = {"clip_id": row["clip_id"], "instrument": "vote:eve", "kind": "human", "outcome": other}
        evidence = pl.concat([content.tables.evidence, pl.DataFrame([said])], how="diagonal")
        why = [{"instrument": "vote:eve", "outcome": other, "log_odds": 1.5}]
        changed = relabelled(content, clip["clip_id"], label_refined=other)
        labels = changed.tables.labels.with_columns(
            why=pl.when(pl.col("clip_id") == clip["clip_id"])
            .then(pl.lit(why, dtype=changed.tables.labels.schema["why"]))
            .otherwise("why")
        )
        return with_tables(changed, votes=votes, evidence=evidence, labels=labels)

    found = after(edit)
    assert found.level == "minor"  # a vote more
    assert found.after == "1.1.0"
    assert kinds(found) == {"label": 1}
    row = found.changes.row(0, named=True)
    assert (row["before"], row["after"]) == (clip["label_refined"], other)
    first = row["reasons"][0]
    assert (first["instrument"], first["how"], first["after"]) == ("vote:eve", "new", other)
    assert row["because"].startswith(f"vote:eve is new: {other} (+1.5 nat)")
    assert found.tables == {"votes": Count(added=1, removed=0, changed=0)}
    told = "\n".join(difference_lines(found))
    assert f"{clip['label_refined']} -> {other}" in told
    assert "votes: 1 rows more, 0 fewer, 0 say something else" in told


def test_a_reliability_that_moved_is_a_patch_and_a_small_move_is_counted(
    synthetic: ModuleType, after: Callable[..., Difference]
) -> None:
    content = synthetic.make().content
    low = content.tables.labels.filter(pl.col("reliability_split") == "low").sort("clip_id")
    far, near = low.head(2).to_dicts()

    def edit(content: ReleaseContent) -> ReleaseContent:
        moved = relabelled(content, far["clip_id"], reliability=far["reliability"] + 2 * MOVED)
        return relabelled(moved, near["clip_id"], reliability=near["reliability"] + MOVED / 2)

    found = after(edit)
    assert (found.level, found.after) == ("patch", "1.0.1")
    assert kinds(found) == {"reliability": 1}
    assert found.changes["distance"][0] == pytest.approx(2 * MOVED)
    assert found.n_moved_little == 1


def test_a_class_that_came_is_a_change_of_schema(
    synthetic: ModuleType, release: Path, tmp_path: Path
) -> None:
    content = synthetic.make().content
    classes = (*content.recipe.task.classes, "beyond")
    task = content.recipe.task.model_copy(update={"classes": classes})
    nothing = pl.lit([0.0], pl.List(pl.Float32))
    labels = content.tables.labels.with_columns(
        pl.col("posterior").list.concat([0.0]), pl.col("soft_label").list.concat(nothing)
    )
    metrics = content.metrics | {"classes": list(classes)}
    per_class = metrics["counts"]["per_class"] | {
        "beyond": dict.fromkeys(metrics["counts"]["per_class"][classes[0]], 0)
    }
    metrics |= {"counts": metrics["counts"] | {"per_class": per_class}}
    grown = replace(
        with_tables(content, labels=labels),
        recipe=content.recipe.model_copy(update={"task": task}),
        metrics=metrics,
        previous=Edition(release),
    )
    write_release(tmp_path / "after", grown)
    found = difference(Edition(release), Edition(tmp_path / "after"))
    assert (found.level, found.after) == ("major", "2.0.0")
    assert found.schema[0].startswith("classes were")


def test_clips_that_came_and_went(synthetic: ModuleType, release: Path, tmp_path: Path) -> None:
    write_release(tmp_path / "more", replace(synthetic.make(26).content, previous=Edition(release)))
    more = difference(Edition(release), Edition(tmp_path / "more"))
    assert (more.level, more.after) == ("minor", "1.1.0")
    assert kinds(more)["added"] == 2
    assert difference(Edition(tmp_path / "more"), Edition(release)).by_kind["removed"] == 2


def test_what_of_the_recipe_changed_is_the_reason_where_no_instrument_is(
    synthetic: ModuleType, release: Path, tmp_path: Path
) -> None:
    content = synthetic.make().content
    clip = a_low_clip(content)
    promoted = relabelled(content, clip["clip_id"], reliability_split="high")
    text = "name: drawn-faces\nlabels:\n  split: {rule: threshold, threshold: 0.1}\n"
    write_release(tmp_path / "after", replace(promoted, recipe_text=text, previous=Edition(release)))
    found = difference(Edition(release), Edition(tmp_path / "after"))
    assert "labels.split.threshold was left out, and is 0.1" in found.rules
    change = found.changes.filter(pl.col("what") == "reliability_split").row(0, named=True)
    assert change["because"].endswith("; labels.split.threshold was left out, and is 0.1")


def test_a_questionnaire_and_a_model_that_changed(
    synthetic: ModuleType, release: Path, tmp_path: Path
) -> None:
    content = synthetic.make().content
    asked = content.questionnaire_text.replace("lean forward?", "lean back?").replace(
        "id: smile", "id: frown"
    )
    calls = content.tables.calls.with_columns(model=pl.lit("example/other@1"), prompt_version=pl.lit("q-2"))
    edited = replace(with_tables(content, calls=calls), questionnaire_text=asked, previous=Edition(release))
    write_release(tmp_path / "after", edited)
    found = difference(Edition(release), Edition(tmp_path / "after"))
    assert found.questionnaire[:2] == ("item smile is gone", "item frown is new")
    assert found.questionnaire[2].startswith("item posture, ask: was 'Does the person lean forward?', and is")
    assert found.models == ("model example/tiny-vlm@0123abc is gone", "model example/other@1 is new")
    assert "prompt version q-2 is new" in found.prompts
    assert found.level == "minor"


def test_the_changes_lie_in_the_release_and_the_card_tells_them(
    synthetic: ModuleType, release: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "more"
    write_release(folder, replace(synthetic.make(26).content, previous=Edition(release)))
    kept = pl.read_parquet(folder / "provenance" / CHANGES)
    found = difference(Edition(release), Edition(folder))
    assert kept.equals(found.changes)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "## Changes since 1.0.0" in card
    assert "| clips that are new | 2 |" in card
    facts = json.loads((folder / "provenance" / "release.json").read_text(encoding="utf-8"))
    assert facts["previous"] == {"name": "drawn-faces", "version": "1.0.0"}
    told = json.loads(difference_json(found))
    assert told["level"] == "minor"
    assert len(told["changes"]) == kept.height
