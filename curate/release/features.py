"""The columns of a release as Hugging Face features, made from the schemas."""

from collections.abc import Sequence

import polars as pl
import pyarrow as pa
from datasets import ClassLabel, Features, Image, List, Value, Video

from curate import tables
from curate.tables import TableName

CLASS_COLUMNS = ("label_given", "label", "pseudo_label", "rationale_label")
"""Columns of a release that hold positions in the list of classes."""

MEDIA_COLUMNS = ("video", "image")
"""Columns that hold media."""
FILE_COLUMN = "file_name"
"""Where a clip's media lie within the release, if they are files of their own."""

_VALUES: dict[object, str] = {
    pl.String: "string",
    pl.Int64: "int64",
    pl.Float64: "float64",
    pl.Float32: "float32",
    pl.Float16: "float16",
    pl.Boolean: "bool",
    pl.Binary: "binary",
}


def table_features(name: TableName) -> Features:
    """Features of one long table."""
    return Features({column: _feature(dtype) for column, dtype in tables.dtypes(name).items()})


def clip_features(classes: Sequence[str], media: Sequence[str], items: Sequence[str]) -> Features:
    """Features of the clips as published.

    Args:
        classes: Class names, in order.
        media: Which of video, image and file_name the release has.
        items: Ids of the questionnaire's items; each becomes a column q_<item>.
    """
    # Bytes as they are, undecoded: decoding needs torchcodec, which a reader may not have.
    special = {"video": Video(decode=False), "image": Image()}
    special |= {column: ClassLabel(names=list(classes)) for column in CLASS_COLUMNS}
    columns = tables.dtypes("release_clips").items()
    kept = {
        name: dtype for name, dtype in columns if name not in (*MEDIA_COLUMNS, FILE_COLUMN) or name in media
    }
    found = {name: special[name] if name in special else _feature(dtype) for name, dtype in kept.items()}
    return Features(found | {f"q_{item}": Value("string") for item in items})


def to_arrow(frame: pl.DataFrame, features: Features) -> pa.Table:
    """A polars frame as Arrow with exactly these features; their description goes into the file."""
    arrow = frame.select(list(features)).to_arrow(compat_level=pl.CompatLevel.oldest())
    return arrow.cast(features.arrow_schema)


def _feature(dtype: pl.DataType | pl.datatypes.DataTypeClass) -> object:
    if isinstance(dtype, pl.List):
        return List(_feature(dtype.inner))
    if isinstance(dtype, pl.Array):
        return List(_feature(dtype.inner), length=dtype.size)
    if isinstance(dtype, pl.Struct):
        return {field.name: _feature(field.dtype) for field in dtype.fields}
    return Value(_VALUES[dtype.base_type()])
