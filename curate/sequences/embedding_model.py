"""A transformers vision model from a folder or the Hub: pictures in, a vector each out."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from curate.checkpoint import chosen_device, model_name, placeless
from curate.clips.decoding import decoding
from curate.errors import InputError, MissingPartError, Problem
from curate.recipe.sequences import Embeddings

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

Vectors = NDArray[np.float32]
Tensors = Mapping[str, "torch.Tensor"]
"""What a network takes of one picture, by name: (1, ...)."""

Way = Literal["image features", "pooled", "mean"]
"""image features: get_image_features, where a model sets pictures beside words (CLIP, SigLIP): the vector
that is compared with those of words. pooled: pooler_output, the vector that the architecture itself makes
of a whole picture (DINOv2: the normalised class token). mean: over last_hidden_state, where it makes none, or
where the checkpoint has no weights for it."""

_POOLERS = frozenset({"pooler", "head"})
"""Modules that a checkpoint may lack: they only make one vector of those of the patches."""

_TRIAL_SIZES = ((96, 64), (64, 96))


class Embedder(Protocol):
    """Makes vectors of pictures."""

    @property
    def name(self) -> str:
        """name@revision."""
        ...

    @property
    def batch(self) -> int:
        """Pictures in one pass."""
        ...

    @property
    def decided_by(self) -> Mapping[str, object]:
        """All that decides a vector beside the picture, as JSON can say it."""
        ...

    def prepare(self, picture: bytes) -> Tensors:
        """An encoded picture as the network takes it; safe to use from several threads.

        Raises:
            MediaError: The network cannot take it.
        """
        ...

    def vectors(self, pictures: Sequence[Tensors]) -> Vectors:
        """Vectors of at most `batch` pictures: (n_pictures, n_dimensions)."""
        ...


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A network with its image processor."""

    name: str
    batch: int
    """1 where the processor gives tensors of different shapes, which cannot be stacked."""
    way: Way
    """What is taken as the vector of a picture."""
    network: Any
    processor: Any

    @property
    def decided_by(self) -> Mapping[str, object]:
        """Also the type, device and batch: they decide how a vector is rounded."""
        return {
            "model": self.name,
            "vector": self.way,
            "config": placeless(self.network.config.to_dict()),
            "processor": self.processor.to_json_string(),
            "type": str(self.network.dtype),
            "device": self.network.device.type,
            "batch": self.batch,
        }

    def prepare(self, picture: bytes) -> Tensors:
        """Decoded and processed on the CPU."""
        from PIL import Image

        with (
            decoding(f"gives a picture that {self.name} cannot take"),
            Image.open(io.BytesIO(picture)) as opened,
        ):
            return _processed(self.processor, opened.convert("RGB"))

    def vectors(self, pictures: Sequence[Tensors]) -> Vectors:
        """One pass, filled up to `batch` with the last picture.

        The kernels that a processor chooses depend on a batch's size, and with
        them the last bits of a result: of full batches only, a picture's vector
        is the same whatever is beside it, and so is that of a run that was
        stopped and goes on.

        Raises:
            InputError: The device's memory does not suffice.
        """
        import torch

        filled = [*pictures, *[pictures[-1]] * (self.batch - len(pictures))]
        try:
            return _vectors(self.network, self.way, filled)[: len(pictures)]
        except torch.OutOfMemoryError as error:
            what = f"{self.batch} pictures do not fit into the memory of {self.network.device}"
            raise InputError(self.name, [Problem("embeddings.batch", what, "Lower it")]) from error


def load_embedding_model(asked: Embeddings) -> EmbeddingModel:
    """Load the recipe's model and try it on two pictures.

    Only safetensors are read and no code from a repository is run: a
    checkpoint is data.

    Raises:
        MissingPartError: torch or transformers is not installed.
        InputError: The model cannot be loaded, or is none that makes one vector of a picture.
    """
    try:
        import torch
        from safetensors import SafetensorError
        from transformers.utils.logging import disable_progress_bar
    except ImportError as error:
        raise MissingPartError(
            f"embeddings need torch and transformers ({error}). Install them with: "
            "pip install torch transformers"
        ) from error
    disable_progress_bar()  # type: ignore[no-untyped-call]  # curate shows its own
    device = chosen_device(asked.device)
    halves = device.startswith("cuda") and torch.cuda.is_bf16_supported()
    try:
        network, processor, missing = _loaded(asked, torch.bfloat16 if halves else torch.float32)
        network = network.to(device).eval()
    # A torch without CUDA answers "cuda" with an AssertionError.
    except (OSError, ValueError, RuntimeError, ImportError, AssertionError, SafetensorError) as error:
        raise _unfit(asked, f"cannot be loaded: {error}") from error
    name = model_name(asked.model, network.config)
    way, batch = _tried(asked, network, processor, missing)
    return EmbeddingModel(name, batch, way, network, processor)


