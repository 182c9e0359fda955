"""Says what is wrong with a name that Storage refuses: the service does not name the character.

Source: Storage API, "Create file": invalid characters, names over 255 characters; which characters
these are is not documented, so those are named that Windows refuses too, and control characters.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Final

from ...errors import CloudError

_SUSPECTS: Final = frozenset('\\/:*?"<>|')
_LENGTH_MAX: Final = 255


def with_name_advice(exc: CloudError, name: str) -> CloudError:
    """Return the refusal of a name with what to change in it; any other error as it is."""
    reason = _reason(name) if exc.status == 422 else ""
    if not reason:
        return exc
    words = f"its name has {reason}, which Storage refuses; rename it (the service: "
    failure = replace(exc.failure, message=f"{words}{exc.failure.message})")
    return CloudError(exc.operation, failure, status=exc.status, code=exc.code)


def _reason(name: str) -> str:
    found = dict.fromkeys(each for each in name if each in _SUSPECTS or not each.isprintable())
    if found:
        return "the character " + ", ".join(map(_shown, found))
    return f"{len(name)} characters, more than {_LENGTH_MAX}" if len(name) > _LENGTH_MAX else ""


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return unicodedata.name(character, f"U+{ord(character):04X}")
