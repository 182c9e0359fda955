"""Which permission of an iTwin a call needs, for the words of a refusal: the service names none.

Sources: Storage API, "Authorization" of each operation; iTwin Platform, "Error handling". The
pages of the other APIs do not say it for each; theirs follow from the permissions' names.
"""

from __future__ import annotations

from typing import Final

_OF_STORAGE: Final = {"GET": "storage_read", "DELETE": "storage_delete"}


def needed_permission(method: str, path: str) -> str:
    """Return the permission that the call needs; "" where any role may do."""
    match path.lstrip("/").split("/")[0:2]:
        case ["storage", *_]:
            return _OF_STORAGE.get(method, "storage_write")
        case ["synchronization", "configurations"] if method != "GET":
            return "imodels_manage"
        case ["synchronization" | "imodels", *_]:
            return "imodels_read" if method == "GET" else "imodels_write"
        case _:
            return ""
