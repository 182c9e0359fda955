"""A place in a folder that a web server of the office serves under an HTTPS address.

Whoever knows a path can fetch the file, so the server must not list folders; paths hold the file's
SHA-256, which nobody can guess.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from ...core.model import Failure, Fault
from ...errors import CloudError
from ..protocol import Content
from .places import PIECE_BYTES, Held, ObjectPath


class ServedFolder:
    """A Place on a disk; `base_url` is the address of `folder`."""

    def __init__(self, folder: Path, base_url: str) -> None:
        """Touch nothing before the first call."""
        self._folder = folder
        self._base_url = base_url.rstrip("/")

    def put(self, path: ObjectPath, content: Content) -> None:
        """Store the content whole, or nothing; one that is there already stays."""
        file = self._folder / str(path)
        try:
            if file.exists() and file.stat().st_size == content.size_bytes:
                return
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_name(f".{file.name}.part")
            try:
                with draft.open("wb") as out:
                    for piece in content.chunks(PIECE_BYTES):
                        out.write(piece)
                        content.note_sent(len(piece))
                    content.verify()
                    out.flush()
                    os.fsync(out.fileno())
                draft.replace(file)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as exc:
            raise self._failed("put", exc) from exc

    def held(self) -> dict[ObjectPath, Held]:
        """Return every object of ours that is there."""
        found: dict[ObjectPath, Held] = {}
        try:
            for file in self._folder.glob("*/*/*"):
                path = ObjectPath.read(file.relative_to(self._folder).as_posix())
                if path is not None and not file.name.endswith(".part"):
                    looked = file.stat()
                    found[path] = Held(looked.st_size, looked.st_mtime)
        except OSError as exc:
            raise self._failed("list", exc) from exc
        return found

    def urls(self, paths: Sequence[ObjectPath]) -> list[str]:
        """Return the address of each; it is good for as long as the object is there."""
        return [f"{self._base_url}/{quote(str(path))}" for path in paths]

    def read(self, path: ObjectPath) -> Iterator[bytes]:
        """Yield the content of an object, a piece at a time."""
        try:
            with (self._folder / str(path)).open("rb") as file:
                while piece := file.read(PIECE_BYTES):
                    yield piece
        except OSError as exc:
            raise self._failed("read", exc) from exc

    def delete(self, paths: Sequence[ObjectPath]) -> None:
        """Delete them with the folders that this leaves empty."""
        for path in paths:
            file = self._folder / str(path)
            try:
                shutil.rmtree(file.parent)
            except FileNotFoundError:
                continue
            except OSError as exc:
                raise self._failed("delete", exc) from exc
            with suppress(OSError):  # another content of the file is there
                file.parent.parent.rmdir()

    def _failed(self, what: str, exc: OSError) -> CloudError:
        message = f"the folder {self._folder} cannot be used ({exc.strerror or exc})"
        return CloudError(f"{what} an object", Failure(Fault.TRANSIENT, message))
