"""Everything that one design file needs, and what needs it: for `explain`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import Final

from ..config import Config
from ..core.model import FileKey
from ..core.references import DrawingReferences, Reference
from ..disk.reference_scan import ENDINGS, is_readable
from ..journal.database import open_read_only
from ..journal.drawing_references import naming, read_references
from .state import journal_of

LINES_MAX: Final = 100  # more scroll the answer away

Known = Callable[[FileKey], DrawingReferences | None]
"""Returns what a file names; None if it was not read for that."""


def reference_lines(config: Config, key: FileKey) -> Iterator[str]:
    """Yield what a file needs, and what needs it, as far as it is known. Raises JournalError."""
    ending = PurePosixPath(key.path).suffix.lower()
    if ending in ENDINGS and not is_readable(ending):
        yield f"needs    not known: what {ending} files name is not read, see: twinsyncd check"
    engine = open_read_only(journal_of(config))
    try:
        with engine.connect() as connection:
            for line in closure_lines(key, lambda each: read_references(connection, each)):
                yield f"needs    {line}"
            for path in islice(naming(connection, key), LINES_MAX):
                yield f"needed   by {path}"
    finally:
        engine.dispose()


def closure_lines(key: FileKey, known: Known) -> Iterator[str]:
    """Yield a line per reference of the file, of its references, and so on; each file once."""
    lines = _below(key, known, {key.path}, 0)
    for number, line in enumerate(lines):
        if number == LINES_MAX:
            yield "and more"
            return
        yield line


def _below(key: FileKey, known: Known, seen: set[str], depth: int) -> Iterator[str]:
    found = known(key)
    if found is None:
        return
    indent = "  " * depth
    if found.trouble:
        yield f"{indent}what it names could not be read: {found.trouble}"
    for each in found.references:
        yield f"{indent}{_line(each)}"
        if each.path and each.path not in seen:
            seen.add(each.path)
            yield from _below(key._replace(path=each.path), known, seen, depth + 1)


def _line(each: Reference) -> str:
    if not each.path:
        return f"{each.kind} {each.written}: missing in this source"
    if not each.taken:
        return f"{each.kind} {each.path}: there, but no pattern takes it; add it to references"
    return f"{each.kind} {each.path}"
