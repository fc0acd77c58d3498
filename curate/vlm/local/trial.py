"""Prompts that show, before anything is asked, what a model in this process can do."""

import hashlib
import io

from curate.vlm.client import Letter, Picture, Prompt

_SIDE = 64
"""Of the trial's pictures, in pixels."""


def trial_prompts() -> list[Prompt]:
    """Questions of different lengths about the same two pictures."""
    pictures = [_slope(downwards) for downwards in (False, True)]
    questions = ["Which?", "Which one is it?", "Which of the two pictures is it, the first or the second?"]
    lines = [f"Look closely.\nQuestion: {question}\nA. one\nB. two" for question in questions]
    return [Prompt((*pictures, text), Letter(("A", "B"))) for text in lines]


def _slope(downwards: bool) -> Picture:
    """A picture that grows lighter to one side, as PNG."""
    from PIL import Image

    slope = Image.linear_gradient("L").resize((_SIDE, _SIDE)).convert("RGB")
    file = io.BytesIO()
    (slope if downwards else slope.rotate(90)).save(file, "PNG")
    data = file.getvalue()
    return Picture(hashlib.sha256(data).hexdigest(), lambda digest: data, "image/png")
