"""The recipe: everything that a person decides about a run, in one YAML file.

Paths in a recipe are relative to the recipe's own folder.
"""

from curate.recipe.answers import Answers, Controls, Variants
from curate.recipe.clips import (
    ClassifierFile,
    Clips,
    DatasetClips,
    FolderClips,
    GoldFile,
    LabelFile,
    VoteFile,
)
from curate.recipe.frames import Frames
from curate.recipe.load import load_recipe, sound_sections
from curate.recipe.sequences import Embeddings, FeatureFiles, KeypointFiles, Pose
from curate.recipe.vlm import (
    OpenAIBackend,
    Price,
    ReplayBackend,
    TransformersBackend,
    VllmBackend,
    Vlm,
    price_of,
)
from curate.recipe.whole import (
    AgreementSplit,
    CertificateSplit,
    Citation,
    Evaluation,
    Labels,
    Leak,
    Pseudo,
    QuotaSplit,
    Recipe,
    Release,
    Report,
    Split,
    Splits,
    Task,
    ThresholdSplit,
    Together,
)

__all__ = [
    "AgreementSplit",
    "Answers",
    "CertificateSplit",
    "Citation",
    "ClassifierFile",
    "Clips",
    "Controls",
    "DatasetClips",
    "Embeddings",
    "Evaluation",
    "FeatureFiles",
    "FolderClips",
    "Frames",
    "GoldFile",
    "KeypointFiles",
    "LabelFile",
    "Labels",
    "Leak",
    "OpenAIBackend",
    "Pose",
    "Price",
    "Pseudo",
    "QuotaSplit",
    "Recipe",
    "Release",
    "ReplayBackend",
    "Report",
    "Split",
    "Splits",
    "Task",
    "ThresholdSplit",
    "Together",
    "TransformersBackend",
    "Variants",
    "VllmBackend",
    "Vlm",
    "VoteFile",
    "load_recipe",
    "price_of",
    "sound_sections",
]
