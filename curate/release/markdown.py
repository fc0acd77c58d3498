"""Text from data made harmless in Markdown."""

import html
import re
from typing import Any

import jinja2
from markupsafe import Markup

from curate.resources import resource

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$])")


def escape(text: object) -> str:
    """Text that Markdown shows as it is, on one line: no markup, HTML, table bar or heading of its own."""
    flat = html.escape(" ".join(str(text).split()), quote=False)
    return _SPECIAL.sub(r"\\\1", flat).replace("://", ":\\//")  # else a bare address would become a link


def fenced(text: str, language: str = "") -> Markup:
    """Text in a code fence that is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}{language}\n{text.rstrip()}\n{fence}")  # noqa: S704 - the fence keeps it text


def render_markdown(name: str, values: dict[str, Any]) -> str:
    """Fill a Markdown template of cards/; every value is escaped unless it is Markup."""
    template = _environment().from_string(resource(f"cards/{name}").read_text(encoding="utf-8"))
    return template.render(values)


def _environment() -> jinja2.Environment:
    # HTML escaping is the wrong one here: `finalize` escapes for Markdown instead, every value.
    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    environment.filters["fenced"] = fenced
    return environment


def _finalize(value: object) -> object:
    return value if isinstance(value, Markup) else escape(value)
