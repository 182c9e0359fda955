"""Says what to write for a path of Windows, in which TOML reads backslashes as something else."""

from __future__ import annotations

import os
import re
from typing import Final

_WRITTEN: Final = re.compile(r"""\s*[\w.-]+\s*=\s*(["']?)(?P<value>.*?)\1\s*(?:#.*)?""")
_PATH: Final = re.compile(r"[\\/]{2}|[A-Za-z]:(?:[\\/]|\Z)")
_SLASHES: Final = re.compile(r"[\\/]+")
_ESCAPED: Final = {"\b": "/b", "\t": "/t", "\n": "/n", "\f": "/f", "\r": "/r", "\x1b": "/e"}
"""What a backslash and a letter become in double quotes, and what was meant."""

_MOUNT: Final = "mount it on this machine, and write the folder where it is mounted"


def advice_for_line(line: str, *, is_windows: bool = os.name == "nt") -> str:
    """Return what to write instead of the path in a line of TOML; "" if it holds none."""
    found = _WRITTEN.fullmatch(line)
    if found is None or not _PATH.match(found["value"]):
        return ""
    return advice_for(with_slashes(found["value"]), is_windows=is_windows)


def advice_for(path: str, *, is_windows: bool = os.name == "nt") -> str:
    """Return what to write for a path that has forward slashes already."""
    if not is_windows and path.startswith("//"):
        return f'{path} is a share of a server: {_MOUNT}, like "/mnt/cad"'
    if not is_windows and _PATH.match(path):
        return f'{path[:2]} is a drive of Windows: {_MOUNT}, like "/mnt/cad"'
    return f'write "{path}"'


def advice_elsewhere(path: str, *, is_windows: bool = os.name == "nt") -> str:
    """Return what to write for a path of Windows on another system; "" if it is none.

    There a drive letter or a share with backslashes would be a name in the current folder.
    """
    if is_windows or not _PATH.match(path):
        return ""
    return advice_for(with_slashes(path), is_windows=False)


def misread(value: str) -> str:
    """Return the path that was meant by a value, if TOML read its backslashes otherwise; else "".

    In double quotes two backslashes are one, and one with a letter may be a tab or a new line.
    """
    halved = value.startswith("\\") and not value.startswith("\\\\")
    if not halved and not any(each in value for each in _ESCAPED):
        return ""
    meant = "".join(_ESCAPED.get(each, each) for each in value)
    return with_slashes(f"\\{meant}" if halved else meant)


def with_slashes(path: str) -> str:
    """Return the path with forward slashes: two before a server's name, else one each."""
    rest = path.lstrip("\\/")
    begin = "/" * min(len(path) - len(rest), 2)
    return begin + _SLASHES.sub("/", rest)
