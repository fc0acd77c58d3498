"""What of a drawn clip can be told from the mean over its pictures, and from how much they change."""

import numpy as np
from numpy.typing import NDArray

from curate.demo.drawings import DemoTruth, draw_frames, draw_truth
from curate.demo.people import draw_person, draw_setting
from curate.demo.stories import tell_story
from curate.labels import out_of_fold_probabilities
from curate.labels.classifier import one_hot
from curate.labels.evaluate import accuracy, log_loss
from curate.labels.evidence import Floats, Ints

N_CLIPS, N_PEOPLE = 500, 40
SIDE_PX = 24
N_COMPONENTS, N_DIMENSIONS = 128, 256
ITEMS = ("movement", "gaze", "tilt", "mouth")


def report_motion() -> None:
    """Print accuracy and log-loss of the class, and of what some items of the questionnaire ask about."""
    truth = draw_truth(N_CLIPS, N_PEOPLE, np.random.default_rng(3))
    frames = _stand_in(_pictures(truth, np.random.default_rng(4)))
    mean, deviation = frames.mean(axis=1), frames.std(axis=1)
    change = np.abs(np.diff(frames, axis=1)).mean(axis=1)
    groups = np.unique([clip.subject for clip in truth.clips], return_inverse=True)[1]
    summaries = {
        "mean": mean,
        "mean, deviation": np.hstack([mean, deviation]),
        "mean, change": np.hstack([mean, change]),
    }
    print(f"\nmotion: {N_CLIPS} drawn clips of {N_PEOPLE} people, 4 pictures each; accuracy / log-loss")
    print(f"{'':10} {'commonest':>9} " + " ".join(f"{name:>16}" for name in summaries))
    for name, codes in _asked(truth).items():
        commonest = np.bincount(codes).max() / len(codes)
        told = " ".join(f"{_figures(vectors, codes, groups):>16}" for vectors in summaries.values())
        print(f"{name:10} {commonest:9.3f} {told}", flush=True)


def _asked(truth: DemoTruth) -> dict[str, Ints]:
    """True answers as codes, by item."""
    answers = {item: np.array([clip.cues.values[item] for clip in truth.clips]) for item in ITEMS}
    return {"class": np.array([truth.classes.index(clip.label) for clip in truth.clips]), **answers}


def _pictures(truth: DemoTruth, rng: np.random.Generator) -> NDArray[np.float64]:
    """Grey pixels: (n_clips, n_moments, SIDE_PX²)."""
    people = {f"subject_{number + 1:02}": draw_person(rng) for number in range(N_PEOPLE)}
    clips = []
    for clip in truth.clips:
        story = tell_story(people[clip.subject], draw_setting(rng), clip.cues, rng)
        frames = draw_frames(story, story.moments)
        small = [frame.convert("L").resize((SIDE_PX, SIDE_PX)) for frame in frames]
        clips.append([np.asarray(frame, dtype=np.float64).ravel() / 255 for frame in small])
    return np.array(clips)


def _stand_in(pictures: NDArray[np.float64]) -> Floats:
    """Random half-linear features of the pixels' principal components: (n_clips, n_moments, N_DIMENSIONS)."""
    flat = pictures.reshape(-1, pictures.shape[-1])
    centred = pictures - flat.mean(axis=0)
    components = np.linalg.svd(centred.reshape(flat.shape), full_matrices=False)[2][:N_COMPONENTS]
    drawn = np.random.default_rng(0).normal(size=(N_COMPONENTS, N_DIMENSIONS))
    return np.maximum(centred @ components.T @ drawn, 0)


def _figures(vectors: Floats, codes: Ints, groups: Ints) -> str:
    targets = one_hot(codes, int(codes.max()) + 1)
    found = out_of_fold_probabilities(vectors, targets, groups, np.random.default_rng(0))
    return f"{accuracy(found.argmax(axis=1), codes):.3f}/{log_loss(found, codes):.3f}"
