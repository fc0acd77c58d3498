"""The stages of a run, in their order: what each reads and writes, and what else decides it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from curate import tables
from curate.answers.reasons.reason import reason_evidence
from curate.clips.fingerprint import fingerprint, places_fingerprint
from curate.clips.read import ClipTables, read_clips
from curate.deciding import bring_in
from curate.earlier import digest_of, earlier_release
from curate.errors import InputError, Problem
from curate.faces import hide_faces
from curate.further import directions_of, further_digests, further_evidence, options_of
from curate.labelling import Counts, Frames, all_probabilities, check_labels, judge, label
from curate.labels.gather import gather, item_directions
from curate.measuring import embed_frames, measure_keypoints, read_given_features
from curate.run_folder import Run
from curate.show.review.exports import read_exports
from curate.show.review.ledger import ledger_digest
from curate.splitting import deal, find_leakage, find_ties
from curate.vlm.backends import vlm_files

NOTHING_TELLS = Problem(
    "clips",
    "no clip has a label or vote that can be used, so nothing tells which clip is which",
    "Name a file of labels, votes or a classifier's probabilities for some clips",
)


Work = Callable[[Run, Frames], tuple[Frames, Counts]]
"""From tables read to tables written, and counts for the manifest."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the way: what it reads and writes, and what else decides it."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    parameters: Callable[[Run], Mapping[str, object]] = lambda run: {}
    is_complete: Callable[[Counts], bool] = lambda counts: True
    """Whether a later run may take the stage's outputs as they are."""
    reads_parts: tuple[tables.TableName, ...] = ()
    """Tables that lie in folders of parts, being larger than memory may be."""
    writes_parts: tuple[tables.TableName, ...] = ()
    """Such tables that the work itself writes."""


def find_clips(run: Run, _: Frames) -> tuple[Frames, Counts]:
    """The clips that the recipe names, with labels, votes and whatever else is said of them."""
    found = read_clips(
        run.recipe.clips, run.classes, truth=run.recipe.evaluation.truth, progress=run.steps("clips")
    )
    clips = found.clips
    n_found = clips.height
    if run.limit is not None:
        # Ids come from a hash: the first in their order are a random sample, the same in every run.
        clips = clips.sort("clip_id").head(run.limit).sort("name", "clip_id")
    mine = pl.col("clip_id").is_in(clips["clip_id"].to_list())
    if not _anything_tells(run, clips, found):
        raise InputError("clips", [NOTHING_TELLS])
    written = {
        "clips": clips,
        "votes-given": found.votes.filter(mine),
        "gold-given": found.gold.filter(mine),
        "gold-truth": found.truth.filter(mine),
        "probabilities": found.probabilities.filter(mine),
        "problems-clips": found.problems,
    }
    counts = {name: frame.height for name, frame in written.items()}
    return written, {**counts, "not_sampled": n_found - clips.height}


def _anything_tells(run: Run, clips: pl.DataFrame, found: ClipTables) -> bool:
    """Whether anything says what the classes mean: asked before a call is paid for."""
    said = (clips["label_given"].count(), found.votes.height, found.probabilities.height)
    ranked = run.recipe.task.ordinal and any(item_directions(run.questionnaire).values())
    return ranked or any(said)


def _evidence(run: Run, read: Frames) -> tuple[Frames, Counts]:
    said = gather(read["clips"], read["votes"], read["answers"], all_probabilities(read))
    others = further_evidence(run, read["clips"], read["calls"])
    evidence = pl.concat([said, reason_evidence(read["reasons"]), others])
    evidence = evidence.sort("clip_id", "instrument", "outcome")
    return {"evidence": evidence}, {"rows": evidence.height}


def _problems(_: Run, read: Frames) -> tuple[Frames, Counts]:
    problems = pl.concat(read.values()).sort("kind", "where", "what", maintain_order=True)
    return {"problems": problems}, {"problems": problems.height}


CLIPS = Stage(
    "clips",
    reads=(),
    writes=("clips", "votes-given", "gold-given", "gold-truth", "probabilities", "problems-clips"),
    parameters=lambda run: {
        "clips": run.recipe.clips.model_dump(mode="json", exclude={"keypoints", "features"}),
        "truth": run.recipe.evaluation.model_dump(mode="json"),
        "classes": run.classes,
        "limit": run.limit,
        "files": fingerprint(run.recipe.clips, run.recipe.evaluation.truth),
    },
)

FRAMES = Stage(
    "frames",
    reads=("clips",),
    writes=("frames", "problems-frames"),
    parameters=lambda run: {
        "frames": run.recipe.frames.model_dump(mode="json"),
        "context": run.recipe.answers.context,
        "files": places_fingerprint(run.recipe.frames.detector),
    },
)

ANSWERS = Stage(
    "answers",
    reads=("clips", "frames"),
    writes=("answers", "context", "reasons", "calls", "problems-answers"),
    parameters=lambda run: {
        "answers": run.recipe.answers.model_dump(mode="json", exclude={"questionnaire", "further"}),
        "task": run.recipe.task.model_dump(mode="json"),
        "vlm": run.recipe.vlm.model_dump(mode="json"),
        "files": vlm_files(run.recipe.vlm),
        "questionnaire": run.questionnaire.digest,
        "items": [item.id for item in run.questionnaire.items],
    },
    # What failed or was left out is asked again by the next run; the ledger keeps the rest.
    is_complete=lambda counts: counts["failed"] == 0 and counts["left_out"] == 0,
)