def _loaded(asked: Embeddings, dtype: "torch.dtype") -> tuple[Any, Any, Sequence[str]]:
    """Network, processor, and the weights that the checkpoint lacks."""
    import transformers

    auto: Any = transformers  # its Auto classes bear no types
    source = {"revision": asked.revision or "main", "trust_remote_code": False}
    # Pillow's, also where torchvision is installed: the same numbers on every machine.
    processor = auto.AutoImageProcessor.from_pretrained(asked.model, backend="pil", **source)
    network, told = auto.AutoModel.from_pretrained(
        asked.model, dtype=dtype, use_safetensors=True, output_loading_info=True, **source
    )
    return network, processor, sorted(told["missing_keys"])


def _tried(asked: Embeddings, network: Any, processor: Any, missing: Sequence[str]) -> tuple[Way, int]:
    """What is taken as a picture's vector, and how many pictures fit into one pass."""
    lacking = [key for key in missing if not _POOLERS & set(key.split("."))]
    if lacking:
        raise _unfit(asked, f"has no weights for {lacking[0]} ({len(lacking)} such)")
    try:
        pictures = [_processed(processor, image) for image in _trial_images()]
        way = _way(network, pictures[0], pooler_is_trained=not missing)
        first, again = (_vectors(network, way, pictures[:1]) for _ in range(2))
    # A network that wants words or sound raises what it likes.
    except Exception as error:
        raise _unfit(asked, f"makes no vector of a picture ({type(error).__name__}: {error})") from error
    if first.ndim != 2 or len(first) != 1:
        raise _unfit(asked, f"makes an array of shape {first.shape} of a picture, expected one vector")
    if not np.array_equal(first, again):
        raise _unfit(asked, "makes another vector of the same picture each time")
    shapes = [{name: tensor.shape for name, tensor in tensors.items()} for tensors in pictures]
    return way, asked.batch if shapes[0] == shapes[1] else 1


def _way(network: Any, picture: Tensors, *, pooler_is_trained: bool) -> Way:
    if hasattr(network, "get_image_features"):
        return "image features"
    output = _output(network, picture)
    return "pooled" if pooler_is_trained and output.get("pooler_output") is not None else "mean"


def _trial_images() -> list["Image"]:
    """Noise, of two shapes."""
    from PIL import Image

    rng = np.random.default_rng(0)
    sizes = [(height, width, 3) for width, height in _TRIAL_SIZES]
    return [Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8)) for size in sizes]


def _processed(processor: Any, image: "Image") -> Tensors:
    return dict(processor(images=[image], return_tensors="pt"))


def _vectors(network: Any, way: Way, pictures: Sequence[Tensors]) -> Vectors:
    """One pass over pictures of one shape: (n_pictures, n_dimensions)."""
    import torch

    stacked = {name: torch.cat([tensors[name] for tensors in pictures]) for name in pictures[0]}
    output = _output(network, stacked)
    if way != "mean":
        # A convolutional network pools into (n_pictures, n_dimensions, 1, 1).
        found = output["pooler_output"].flatten(start_dim=1)
    elif (hidden := output["last_hidden_state"]).ndim == 3:
        found = hidden.mean(dim=1)  # of (n_pictures, n_tokens, n_dimensions)
    else:
        found = hidden.mean(dim=(2, 3))  # of (n_pictures, n_dimensions, height, width)
    vectors: Vectors = found.float().cpu().numpy()
    return vectors


def _output(network: Any, tensors: Tensors) -> Any:
    """What the network makes of pictures, by name."""
    import torch

    make = getattr(network, "get_image_features", network)
    with torch.inference_mode():
        return make(**{name: _moved(tensor, network) for name, tensor in tensors.items()})


def _moved(tensor: "torch.Tensor", network: Any) -> "torch.Tensor":
    """On the network's device; numbers, but not indices, in its type."""
    return tensor.to(network.device, network.dtype if tensor.is_floating_point() else None)


def _unfit(asked: Embeddings, what: str) -> InputError:
    fix = "Check embeddings.model, revision and device, or name another vision model"
    return InputError(asked.model, [Problem("embeddings.model", what, fix)])
