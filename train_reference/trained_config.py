"""What is kept of a trained model beside its weights."""

from pydantic import BaseModel, ConfigDict

from train_reference.models.student import StudentConfig
from train_reference.settings import Settings


class TrainedConfig(BaseModel):
    """What `config.json` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: tuple[str, ...]
    """In the order of the model's probabilities."""
    student: StudentConfig
    settings: Settings
