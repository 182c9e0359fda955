"""Where a configuration file says what a message is about, for people who correct it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .toml_lines import KeyPath, TomlLines

KEYS: Final = ("itwin_id", "imodel_id", "connection_id", "folder", "spatial_root")


def lines_about(file: Path, said: str, fix: str) -> tuple[int, ...]:
    """Return the lines, from 1, of the keys that `fix` names and whose values `said` shows.

    None if the file cannot be read, or does not say so itself but the environment does.
    """
    words = fix.partition(": ")[0].replace(",", " ").split()
    keys = [key for key in KEYS if key in words]
    try:
        text = file.read_text("utf-8-sig")
        data = tomllib.loads(text)
    except (OSError, ValueError):
        return ()
    lines = TomlLines(text)
    paths = (path for path, value in _texts(data) if path[-1] in keys and value in said)
    return tuple(dict.fromkeys(map(lines.line_of, paths)))


def _texts(node: Any, above: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        path = (*above, key)
        if isinstance(value, dict | list):
            yield from _texts(value, path)
        elif isinstance(value, str) and value:
            yield path, value
