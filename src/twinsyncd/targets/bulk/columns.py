"""Finds the wanted columns in the header of a table."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

SHOWN_MAX: Final = 20  # columns of a file that a message lists


class BadTableError(Exception):
    """The file cannot be read as a table; the text says what to do."""


def places(header: Sequence[str], columns: Sequence[str], where: str = "") -> list[int]:
    """Return where the columns are, from 0. Raises BadTableError for none or two of a name."""
    names = [str(name).strip() for name in header]
    near = [name for column in columns for name in difflib.get_close_matches(column, names)]
    if columns and not near:
        shown = ", ".join(name for name in names if name)[: SHOWN_MAX * 20]
        wanted = ", ".join(f'"{column}"' for column in columns)
        fix = f"its columns: {shown or 'none'}; delete lines above the header, if there are any"
        raise BadTableError(f"there is no column {wanted}{where}; {fix}")
    for column in columns:
        times = names.count(column)
        if not times:
            near = difflib.get_close_matches(column, names, n=1)
            shown = ", ".join(name for name in names if name)[: SHOWN_MAX * 20]
            fix = f'did you mean "{near[0]}"?' if near else f"its columns: {shown or 'none'}"
            raise BadTableError(f'there is no column "{column}"{where}; {fix}')
        if times > 1:
            at = ", ".join(str(number) for number, name in enumerate(names, 1) if name == column)
            text = f'{times} columns are called "{column}"{where} (columns {at})'
            raise BadTableError(f"{text}; rename those that are not meant")
    return [names.index(column) for column in columns]
