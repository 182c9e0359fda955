"""When two names are one: for Windows, for Storage, and for whoever downloads both."""

from __future__ import annotations

from unicodedata import normalize


def comparable(name: str) -> str:
    """Return the same for names that differ in case, encoded accents, dots or blanks at the end."""
    if name.isascii():
        return name.rstrip(". ").lower()
    return normalize("NFC", normalize("NFC", name).casefold()).rstrip(". ")
