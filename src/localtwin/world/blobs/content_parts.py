"""A content in parts: a folder of links to its blocks, until they are joined into one file.

Put Block List would otherwise copy the whole content before it answers. One file to which blocks
are appended as they come would spare the copy only for a list in that order; clients send on
several lines at once, and then no list is. The folder is complete before a record names the
content, and goes only when the file is there: after a crash at any moment one of them is.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO, Any

from localtwin.world.durable import sync_file, sync_folder

_LIST = "list.json"
_JOINED = "joined"
_COPY_BYTES = 1 << 18  # as much as stays in the processor's cache on its way


class Interrupted(Exception):
    """Joining ended early because the world is being closed; the parts are still there."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A range of one content."""

    content: str
    offset: int
    size_bytes: int


def write_parts(
    folder: Path, content: str, slices: Sequence[Slice], find: Callable[[str], Path]
) -> None:
    """Make `folder` hold the parts of `content`; `find` says where the content of a slice is.

    Raises FileNotFoundError when one is gone, another OSError where files can't be linked.
    """
    with _complete_or_gone(folder):
        for name in {part.content for part in slices}:
            (folder / name).hardlink_to(find(name))
        listed = [[part.content, part.offset, part.size_bytes] for part in slices]
        (folder / _LIST).write_text(json.dumps({"content": content, "parts": listed}), "utf-8")
        # Blocks are not synced when they come: one that is never committed need not last.
        for file in folder.iterdir():
            sync_file(file)
        sync_folder(folder)
        sync_folder(folder.parent)


def link(folder: Path, target: Path) -> None:
    """Make `target` hold the same parts; FileNotFoundError: they are being deleted."""
    names = {part.content for part in _slices(folder)}
    with _complete_or_gone(target):
        for name in (*names, _LIST):
            (target / name).hardlink_to(folder / name)


def content_of(folder: Path) -> str:
    """Return the name of the content whose parts these are."""
    return str(_read(folder)["content"])


def join(folder: Path, target: Path, stopping: Event) -> None:
    """Make the parts one file, `target`, and delete them.

    Raises FileNotFoundError when they are gone, Interrupted when `stopping` is set meanwhile.
    """
    joined = folder / _JOINED
    try:
        with joined.open("wb", buffering=0) as out:
            append(out, ((folder / part.content, part) for part in _slices(folder)), stopping)
            os.fsync(out.fileno())
        joined.replace(target)
        sync_folder(target.parent)  # before the parts go
    except BaseException:
        joined.unlink(missing_ok=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def drop(folder: Path) -> None:
    """Delete the parts, if there are any; a thread that is joining them makes no file of them."""
    renamed = folder.with_name(f"{folder.name}.gone")
    try:
        folder.rename(renamed)
    except FileNotFoundError:
        return
    shutil.rmtree(renamed, ignore_errors=True)


def append(out: IO[bytes], parts: Iterable[tuple[Path, Slice]], stopping: Event) -> None:
    """Write the range of each file to `out`, in order; raises as `join` does."""
    buffer = memoryview(bytearray(_COPY_BYTES))
    for file, part in parts:
        with file.open("rb", buffering=0) as source:
            source.seek(part.offset)
            left = part.size_bytes
            while left:
                if stopping.is_set():
                    raise Interrupted
                size = source.readinto(buffer[: min(left, _COPY_BYTES)])
                if not size:
                    raise OSError(f"content {part.content} is shorter than its record")
                write_whole(out, buffer[:size])
                left -= size


def write_whole(stream: IO[bytes], data: bytes | memoryview) -> None:
    """Write all of `data`; a nearly full disk takes a part before it says so."""
    left = memoryview(data)
    while left:
        left = left[stream.write(left) :]


@contextmanager
def _complete_or_gone(folder: Path) -> Iterator[None]:
    folder.mkdir()
    try:
        yield
    except BaseException:
        shutil.rmtree(folder)
        raise


def _slices(folder: Path) -> list[Slice]:
    return [Slice(*part) for part in _read(folder)["parts"]]


def _read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / _LIST).read_text("utf-8"))
    return found
