"""Identifiers in the shapes of the real platform."""

from __future__ import annotations

import base64
import binascii
import re
import uuid

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ITEM_ID_LENGTH = 43  # 32 bytes in base64url without padding


def new_guid() -> str:
    """Return a random RFC 4122 version 4 GUID in lower case."""
    return str(uuid.uuid4())


def is_guid(text: str) -> bool:
    """Return whether `text` is a hyphenated GUID, in any case."""
    return _GUID.fullmatch(text.lower()) is not None


def pair_id(first: str, second: str) -> str:
    """Return the 43-character id made of two GUIDs.

    Storage folder and file ids are an iTwin and an item in .NET byte order; the root folder has
    the iTwin twice. Source: Storage API responses; iTwin/itwin-cli captures.
    """
    pair = uuid.UUID(first).bytes_le + uuid.UUID(second).bytes_le
    return base64.urlsafe_b64encode(pair).decode("ascii").rstrip("=")


def split_pair(text: str) -> tuple[str, str] | None:
    """Return the two GUIDs of a 43-character id, or None for anything else."""
    if len(text) != _ITEM_ID_LENGTH or not text.isascii():
        return None
    try:
        pair = base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    first, second = (str(uuid.UUID(bytes_le=half)) for half in (pair[:16], pair[16:]))
    return (first, second) if pair_id(first, second) == text else None
