"""Text from data made harmless in Markdown."""

import html
import re
from typing import Any

import jinja2
from markupsafe import Markup

from curate.printable import printable
from curate.resources import resource

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$])")


def escape(text: object) -> str:
    """Text that Markdown shows as it is, on one line: no markup, HTML, table bar or heading of its own."""
    flat = html.escape(printable(" ".join(str(text).split())), quote=False)
    plain = _SPECIAL.sub(r"\\\1", flat)
    # Else a bare address of a page or of a person would become a link.
    return plain.replace("://", ":\\//").replace("www.", "www\\.").replace("@", "\\@")


def render_markdown(name: str, values: dict[str, Any]) -> str:
    """Fill a Markdown template of cards/; every value is escaped unless it is Markup."""
    template = _environment().from_string(resource(f"cards/{name}").read_text(encoding="utf-8"))
    return template.render(values)


def _environment() -> jinja2.Environment:
    # HTML escaping is the wrong one here: `finalize` escapes for Markdown instead, every value.
    return jinja2.Environment(
        autoescape=False,  # noqa: S701
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )


def _finalize(value: object) -> object:
    return value if isinstance(value, Markup) else escape(value)
