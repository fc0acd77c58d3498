"""Turns a dataset with noisy, subjective labels into one that people can trust, publish and train on.

curate.load_recipe(path) -> Recipe
curate.run(recipe, ...) -> Run
curate.refine(evidence, classes, ...) -> Labels
curate.load_release(folder) -> Release
curate.validate(folder)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curate.labels.refine import refine as refine
    from curate.recipe import load_recipe as load_recipe
    from curate.release.check import check_release as validate
    from curate.release.load import load_release as load_release
    from curate.verbs import run as run

_PLACES = {
    "load_recipe": ("curate.recipe", "load_recipe"),
    "run": ("curate.verbs", "run"),
    "refine": ("curate.labels.refine", "refine"),
    "load_release": ("curate.release.load", "load_release"),
    "validate": ("curate.release.check", "check_release"),
}
__all__ = ["load_recipe", "load_release", "refine", "run", "validate"]


def __getattr__(name: str) -> Any:
    """Import a verb when it is first used: all of them together take seconds, and few programs need all."""
    if name == "labels":
        return import_module("curate.labels")
    if name not in _PLACES:
        raise AttributeError(f"module 'curate' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)
