"""The statistics: from evidence to labels. Pure functions of tables and arrays."""

from curate.labels.evidence import Evidence, Instrument
from curate.labels.intake import evidence_from_frame
from curate.labels.model import fit
from curate.labels.posterior import Posterior
from curate.labels.refine import Labels, refine
from curate.labels.settings import Settings
from curate.labels.trust import FitSettings, Trust

__all__ = [
    "Evidence",
    "FitSettings",
    "Instrument",
    "Labels",
    "Posterior",
    "Settings",
    "Trust",
    "evidence_from_frame",
    "fit",
    "refine",
]
