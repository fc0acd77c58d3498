"""FiftyOne as a part that may be missing: loaded with telemetry off, and told about where it is not whole."""

import json
import logging
import os
import shutil
import socket
from collections.abc import MutableMapping
from pathlib import Path
from types import ModuleType
from typing import Any

from curate.errors import InputError, MissingPartError, Problem, in_short
from curate.files import replaced

ADDRESS = "127.0.0.1"
PORT = 5151
_TELEMETRY = "FIFTYONE_DO_NOT_TRACK"
_NO_PACKAGE = (
    "FiftyOne is not installed, and curate view needs it. pip install 'curate[view]' (in a checkout: "
    "pip install '.[view]'). curate report needs nothing more"
)
_NO_DATABASE = (
    "FiftyOne's database does not start: {}. It brings a MongoDB of its own when it is installed with a "
    "connection to the internet; without one, install MongoDB and name a running server in "
    "FIFTYONE_DATABASE_URI (such as mongodb://127.0.0.1:27017). curate report needs none"
)


def load_fiftyone(environ: MutableMapping[str, str] = os.environ) -> ModuleType:
    """FiftyOne, with its database started; it sends nothing home unless its user turned that on.

    Raises:
        MissingPartError: It is not installed, or has no database.
    """
    if _TELEMETRY not in environ and not _wants_telemetry(environ):
        environ[_TELEMETRY] = "1"
    try:
        import fiftyone
    except ImportError as error:
        raise MissingPartError(_NO_PACKAGE) from error
    logging.getLogger("fiftyone").setLevel(logging.ERROR)  # what it says beside is not about this work
    try:
        fiftyone.list_datasets()
    except Exception as error:  # whatever its service, its driver or its server raise
        raise MissingPartError(_NO_DATABASE.format(in_short(error))) from error
    loaded: ModuleType = fiftyone
    return loaded


def install_button(plugins: Path) -> None:
    """Put the App's button for decisions where FiftyOne looks for plugins.

    Args:
        plugins: FiftyOne's folder of plugins.
    """
    ours = Path(__file__).parent / "plugin"
    for name in ("fiftyone.yml", "__init__.py"):
        with replaced(plugins / "curate" / name) as partial:
            shutil.copyfile(ours / name, partial)


def check_port(port: int) -> None:
    """Make sure that the App can be served.

    Raises:
        InputError: Something else answers there.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            what = f"port {port} of {ADDRESS} cannot be had ({error.strerror}): another App may be open there"
            raise InputError("curate view", [Problem("--port", what, "Name another, or close it")]) from error


def serve_app(port: int, *, do_not_track: bool) -> Any:
    """Start the App's server, at 127.0.0.1; it ends with this process, or by its `stop`.

    Not by `launch_app`: its session would put every browser back to where it began whenever it connects, and
    a selection or a view that somebody had chosen would be lost.

    Args:
        port: Free, see `check_port`.
        do_not_track: As FiftyOne's settings say.
    """
    from fiftyone.core.service import ServerService

    return ServerService(port, ADDRESS, do_not_track=do_not_track)


def _wants_telemetry(environ: MutableMapping[str, str]) -> bool:
    """Whether the user's own settings of FiftyOne say so in so many words."""
    place = environ.get("FIFTYONE_CONFIG_PATH") or Path.home() / ".fiftyone" / "config.json"
    try:
        settings = json.loads(Path(place).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and settings.get("do_not_track") is False
