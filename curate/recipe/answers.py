"""What is asked about each clip, how often, and against which controls."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from curate.recipe.fields import Share
from curate.sections import Section


class Variants(Section):
    """The same question put in other ways, to see whether the answer stays, and to average."""

    count: int = Field(default=0, ge=0, le=20)
    """How many other ways, beside the question as written."""

    share: Share = 0.05
    """Share of clips that are asked so; 1 is all of them."""


class Controls(Section):
    """Questions whose answers are known to mean nothing, or to have to change.

    They are marked as controls and never become evidence.
    """

    canary: Share = 0.02
    """Share of clips whose questions are asked again with another clip's pictures: answers
    must be about those. At least ten clips, where there are as many; 0 for none."""

    no_media: Share = 0.02
    """Share of clips whose questions are asked without a picture: what is guessed from the
    words alone. At least ten clips; 0 for none."""

    shuffled: Share = 0.02
    """Share of clips whose pictures are put out of order: whether time is used at all.
    At least ten clips; 0 for none."""

    wrong_media: Literal["stop", "warn"] = "stop"
    """When the canaries say that answers are not about the pictures that were sent.
    stop: the run ends there and says so. warn: it goes on; report and card say so."""


class Answers(Section):
    """What is asked about each clip."""

    questionnaire: Path = Path("questionnaire.yaml")
    """The questionnaire's file."""

    further: tuple[Path, ...] = ()
    """Folders of runs, or of releases, in which other models answered about the same clips: what they said
    is weighed as well, and nothing is asked again."""

    mode: Literal["separate", "joint"] = "separate"
    """separate: a call an item, with probabilities of its options. joint: one call for the
    whole questionnaire, answered as JSON: fewer calls, and answers that lean on each other."""

    probabilities: Literal["auto", "logprobs", "samples", "stated"] = "auto"
    """Where an answer's probabilities come from. logprobs: those of the option tokens.
    samples: shares of `samples` answers drawn at temperature 1. stated: the model's own
    words. auto: logprobs where the model gives them, else samples if `samples` is above 1,
    else stated."""

    samples: int = Field(default=1, ge=1, le=100)
    """Draws an answer, where probabilities come from samples."""

    debias: Literal["none", "position", "content_free"] = "none"
    """position: what an option gains by its place alone is estimated on some clips by asking
    all cyclic orders, and taken off everywhere (PriDe). content_free: what is answered
    without a picture is taken off. none: answers as told."""

    permutations: Share = 0.05
    """Share of clips that are asked in every cyclic order of the options, if debias is
    position; at least ten clips."""

    paraphrases: Variants = Variants()
    """The item's other wordings, as the questionnaire lists them."""

    repeats: Variants = Variants()
    """The same words again."""

    context: Literal["none", "between"] = "none"
    """between: what happens between two pictures is first put into one sentence, from the
    frames between them, and stands between them in every prompt."""

    transcript: bool = False
    """Whether what is said in a clip is put into the prompts, as quoted data."""

    reasons: Literal["none", "unlabelled", "all"] = "none"
    """Clips of which the model also observes, concludes a class with reasons, and reflects on
    it. A conclusion that its reflection does not confirm is no evidence and accepts no
    pseudo-label."""

    controls: Controls = Controls()
    """What shows that answers are about the pictures."""

    seed: int = 0
    """Which clips are drawn for variants and controls."""

    @model_validator(mode="after")
    def _settings_fit(self) -> Self:
        misfits = []
        if self.probabilities == "samples" and self.samples < 2:
            misfits.append("probabilities: samples needs samples of 2 or more. Raise samples, say to 5")
        if self.debias == "content_free" and self.controls.no_media == 0:
            misfits.append(
                "debias: content_free rests on the control no_media, whose share is 0. "
                "Raise controls.no_media"
            )
        if misfits:
            raise ValueError("; ".join(misfits))
        return self
