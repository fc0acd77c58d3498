"""The release before the one that a run makes, and the secrets that both share."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from curate.files import write_text
from curate.release.compare.edition import Edition
from curate.release.compare.version import Version
from curate.release.hub.light import light_copy
from curate.release.hub.reference import resolve
from curate.release.integrity import FACTS
from curate.run_folder import Run
from curate.sequences.store import key_of

_KEY_BYTES = 32
_ADDRESS_DIGITS = 16


def earlier_release(run: Run) -> Edition | None:
    """The release that came before; None if there is none.

    Of the one that the recipe names and the last that this run published, or made before a review
    changed it, the one of the higher version. What is named on the Hub is fetched once, without its
    media, and kept in the run's folder.

    Raises:
        ReleaseError: What the recipe names is no release, or cannot be reached.
    """
    named, kept = _named(run), _last_kept(run)
    if named is None or kept is None:
        return named or kept
    return max(named, kept, key=lambda one: Version.parse(one.version))


def _named(run: Run) -> Edition | None:
    named = run.recipe.release.previous
    if named is None:
        return None
    place = resolve(named)
    if isinstance(place, Path):
        return Edition(place)
    kept = run.folder / "previous" / key_of(str(place))[:_ADDRESS_DIGITS]
    # A branch moves on; a version or a commit stays what it is.
    is_fixed = place.revision is not None and place.revision != "main"
    return Edition(kept) if is_fixed and (kept / FACTS).is_file() else light_copy(place, kept)


def digest_of(earlier: Edition | None) -> str:
    """What changes when another release comes before; empty without one."""
    facts = earlier.folder / FACTS if earlier else None
    return key_of(facts.read_text(encoding="utf-8")) if facts and facts.is_file() else ""


def keep_release(run: Path) -> Edition:
    """Keep a copy of a run's release, without media, as what the next is held against.

    Args:
        run: The run's folder.
    """
    release = Edition(run / "release")
    return light_copy(release.folder, run / "earlier" / release.version)


def _last_kept(run: Run) -> Edition | None:
    kept = [path for path in (run.folder / "earlier").glob("*") if (path / FACTS).is_file()]
    return Edition(max(kept, key=lambda path: Version.parse(path.name))) if kept else None


def annotators_key(run: Run) -> bytes:
    """The key of the pseudonyms, made once and readable by the run's owner alone."""
    path = run.folder / "annotators.key"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
        ) as opened:
            opened.write(secrets.token_hex(_KEY_BYTES))
    return bytes.fromhex(path.read_text(encoding="ascii").strip())


def keep_pseudonyms(run: Run, names: Mapping[str, str]) -> None:
    """Write down who is who, for the run's owner: annotators.csv."""
    path = run.folder / "annotators.csv"
    lines = ["annotator,pseudonym\n", *(f"{_cell(name)},{other}\n" for name, other in sorted(names.items()))]
    write_text(path, "".join(lines))
    path.chmod(0o600)


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
