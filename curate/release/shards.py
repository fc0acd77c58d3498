"""Clips with their media in Parquet files of bounded size, written clip by clip."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features

SHARD_BYTES = 400_000_000
"""Media in one Parquet file, about; the Hub likes files under 500 MB."""
GROUP_BYTES = 32_000_000
GROUP_ROWS = 100
"""A row group is the least that a reader fetches: few clips, so that streaming and previews are quick."""


class ShardWriter:
    """Writes rows to PREFIX-00000-of-0000N.parquet, beginning a new file when one is full.

    How many files there will be is known only at the end, so they get their
    names when the block ends well.
    """

    def __init__(self, prefix: Path, features: Features, shard_bytes: int) -> None:
        """Make the folder; nothing is written before the first row."""
        prefix.parent.mkdir(parents=True, exist_ok=True)
        self._prefix, self._schema, self._shard_bytes = prefix, features.arrow_schema, shard_bytes
        self._files: list[Path] = []
        self._writer: pq.ParquetWriter | None = None
        self._rows: list[dict[str, Any]] = []
        self._buffered = self._written = 0  # bytes of media in the row group, in the file

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left and name the files; after an error only close them."""
        if kind is None:
            self._flush()
        self._close()
        if kind is None:
            for index, path in enumerate(self._files):
                path.rename(f"{self._prefix}-{index:05d}-of-{len(self._files):05d}.parquet")

    def add(self, row: dict[str, Any], media: bytes | None, suffix: str) -> None:
        """Add one clip.

        Args:
            row: The columns of the clips as published, and `uri` and `media`
                (video or image), which say where the bytes go.
            media: The media's bytes; None where they are not at hand.
            suffix: Of the name that they get, such as .mp4.
        """
        held = self._written + self._buffered
        size = len(media or b"")
        if held and held + size > self._shard_bytes:
            self._flush()
            self._close()
        value = None if media is None else {"bytes": media, "path": f"{row['clip_id']}{suffix}"}
        self._rows.append({name: row.get(name) for name in self._schema.names} | {row["media"]: value})
        self._buffered += size
        if self._buffered >= GROUP_BYTES or len(self._rows) >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        if self._writer is None:
            self._writer = self._open()
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._written += self._buffered
        self._rows, self._buffered = [], 0

    def _open(self) -> pq.ParquetWriter:
        path = Path(f"{self._prefix}-{len(self._files):05d}.partial")
        self._files.append(path)
        plain = [name for name in self._schema.names if name not in ("video", "image")]
        # Dictionaries and minima of media are only copies of it. Content-defined pages
        # let the Hub store what two versions have in common once.
        return pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            use_dictionary=plain,
            write_statistics=plain,
            use_content_defined_chunking=True,
            write_page_checksum=True,
        )

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._written = None, 0
