"""Writes the table of settings into docs/trainer.md, from their docstrings.

python docs/trainer_settings.py
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import BaseModel

from train_reference.settings import Settings

PAGE = Path(__file__).with_name("trainer.md")
BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->\n"


def with_settings(page: str) -> str:
    """The page with its table made anew."""
    head, rest = page.split(BEGIN)
    rows = "\n".join(["| setting | default | what |", "|---|---|---|", *_rows(Settings)])
    return f"{head}{BEGIN}\n{rows}\n\n{END}{rest.split(END)[1]}"


def _rows(section: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _rows(inner, f"{before}{name}.")
            continue
        default = ",".join(field.default) if isinstance(field.default, tuple) else str(field.default).lower()
        default = field.default if isinstance(field.default, str) else default
        about = " ".join([*_choices(inner), *(field.description or "").split()])
        yield f"| `{before}{name}` | {'' if field.default is None else f'`{default}`'} | {about} |"


def _choices(kind: object) -> list[str]:
    if get_origin(kind) is not Literal:
        return []
    return [", ".join(f"`{one}`" for one in get_args(kind)) + "."]


if __name__ == "__main__":
    PAGE.write_text(with_settings(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
