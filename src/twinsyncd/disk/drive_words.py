"""Names a drive for people by what `root.identity` made of it."""

from __future__ import annotations

from . import mounts


def drive_in_words(identity: str) -> str:
    """Return what a person calls the drive: its share's address, or a disk of this machine."""
    kind, colon, place = identity.partition(":")
    if not colon:
        return identity
    if kind == "volume":  # of Windows, or of a system that lists no mounts
        return f"the disk with the volume number {place}"
    if mounts.is_network(kind):
        return f"the share {place} ({kind})"
    if place == kind:  # such as tmpfs, which has no device
        return f"a {kind} of this machine"
    if place.startswith("/"):
        return f"the disk {place} of this machine ({kind})"
    return f"a disk of this machine ({kind}, volume {place})"
