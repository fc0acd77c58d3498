"""The card of a trained model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from train_reference.data.release import Release
from train_reference.evaluation.comparison import Interval
from train_reference.trained_config import TrainedConfig

_WORDS = {
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "uar": "unweighted average recall",
    "nll": "negative log-likelihood [nats]",
    "ece": "expected calibration error",
}


def card(
    config: TrainedConfig,
    release: Release,
    measured: Mapping[str, Interval],
    n_test: int,
    n_groups: int,
    truth_is: str,
) -> str:
    """Markdown with a head as the Hub wants it.

    Args:
        config: Of the model.
        release: That it was trained on.
        measured: By measure.
        n_test: Clips.
        n_groups: Subjects or sources among them.
        truth_is: What they were measured against, in words.
    """
    head: dict[str, Any] = {
        "library_name": "pytorch",
        "tags": ["curate", "video-classification", *config.student.encoders],
        "metrics": ["f1", "accuracy"],
    }
    if not Path(release.name).exists():
        head["datasets"] = [release.name]
    settings = config.settings
    version = f" at revision {release.revision}" if release.revision else ""
    rows = "\n".join(
        f"| {_WORDS[name]} | {one.mean:.3f} | {one.low:.3f} to {one.high:.3f} |"
        for name, one in measured.items()
    )
    return f"""---
{yaml.safe_dump(head, sort_keys=False).strip()}
---

# {", ".join(config.classes)}

A classifier of clips by {", ".join(config.student.encoders)}, trained on `{release.name}`{version}, config
`{settings.config}`, arm `{settings.arm}`, seed {settings.seed}. `config.json` has all settings.

## How good it is

On {n_test} test clips of {n_groups} subjects or sources that it was not trained on, against {truth_is}:

| measure | value | 95 % over subjects |
|---|---|---|
{rows}

`confusion.png` shows what is taken for what, `calibration.png` whether its confidence can be believed,
`curves.png` how training went. The weights are those that were best on the validation split.

## Use

```python
from train_reference import load

model = load("FOLDER")
clip_ids, probabilities = model.predict("RELEASE_OR_REPO", cache="FOLDER_FOR_FEATURES")
```

Classes, in the order of the probabilities: {", ".join(config.classes)}.

## Limits

It says what annotators would have said of such clips, not what people felt, and knows only subjects,
cameras and situations like those of its data. Do not decide about a person by it. The clips may show
people: the data's card says what is known of their consent.
"""
