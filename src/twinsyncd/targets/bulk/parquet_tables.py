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
            names = [schema.names[at] for at in places(schema.names, columns)]
            for name in names:
                _require_plain(name, schema.field(name).type)
            for piece in opened.iter_batches(SLICE_ROWS, columns=names, use_threads=False):
                yield ArrowBatch([_readable(piece.column(name), name) for name in names], number)
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

    Some programs write texts without saying that they are text. Python has no nanoseconds.
    """
    import pyarrow as pa  # noqa: PLC0415 - as above

    kind = values.type
    if isinstance(kind, pa.UuidType):
        guids = [None if guid is None else str(guid) for guid in values.to_pylist()]
        return pa.array(guids, pa.string())
    if pa.types.is_temporal(kind) and getattr(kind, "unit", "") == "ns":
        return values.cast(_in_microseconds(kind), safe=False)
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_null(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return values.cast(pa.string())
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    if any(is_bytes(kind) for is_bytes in tests):
        try:
            return values.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid as exc:
            text = f'column "{column}" holds bytes that are not text'
            raise BadTableError(f"{text}; export it as text") from exc
    return values


def _in_microseconds(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa  # noqa: PLC0415 - as above

    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    return pa.duration("us") if pa.types.is_duration(kind) else pa.time64("us")
