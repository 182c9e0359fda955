"""Watches on Windows, and notices overflows of the system's buffer, which watchdog ignores.

An overflow completes a read with no bytes; watchdog skips it, and does not notice either when the
reading thread has died with the connection. Both are reported here.
Source: Microsoft Learn, "ReadDirectoryChangesW function"; watchdog, `observers/winapi.py`.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import queue
    from collections.abc import Callable

    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver, EventQueue, ObservedWatch
    from watchdog.observers.read_directory_changes import WindowsApiEmitter
    from watchdog.observers.winapi import DirectoryChangeReader

    Lost = Callable[[str], None]

    def windows_observer(lost: Lost) -> BaseObserver:
        """Return an observer that calls `lost` when the system dropped events."""
        return BaseObserver(_Emitter, lost=lost)

    class _Buffers(queue.Queue[tuple[bytes, bool]]):
        """The buffers the system filled; the first one is empty and only says "ready"."""

        def __init__(self, lost: Lost) -> None:
            super().__init__()
            self._lost = lost
            self._ready = False

        def put(
            self, item: tuple[bytes, bool], block: bool = True, timeout: float | None = None
        ) -> None:
            super().put(item, block, timeout)
            if self._ready and not item[0]:
                self._lost("the system's event buffer overflowed")
            self._ready = True

    class _Reader(DirectoryChangeReader):
        """A reader whose empty buffers are noticed, and which says whether it still reads."""

        def __init__(self, path: str, *, recursive: bool, lost: Lost) -> None:
            super().__init__(path, recursive=recursive)
            self._buf_queue = _Buffers(lost)

        def is_reading(self) -> bool:
            return self._reader_thread is not None and self._reader_thread.is_alive()

    class _Emitter(WindowsApiEmitter):
        """An emitter that counts as dead when its reader is."""

        def __init__(
            self,
            event_queue: EventQueue,
            watch: ObservedWatch,
            *,
            lost: Lost,
            timeout: float = 1.0,
            event_filter: list[type[FileSystemEvent]] | None = None,
        ) -> None:
            super().__init__(event_queue, watch, timeout=timeout, event_filter=event_filter)
            self._lost = lost

        def on_thread_start(self) -> None:
            with self._lock:
                reader = self._reader = _Reader(
                    self.watch.path, recursive=self.watch.is_recursive, lost=self._lost
                )
            reader.start()

        def is_alive(self) -> bool:
            reader = self._reader
            return super().is_alive() and isinstance(reader, _Reader) and reader.is_reading()
