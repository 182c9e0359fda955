"""Somebody else at work on the share: another client of the SMB server, as CAD programs are."""

from __future__ import annotations

import smbclient

from .samba import HOST, Samba


class Colleague:
    """Works on the share through the server; paths have slashes and count from the share."""

    def __init__(self, samba: Samba) -> None:
        self._port = samba.port
        self._cache: dict[str, object] = {}
        account = samba.credentials
        smbclient.register_session(
            HOST,
            username=account.account,
            password=account.password,
            port=self._port,
            connection_cache=self._cache,
        )

    def save(self, path: str, content: bytes = b"x") -> None:
        """Write a file whole."""
        with smbclient.open_file(self._at(path), mode="wb", **self._with) as file:
            file.write(content)

    def save_in_place(self, path: str, content: bytes) -> None:
        """Write into a file that is there, without making it anew."""
        with smbclient.open_file(self._at(path), mode="r+b", **self._with) as file:
            file.write(content)

    def save_like_autocad(self, path: str) -> None:
        """Write a new file and let it take the name, as AutoCAD does."""
        stem = path.rpartition(".")[0]
        self.save(f"{stem}.tmp", b"new")
        self.rename(path, f"{stem}.bak")
        self.rename(f"{stem}.tmp", path)

    def make_folder(self, path: str) -> None:
        """Make a folder."""
        smbclient.mkdir(self._at(path), **self._with)

    def rename(self, path: str, new: str) -> None:
        """Rename a file or a folder."""
        smbclient.rename(self._at(path), self._at(new), **self._with)

    def delete(self, path: str) -> None:
        """Delete a file."""
        smbclient.remove(self._at(path), **self._with)

    def leave(self) -> None:
        """Close the connection."""
        smbclient.reset_connection_cache(connection_cache=self._cache)

    @property
    def _with(self) -> dict[str, object]:
        return {"port": self._port, "connection_cache": self._cache}

    def _at(self, path: str) -> str:
        return rf"\\{HOST}\projects\{path}".replace("/", "\\")
