"""A button in FiftyOne's App by which a person decides about clips.

FiftyOne loads this file from its own folder of plugins, where `curate view` puts a copy.
"""

from datetime import UTC, datetime
from typing import Any

import fiftyone as fo
import fiftyone.operators as operators
from fiftyone.operators import types

_UNSURE, _SKIP = "(unsure)", "(skip)"


class Decide(operators.Operator):  # type: ignore[misc]
    """Adds a decision to the selected clips, or to the one that is open."""

    @property
    def config(self) -> operators.OperatorConfig:
        """Its name, and how it is called."""
        return operators.OperatorConfig(name="decide", label="curate: decide about these clips")

    def resolve_placement(self, ctx: Any) -> types.Placement:
        """A button above the clips."""
        button = types.Button(label="Decide", icon="rule", prompt=True)
        return types.Placement(types.Places.SAMPLES_GRID_SECONDARY_ACTIONS, button)

    def resolve_input(self, ctx: Any) -> types.Property:
        """What is asked: the class, who decides, a comment."""
        asked = types.Object()
        chosen = types.RadioGroup()
        made = ctx.dataset.info.get("curate", {})
        for name in (*made.get("classes", []), _UNSURE, _SKIP):
            chosen.add_choice(name, label=name)
        n_clips = len(_clips(ctx))
        if not made:
            asked.view("error", types.Error(label="This dataset was not made by curate view"))
        elif not n_clips:
            asked.view("error", types.Error(label="Select clips first, or open one"))
        else:
            asked.enum(
                "label",
                chosen.values(),
                label=f"What is it? ({n_clips} selected)",
                view=chosen,
                required=True,
            )
            asked.str("by", label="Who decides", required=True)
            asked.str("comment", label="Comment")
        return types.Property(asked, view=types.View(label="Decide"))

    def execute(self, ctx: Any) -> dict[str, int]:
        """Add the decision; what was decided before stays beside it."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        clips = ctx.dataset.select(_clips(ctx))
        for sample in clips.iter_samples(autosave=True):
            before = sample["review"].classifications if sample["review"] is not None else []
            decision = fo.Classification(
                label=ctx.params["label"],
                by=ctx.params["by"].strip(),
                at=now,
                comment=ctx.params.get("comment"),
            )
            sample["review"] = fo.Classifications(classifications=[*before, decision])
        ctx.trigger("reload_samples")
        return {"clips": len(clips)}

    def resolve_output(self, ctx: Any) -> types.Property:
        """How many clips were decided."""
        told = types.Object()
        told.int("clips", label="Decided")
        return types.Property(told)


class DecideHere(Decide):
    """The same, by a button beside the clip that is open."""

    @property
    def config(self) -> operators.OperatorConfig:
        """Its name; it is not listed twice."""
        return operators.OperatorConfig(
            name="decide_here", label="curate: decide about this clip", unlisted=True
        )

    def resolve_placement(self, ctx: Any) -> types.Placement:
        """A button above the open clip."""
        button = types.Button(label="Decide", icon="rule", prompt=True)
        return types.Placement(types.Places.SAMPLES_VIEWER_ACTIONS, button)


def _clips(ctx: Any) -> list[str]:
    """Ids of the clip that is open, else of those that are selected."""
    return [ctx.current_sample] if ctx.current_sample else list(ctx.selected)


def register(plugin: Any) -> None:
    """Called by FiftyOne."""
    plugin.register(Decide)
    plugin.register(DecideHere)
