"""OpenCV, an optional package: there, and of a version that has what is used of it."""

from typing import Any

from curate.errors import MissingPartError


def load_cv2() -> Any:
    """The module, kept to one thread.

    Its threads would put candidates together in the order in which they come,
    and clips are worked on a thread a core anyway.

    Raises:
        MissingPartError: It is not installed, or too new: version 5 has no cascades.
    """
    fix = "Install it with: pip install 'opencv-python-headless>=4.10,<5'"
    try:
        import cv2
    except ImportError as error:
        raise MissingPartError(f"finding faces needs OpenCV ({error}). {fix}") from error
    if not hasattr(cv2, "CascadeClassifier"):
        raise MissingPartError(f"OpenCV {cv2.__version__} has no cascades, which find faces. {fix}")
    cv2.setNumThreads(1)
    return cv2
