"""The statistics: from evidence to labels. Pure functions of tables and arrays.

The whole of it is `curate.refine`; these are its parts.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curate.labels.carry import Earlier as Earlier
    from curate.labels.certificate import certify as certify
    from curate.labels.classifier import out_of_fold_probabilities as out_of_fold_probabilities
    from curate.labels.evidence import Evidence as Evidence
    from curate.labels.evidence import Instrument as Instrument
    from curate.labels.gold import learn_from_gold as learn_from_gold
    from curate.labels.gold_sample import draw_to_certify as draw_to_certify
    from curate.labels.gold_sample import draw_to_explore as draw_to_explore
    from curate.labels.gold_sample import schedule as schedule
    from curate.labels.intake import evidence_from_frame as evidence_from_frame
    from curate.labels.model import fit as fit
    from curate.labels.posterior import Posterior as Posterior
    from curate.labels.queue import next_clips as next_clips
    from curate.labels.queue import person_confusion as person_confusion
    from curate.labels.refine import Labels as Labels
    from curate.labels.settings import Settings as Settings
    from curate.labels.trust import FitSettings as FitSettings
    from curate.labels.trust import Trust as Trust

_PLACES = {
    "Earlier": "carry",
    "Evidence": "evidence",
    "FitSettings": "trust",
    "Instrument": "evidence",
    "Labels": "refine",
    "Posterior": "posterior",
    "Settings": "settings",
    "Trust": "trust",
    "certify": "certificate",
    "draw_to_certify": "gold_sample",
    "draw_to_explore": "gold_sample",
    "evidence_from_frame": "intake",
    "fit": "model",
    "learn_from_gold": "gold",
    "next_clips": "queue",
    "out_of_fold_probabilities": "classifier",
    "person_confusion": "queue",
    "schedule": "gold_sample",
}
__all__ = [
    "Earlier",
    "Evidence",
    "FitSettings",
    "Instrument",
    "Labels",
    "Posterior",
    "Settings",
    "Trust",
    "certify",
    "draw_to_certify",
    "draw_to_explore",
    "evidence_from_frame",
    "fit",
    "learn_from_gold",
    "next_clips",
    "out_of_fold_probabilities",
    "person_confusion",
    "schedule",
]


def __getattr__(name: str) -> Any:
    """Import a part when it is first used: a fit alone needs neither certificates nor their libraries."""
    if name not in _PLACES:
        raise AttributeError(f"module 'curate.labels' has no attribute {name!r}")
    return getattr(import_module(f"curate.labels.{_PLACES[name]}"), name)
