"""Kinds of values that several sections of a recipe hold."""

from typing import Annotated

from pydantic import Field, StringConstraints

Share = Annotated[float, Field(ge=0, le=1)]
OpenShare = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=96)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
FOLDER_OR_ID = "a folder if there is one of that name, else an id on the Hub"
FolderOrId = Annotated[str, FOLDER_OR_ID]
