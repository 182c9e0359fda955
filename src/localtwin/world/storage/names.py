"""Which names Storage accepts.

Source: Storage API, "Create file": invalid characters, over 255 characters, harmful files.
"""

from __future__ import annotations

from localtwin.errors import Detail, Invalid

_LENGTH_MAX = 255
_FORBIDDEN = frozenset('\\/:*?"<>|') | {chr(code) for code in range(32)} | {"\x7f"}
_HARMFUL_WINDOWS = {
    "bat",
    "cmd",
    "com",
    "cpl",
    "dll",
    "exe",
    "hta",
    "jar",
    "lnk",
    "msi",
    "msp",
    "scr",
}
_HARMFUL_SCRIPTS = {"js", "jse", "ps1", "psm1", "sh", "vbe", "vbs", "wsf", "wsh"}
_HARMFUL = frozenset(_HARMFUL_WINDOWS | _HARMFUL_SCRIPTS)


def check_name(name: str, *, is_file: bool) -> None:
    """Raise Invalid unless `name` may name a folder or, with `is_file`, a file."""
    if not name.strip() or len(name) > _LENGTH_MAX:
        raise invalid_storage("InvalidValue", "Item name must have 1 to 255 characters")
    if not _FORBIDDEN.isdisjoint(name) or name.strip(". ") == "" or not name.isprintable():
        raise invalid_storage("InvalidValue", "Item contains invalid characters")
    if is_file and name.rpartition(".")[2].lower() in _HARMFUL and "." in name:
        raise invalid_storage("InvalidValue", "Item is a potentially harmful file")


def invalid_storage(code: str, message: str, target: str = "displayName") -> Invalid:
    """Return Storage's 422 with one detail."""
    return Invalid(
        "InvalidStorageRequest",
        "Request payload contains errors.",
        Detail(code, message, target),
    )
