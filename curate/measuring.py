"""The stages that measure clips frame by frame: key points, features, embeddings."""

from collections.abc import Iterable, Iterator
from functools import partial

import polars as pl

from curate.clips.finding import Finding, problem_table
from curate.clips.media import media_store
from curate.frames.decode import video_pictures
from curate.frames.people.crop import open_crops
from curate.frames.people.detectors import open_finder
from curate.labelling import Counts, Frames
from curate.recipe import Clips, Embeddings, FolderClips, KeypointFiles, Pose
from curate.run_folder import Run
from curate.sequences.columns import Row
from curate.sequences.embed import embed
from curate.sequences.embedding_model import load_embedding_model
from curate.sequences.features import read_features
from curate.sequences.keypoints import read_keypoints
from curate.sequences.parts import write_parts
from curate.sequences.pose import PoseEstimator, estimate_keypoints
from curate.sequences.pose_model import load_pose_model
from curate.sequences.seen import Places, sampling_of
from curate.sequences.shapes import SequenceName
from curate.sequences.store import ArrayStore

Results = Iterable[Row | Finding]


def measure_keypoints(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Key points that came with the clips, and estimates of the others' where the recipe asks for them."""
    files, pose, clips = run.recipe.clips.keypoints, run.recipe.pose, read["clips"]
    if files is not None:
        return _written(run, "keypoints", _given_keypoints(run, clips, files, pose))
    estimator = None if pose is None else _estimator(run, pose)
    steps = run.steps("keypoints")
    return _written(run, "keypoints", estimate_keypoints(clips, estimator, steps) if estimator else ())


def read_given_features(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """Features that came with the clips."""
    files, steps = run.recipe.clips.features, run.steps("features")
    folder = _folder(run.recipe.clips)
    results: Results = read_features(read["clips"], files, folder=folder, progress=steps) if files else ()
    return _written(run, "features", results)


def embed_frames(run: Run, read: Frames) -> tuple[Frames, Counts]:
    """What a vision model makes of the frames of every clip."""
    asked = run.recipe.embeddings
    results: Results = _embedded(run, read, asked) if asked else ()
    return _written(run, "embeddings", results)


def _given_keypoints(run: Run, clips: pl.DataFrame, files: KeypointFiles, pose: Pose | None) -> Results:
    instead = None if pose is None else _estimator(run, pose).row
    folder, steps = _folder(run.recipe.clips), run.steps("keypoints")
    return read_keypoints(clips, files, folder=folder, instead=instead, progress=steps)


def _estimator(run: Run, pose: Pose) -> PoseEstimator:
    kept = ArrayStore(run.folder / "kept" / "keypoints")
    finder = open_finder("person", pose.detector, pose.detector_revision)
    return PoseEstimator(load_pose_model(pose, finder), media_store(run.recipe.clips), kept, pose.fps)


def _embedded(run: Run, read: Frames, asked: Embeddings) -> Iterator[Row | Finding]:
    kept = ArrayStore(run.folder / "kept" / "embeddings")
    sampling = sampling_of(asked, run.recipe.frames)
    crops = None if sampling is None else open_crops(sampling)
    return embed(
        read["clips"],
        read["frames"],
        load_embedding_model(asked),
        Places(run.pictures, media_store(run.recipe.clips), kept),
        sampling,
        run.steps("embeddings"),
        partial(video_pictures, boxes=crops),
        "" if crops is None else crops.finder.name,
    )


def _folder(clips: Clips) -> str:
    """Name of the clips' own folder, which files may put before a path."""
    return clips.path.name if isinstance(clips, FolderClips) else ""


def _written(run: Run, name: SequenceName, results: Results) -> tuple[Frames, Counts]:
    """Write the parts of a table, and tell what was odd."""
    done = write_parts(run.parts(name), name, results)
    # A sample of the clips leaves files of all the others over: that is no problem of theirs.
    told = [one for one in done.findings if one.clip is not None or run.limit is None]
    return {f"problems-{name}": problem_table(told)}, {name: done.rows, "problems": len(told)}
