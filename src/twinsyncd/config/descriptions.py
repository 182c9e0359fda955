"""What each key means, in the words of config.example.toml: the one place that explains keys.

Above each key of the example stands its explanation. The JSON Schema, the manual and the file that
`twinsyncd init` writes all take it from there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from ..shipped import EXAMPLE, shipped

Section = tuple[str, ...]

_HEADING: Final = re.compile(r"\s*\[{1,2}([\w.]+)\]{1,2}\s*")
_KEY: Final = re.compile(r"\s*(#?)(\w+) = (.+)")
_COMMENT: Final = re.compile(r"\s*# (.+)")


@dataclass(frozen=True, slots=True)
class KeyDescription:
    """A key's explanation, and its example as TOML; `is_default`: what holds without the key."""

    text: str
    example: str
    is_default: bool


@cache
def descriptions() -> dict[tuple[Section, str], KeyDescription]:
    """Return what every key of every section means, in the order of the example."""
    found: dict[tuple[Section, str], KeyDescription] = {}
    section: Section = ()
    comment: list[str] = []
    for line in shipped(EXAMPLE).read_text("utf-8").splitlines():
        if heading := _HEADING.fullmatch(line):
            section, comment = tuple(heading[1].split(".")), []
        elif key := _KEY.fullmatch(line):
            text = " ".join(comment)
            found[section, key[2]] = KeyDescription(text, key[3], bool(key[1]))
            comment = []
        elif note := _COMMENT.fullmatch(line):
            comment.append(note[1])
        else:
            comment = []
    return found
