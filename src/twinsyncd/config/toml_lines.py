"""Finds the line of a key in a TOML file; the parser itself does not report it.

The file is parsed from its start to one line after another. A key belongs to the statement with
which it first appears, and that statement begins after the last line up to which the file was
valid before.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

KeyPath = Sequence[str | int]


class TomlLines:
    """The text of one TOML file, which finds the lines of its keys."""

    def __init__(self, text: str) -> None:
        """Keep the text; nothing is parsed before the first question."""
        self._lines = [f"{line}\n" for line in text.split("\n")]
        self._parsed: dict[int, dict[str, Any] | None] = {0: {}}

    def line_of(self, path: KeyPath) -> int:
        """Return the line, from 1, of the key, or else of the nearest key above it.

        0 if the file holds nothing of the path.
        """
        for length in range(len(path), 0, -1):
            if found := self._first(path[:length]):
                return found
        return 0

    def holds(self, path: KeyPath) -> bool:
        """True if the file sets the key itself."""
        return self._first(path) > 0

    def broken_at(self, error: tomllib.TOMLDecodeError) -> int:
        """Return the line with which the statement begins that cannot be read."""
        named = re.search(r"at line (\d+)", str(error))
        return self._valid(int(named[1]) - 1 if named else len(self._lines)) + 1

    def _first(self, path: KeyPath) -> int:
        """Halve the file until the statement is found; a key that was written stays."""
        low, high = 0, len(self._lines)
        if not self._has(self._valid(high), path):
            return 0
        while low < high:
            middle = (low + high) // 2
            if self._has(self._valid(middle), path):
                high = self._valid(middle)
            else:
                low = middle + 1
        return self._valid(low - 1) + 1

    def _valid(self, count: int) -> int:
        """Return the longest valid beginning of at most `count` lines."""
        while self._parse(count) is None:
            count -= 1
        return count

    def _has(self, count: int, path: KeyPath) -> bool:
        node: Any = self._parse(count)
        for part in path:
            match node, part:
                case dict(), str() if part in node:
                    node = node[part]
                case list(), int() if part < len(node):
                    node = node[part]
                case _:
                    return False
        return True

    def _parse(self, count: int) -> dict[str, Any] | None:
        if count not in self._parsed:
            try:
                self._parsed[count] = tomllib.loads("".join(self._lines[:count]))
            except tomllib.TOMLDecodeError:
                self._parsed[count] = None
        return self._parsed[count]
