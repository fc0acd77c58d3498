"""A checkpoint's processor and name, from a folder or the Hub; its weights are not loaded here."""

from pathlib import Path
from typing import Any

from curate.checkpoint import model_name, weights_digest

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


def vlm_name(model: str, place: str, config: Any) -> str:
    """name@revision of a model, read from `place`; the one that ships is called so wherever it lies."""
    return f"{DEMO}@sha256:{weights_digest(Path(place))}" if model == DEMO else model_name(place, config)
