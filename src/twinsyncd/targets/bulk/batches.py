"""Rows of a table, some at a time, with digests that need no Python object per cell.

The digest is of the row's cells as canonical text. A zero byte begins what is no text of a file:
the end of a cell (followed by 1), or the kind of a value that is not text; zero bytes of a file
are doubled. So no two rows that differ have the same canonical text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from .mapping import Cells

if TYPE_CHECKING:
    import pyarrow as pa

DIGEST_BYTES: Final = 8
_END: Final = "\0\1"
_NUMBER: Final = "\0n"

Row = tuple[int, Cells]


class Batch(Protocol):
    """Some rows of a table, in the order of the file."""

    def digests(self, salt: bytes) -> bytes:
        """Return eight bytes for each row; rows with other cells, or another salt, have others."""

    def rows(self, indexes: Sequence[int]) -> Iterator[Row]:
        """Yield the rows at these indexes: the number that a person sees, and the cells."""

    def __len__(self) -> int:
        """Return how many rows there are."""


class RowBatch:
    """Rows that are Python objects already."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)

    def digests(self, salt: bytes) -> bytes:
        """Return eight bytes for each row."""
        texts = (_END.join([_canonical(cell) for cell in cells]) for _, cells in self._rows)
        return _digests((text.encode("utf-8", "surrogatepass") for text in texts), salt)

    def rows(self, indexes: Sequence[int]) -> Iterator[Row]:
        """Yield the rows at these indexes."""
        return (self._rows[index] for index in indexes)


class ArrowBatch:
    """Rows in columns of Arrow, numbered without gaps from `first`."""

    def __init__(self, columns: Sequence[pa.Array], first: int) -> None:
        self._columns = columns
        self._first = first

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self._columns[0])

    def digests(self, salt: bytes) -> bytes:
        """Return eight bytes for each row."""
        import pyarrow as pa  # noqa: PLC0415 - optional, and 60 MB in memory
        import pyarrow.compute as pc  # noqa: PLC0415 - as above

        texts = [_canonical_column(column) for column in self._columns]
        joined = pc.binary_join_element_wise(*texts, _END) if len(texts) > 1 else texts[0]
        return _digests(joined.cast(pa.binary()).to_pylist(), salt)

    def rows(self, indexes: Sequence[int]) -> Iterator[Row]:
        """Yield the rows at these indexes."""
        import pyarrow as pa  # noqa: PLC0415 - as above

        at = pa.array(indexes, pa.int64())
        cells = zip(*(column.take(at).to_pylist() for column in self._columns), strict=True)
        return zip((self._first + index for index in indexes), cells, strict=True)


def _digests(texts: Iterable[bytes], salt: bytes) -> bytes:
    """Return the digests of the texts.

    XXH3 takes a fifth of the time of a cryptographic digest, which nobody needs here: whoever
    writes the file could as well leave the row as it was.
    """
    from xxhash import xxh3_64_digest  # noqa: PLC0415 - optional

    seed = int.from_bytes(salt[:DIGEST_BYTES])
    return b"".join([xxh3_64_digest(text, seed) for text in texts])


def _canonical(cell: Any) -> str:
    """Return text that differs for cells that differ; an empty cell is like none."""
    if isinstance(cell, str):
        return cell.replace("\0", "\0\0") if "\0" in cell else cell
    if cell is None:
        return ""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        is_whole = isinstance(cell, float) and cell.is_integer()
        return f"{_NUMBER}{int(cell) if is_whole else cell!r}"
    return f"\0o{str(cell).replace(chr(0), chr(0) * 2)}"


def _canonical_column(column: pa.Array) -> pa.Array:
    """Return a column's cells as `_canonical` does, though numbers may be written otherwise."""
    import pyarrow as pa  # noqa: PLC0415 - as above
    import pyarrow.compute as pc  # noqa: PLC0415 - as above

    kind, is_number = column.type, False
    if pa.types.is_temporal(kind):
        wide = pa.int32() if kind.bit_width == 32 else pa.int64()
        column = column.cast(wide)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        is_number = True
    texts = column if pa.types.is_string(kind) else column.cast(pa.string())
    if pa.types.is_string(kind):
        if pc.any(pc.match_substring(texts, "\0")).as_py():
            texts = pc.replace_substring(texts, "\0", "\0\0")
    else:
        texts = pc.binary_join_element_wise(_NUMBER if is_number else "\0o", texts, "")
    return pc.fill_null(texts, "")
