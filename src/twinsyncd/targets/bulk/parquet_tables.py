"""Reads Parquet files, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .batches import ArrowBatch, Batch
from .columns import BadTableError, places

if TYPE_CHECKING:
    import pyarrow as pa

SLICE_ROWS: Final = 20_000  # in memory at once


def parquet_batches(file: Path, columns: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows, numbered from 1. Raises BadTableError."""
    import pyarrow as pa  # noqa: PLC0415 - optional, and 60 MB in memory
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    number = 1
    try:
        with pq.ParquetFile(file) as opened:
            schema = opened.schema_arrow
            places(schema.names, columns)
            for column in columns:
                _require_plain(column, schema.field(column).type)
            for piece in opened.iter_batches(SLICE_ROWS, columns=list(columns), use_threads=False):
                yield ArrowBatch([_readable(piece.column(name), name) for name in columns], number)
                number += len(piece)
    except (pa.ArrowException, OSError) as exc:
        raise BadTableError(f"it is not a readable Parquet file: {exc}") from exc


def _require_plain(column: str, kind: pa.DataType) -> None:
    import pyarrow as pa  # noqa: PLC0415 - as above

    if pa.types.is_nested(kind):
        fix = "export its parts as columns of their own"
        raise BadTableError(f'column "{column}" holds {kind}, not one value per row; {fix}')


def _readable(values: pa.Array, column: str) -> pa.Array:
    """Return a column as values that Python and the digests have: no dictionaries, texts as such.

    Some programs write texts without saying that they are text.
    """
    import pyarrow as pa  # noqa: PLC0415 - as above

    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_null(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return values.cast(pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        try:
            return values.cast(pa.string())
        except pa.ArrowInvalid as exc:
            text = f'column "{column}" holds bytes that are not text'
            raise BadTableError(f"{text}; export it as text") from exc
    return values
