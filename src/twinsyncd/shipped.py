"""Finds the files that come with the program: the example, the unit, the recipes.

An installed wheel holds them in `twinsyncd/share`; a checkout has them at its top.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent
_PLACES: Final = (_PACKAGE / "share", _PACKAGE.parents[1])

EXAMPLE: Final = "config.example.toml"
UNIT: Final = "systemd/twinsyncd.service"


def shipped(name: str) -> Path:
    """Return the file, by its path from the top of the project. Raises FileNotFoundError."""
    for place in _PLACES:
        if (file := place / name).exists():
            return file
    raise FileNotFoundError(f"this installation of twinsyncd lacks {name}")
