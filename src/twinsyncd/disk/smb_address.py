"""Where a folder lies on an SMB server, as it is written or as it is mounted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from . import mounts

PORT: Final = 445
KINDS: Final = frozenset({"cifs", "smb3"})

_ADDRESS: Final = re.compile(r"//([^/:\[\]]+|\[[0-9a-fA-F:.]+\])(?::(\d+))?/([^/]+)(?:/(.*))?")


@dataclass(frozen=True, slots=True)
class SmbAddress:
    """A folder of a share; `folder` is relative, with slashes, "" for the share itself."""

    server: str
    share: str
    folder: str = ""
    port: int = PORT

    def __str__(self) -> str:
        """Return it as people write it."""
        server = f"[{self.server}]" if ":" in self.server else self.server
        port = f":{self.port}" if self.port != PORT else ""
        folder = f"/{self.folder}" if self.folder else ""
        return f"//{server}{port}/{self.share}{folder}"


def parse(text: str) -> SmbAddress | None:
    """Return the address in `//server/share/folder`, also with backslashes; None if it is none."""
    found = _ADDRESS.fullmatch(text.replace("\\", "/"))
    if found is None:
        return None
    server, port, share, folder = found.groups()
    return SmbAddress(server.strip("[]"), share, (folder or "").strip("/"), int(port or PORT))


def mounted(folder: str, listed: Sequence[mounts.Mount]) -> SmbAddress | None:
    """Return where a resolved folder lies on its server; None if no SMB share is mounted there."""
    mount = mounts.holding(folder, listed)
    if mount is None or mount.kind not in KINDS:
        return None
    shared = parse(mount.source)
    if shared is None:
        return None
    inside = folder[len(mount.point.rstrip("/")) :]
    path = "/".join(part.strip("/") for part in (_root_of(mount, shared), inside) if part != "/")
    port = next((each[5:] for each in mount.options if each.startswith("port=")), "")
    number = int(port) if port.isdigit() else shared.port
    return SmbAddress(shared.server, shared.share, path.strip("/"), number)


def _root_of(mount: mounts.Mount, shared: SmbAddress) -> str:
    """Return which folder of the share is mounted.

    A share that is mounted from a folder of it on names that folder in its source, and some kernels
    name it as the root once more; a bind mount names what lies deeper as the root alone.
    """
    root = mount.root.strip("/")
    if f"{root}/".startswith(f"{shared.folder}/") or not shared.folder:
        return root
    return f"{shared.folder}/{root}"
