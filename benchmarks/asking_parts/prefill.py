"""One prefill a clip by the transformers backend, beside every prompt on its own. Run by `asking.py`.

The demo's model, eight items about four pictures of freshly drawn clips, one
thread, the same prompts both ways in turn.
"""

import time
from collections.abc import Sequence
from pathlib import Path

CLIPS, ROUNDS, BATCH = 32, 2, 32


def prefill(folder: Path) -> list[str]:
    """Prompts a CPU second both ways, and how far their probabilities are apart."""
    from curate.recipe import TransformersBackend
    from curate.vlm.local.local_model import load_model
    from curate.vlm.local.one_prefill import LetterReader

    prompts = _prompts(folder)
    model = load_model(TransformersBackend(backend="transformers", model="demo", threads=1))
    shared, plain = LetterReader(model.checkpoint), LetterReader(model.checkpoint)
    plain.plain_because = "to be measured"
    rounds = [(_took(shared, prompts), _took(plain, prompts)) for _ in range(1 + ROUNDS)]
    (_, told), (_, said) = rounds[0]  # unmeasured: it also checks that the model can share
    shared_s, plain_s = (min(took[way][0] for took in rounds[1:]) for way in (0, 1))
    apart = max(
        abs(one - other) for a, b in zip(told, said, strict=True) for one, other in zip(a, b, strict=True)
    )
    print(f"{len(prompts)} prompts about {CLIPS} clips, demo model, one thread:", end=" ")
    print(f"{len(prompts) / shared_s:.0f} a CPU second with one prefill a clip,", end=" ")
    print(f"{len(prompts) / plain_s:.0f} each on its own: {plain_s / shared_s:.1f} times as fast,", end=" ")
    print(f"probabilities at most {apart:.0e} apart")
    return ["one prefill a clip"] if shared.plain_because else []


def _took(reader, prompts: Sequence):  # type: ignore[no-untyped-def, type-arg]
    """CPU seconds, and the probabilities of all letters."""
    import numpy as np

    from curate.vlm.local.checkpoint import decoded

    started_s, told = time.process_time(), []
    for start in range(0, len(prompts), BATCH):
        batch = prompts[start : start + BATCH]
        images = {picture.sha256: decoded(picture) for prompt in batch for picture in prompt.pictures}
        told += [np.exp(reply.option_logprobs).tolist() for reply in reader.answer(batch, images)]
    return time.process_time() - started_s, told


def _prompts(folder: Path):  # type: ignore[no-untyped-def]
    """All items of a clip, then the next clip."""
    from curate.answers.questions import questions
    from curate.answers.schedule import BASE
    from curate.answers.shown import shown
    from curate.clips.media import media_store
    from curate.clips.read import read_clips
    from curate.demo.demonstrate import draw
    from curate.frames.take import take_frames
    from curate.run_folder import open_run, silent
    from curate.vlm.client import Picture, Prompt

    draw(folder / "drawn", silent, n_clips=CLIPS, seed=60_013)
    run = open_run(folder / "drawn" / "recipe.yaml", folder / "run", environ={})
    clips = read_clips(run.recipe.clips, run.classes).clips
    frames = take_frames(clips, media_store(run.recipe.clips), run.recipe.frames, run.pictures).frames
    asked = questions(run.questionnaire, run.recipe.answers, "logprobs", BASE)
    return [
        Prompt((*(Picture(key.sha256, run.pictures.get) for key in clip.keys), question.words), question.form)
        for clip in shown(clips, frames)
        for question in asked
    ]