def _keypoint_parameters(run: Run) -> Mapping[str, object]:
    files, pose = run.recipe.clips.keypoints, run.recipe.pose
    places = [*([files.path] if files else []), *([pose.model, pose.detector] if pose else [])]
    return {
        "given": files.model_dump(mode="json") if files else None,
        "pose": pose.model_dump(mode="json") if pose else None,
        "files": places_fingerprint(*places),
    }


def _feature_parameters(run: Run) -> Mapping[str, object]:
    files = run.recipe.clips.features
    given = files.model_dump(mode="json") if files else None
    return {"given": given, "files": places_fingerprint(files.path if files else None)}


def _embedding_parameters(run: Run) -> Mapping[str, object]:
    asked, frames = run.recipe.embeddings, run.recipe.frames
    if asked is None:
        return {"asked": None}
    # What is cut out of pictures counts where embeddings have moments of their own.
    return {
        "asked": asked.model_dump(mode="json", exclude={"judge"}),
        "frames": None if asked.fps is None else frames.model_dump(mode="json"),
        "files": places_fingerprint(asked.model, frames.detector),
    }


PROBLEMS = (
    "problems-clips",
    "problems-reviews",
    "problems-frames",
    "problems-answers",
    "problems-keypoints",
    "problems-features",
    "problems-embeddings",
    "problems-judge",
    "problems-faces",
)

STAGES: Sequence[tuple[Stage, Work]] = (
    (
        Stage(
            "reviews",
            reads=("clips", "votes-given", "gold-given"),
            writes=("votes", "gold", "problems-reviews"),
            parameters=lambda run: {
                "decisions": ledger_digest(run.folder),
                "drawn": read_exports(run.folder).drawn_through,
            },
        ),
        bring_in,
    ),
    (
        Stage(
            "keypoints",
            reads=("clips",),
            writes=("problems-keypoints",),
            writes_parts=("keypoints",),
            parameters=_keypoint_parameters,
        ),
        measure_keypoints,
    ),
    (
        Stage(
            "features",
            reads=("clips",),
            writes=("problems-features",),
            writes_parts=("features",),
            parameters=_feature_parameters,
        ),
        read_given_features,
    ),
    (
        Stage(
            "embeddings",
            reads=("clips", "frames"),
            writes=("problems-embeddings",),
            writes_parts=("embeddings",),
            parameters=_embedding_parameters,
        ),
        embed_frames,
    ),
    (
        Stage(
            "judge",
            reads=("clips", "votes"),
            writes=("probabilities-judge", "problems-judge"),
            reads_parts=("embeddings",),
            parameters=lambda run: {
                "classes": run.classes,
                "judge": run.recipe.embeddings is not None and run.recipe.embeddings.judge,
            },
        ),
        judge,
    ),
    (
        Stage(
            "faces",
            reads=("clips",),
            writes=("media", "problems-faces"),
            parameters=lambda run: run.recipe.release.model_dump(include={"faces", "face_detector"}),
        ),
        hide_faces,
    ),
    (
        Stage(
            "ties",
            reads=("clips", "frames"),
            writes=("ties",),
            reads_parts=("embeddings",),
            parameters=lambda run: run.recipe.splits.model_dump(include={"window_gap_s", "embedding_cosine"}),
        ),
        find_ties,
    ),
    (
        Stage(
            "splits",
            reads=("clips", "ties"),
            writes=("splits",),
            parameters=lambda run: {
                "splits": run.recipe.splits.model_dump(mode="json"),
                "earlier": digest_of(earlier_release(run)) if run.recipe.splits.make else "",
            },
        ),
        deal,
    ),
    (
        Stage(
            "leakage",
            reads=("clips", "ties", "splits"),
            writes=("leakage",),
            parameters=lambda run: run.recipe.splits.model_dump(include={"order"}),
        ),
        find_leakage,
    ),
    (
        Stage(
            "evidence",
            reads=("clips", "votes", "answers", "probabilities", "probabilities-judge", "reasons", "calls"),
            writes=("evidence",),
            parameters=lambda run: {"further": further_digests(run)},
        ),
        _evidence,
    ),
    (
        Stage(
            "labels",
            reads=("clips", "evidence", "gold", "reasons"),
            writes=("labels", "instruments", "confusions", "cautions", "certificates", "quality"),
            parameters=lambda run: {
                "labels": run.recipe.labels.model_dump(mode="json"),
                "classes": run.classes,
                "ordinal": run.recipe.task.ordinal,
                "options": options_of(run),
                "directions": directions_of(run),
            },
        ),
        label,
    ),
    (
        Stage(
            "cross_check",
            reads=("clips", "evidence", "labels", "probabilities", "probabilities-judge"),
            writes=("cross_check",),
            parameters=lambda run: {
                "classes": run.classes,
                "ordinal": run.recipe.task.ordinal,
                "options": options_of(run),
                "directions": directions_of(run),
            },
        ),
        check_labels,
    ),
    (
        Stage(
            "problems",
            reads=PROBLEMS,
            writes=("problems",),
        ),
        _problems,
    ),
)
