"""Finds the files that are no Python: schemas, cards, the demo's model."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def resource(name: str) -> Path:
    """Path of a file such as "schemas/clips.yaml", installed or in a checkout.

    The wheel carries schemas/ and cards/ under curate/_data/; in a checkout
    they lie beside the package.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    places = [_PACKAGE / "_data" / name, _PACKAGE.parent / name, _PACKAGE / name]
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError(f"{name} is not in this installation of curate; looked in {places}")
