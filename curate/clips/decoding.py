"""Where decoders are called: whatever they raise is one clip's reason."""

from collections.abc import Iterator
from contextlib import contextmanager

from curate.errors import MediaError


@contextmanager
def decoding(fault: str) -> Iterator[None]:
    """Turn any error of a decoder into one that sets a single clip aside.

    Args:
        fault: What is wrong with the clip if decoding fails; begins the reason.

    Raises:
        MediaError: The block raised anything at all.
    """
    try:
        yield
    except MediaError:
        raise
    # Decoders raise what they like (RuntimeError for AVIF, NotImplementedError for DDS,
    # struct.error for EXIF data), and one bad clip must never end a run.
    except Exception as error:
        raise MediaError(f"{fault} ({type(error).__name__}: {error})") from error
