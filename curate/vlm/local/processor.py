"""A checkpoint's processor and name, from a folder or the Hub; its weights are not loaded here."""

import hashlib
from pathlib import Path
from typing import Any

DEMO = "demo"
"""Names the small model that ships with curate."""


def load_processor(place: str, revision: str | None) -> Any:
    """The model's processor; where it wants torchvision and there is none, its part for pictures.

    torchvision is wanted by processors of videos only, and pictures are all that is sent.
    """
    import transformers
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

    auto: Any = transformers  # its Auto classes bear no types
    source = {"revision": revision or "main", "trust_remote_code": False}
    try:
        return auto.AutoProcessor.from_pretrained(place, **source)
    except ImportError:
        kind = PROCESSOR_MAPPING[type(auto.AutoConfig.from_pretrained(place, **source))]
    tokenizer = auto.AutoTokenizer.from_pretrained(place, **source)
    return _pictures_only(kind)(
        image_processor=auto.AutoImageProcessor.from_pretrained(place, **source),
        tokenizer=tokenizer,
        chat_template=tokenizer.chat_template,
    )


def _pictures_only(kind: Any) -> Any:
    """A processor class that does without its video processor."""

    class PicturesOnly(kind):  # type: ignore[misc]
        # transformers reads the parts of a processor from this signature.
        def __init__(
            self,
            image_processor: object = None,
            tokenizer: object = None,
            video_processor: None = None,
            chat_template: str | None = None,
        ) -> None:
            super().__init__(image_processor, tokenizer, video_processor, chat_template=chat_template)

        def check_argument_for_proper_class(self, argument_name: str, argument: object) -> object:
            if argument_name == "video_processor":
                return None
            return super().check_argument_for_proper_class(argument_name, argument)

    return PicturesOnly


def model_name(model: str, place: str, config: Any) -> str:
    """name@revision: the Hub's commit, or a digest of the weights in a folder."""
    folder = Path(place)
    if not folder.is_dir():
        return f"{model}@{config._commit_hash}"
    # The folder's own name: where it lies on this machine decides no reply.
    return f"{DEMO if model == DEMO else folder.resolve().name}@sha256:{_weights_digest(folder)}"


def _weights_digest(folder: Path) -> str:
    """First 16 hex digits of the sha256 over the safetensors files, in order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:16]
