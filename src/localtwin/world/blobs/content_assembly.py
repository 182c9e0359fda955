"""Joins contents that are in parts, one after the other, in a thread of its own.

Copying a point cloud takes seconds, and no request needs to wait for that.
"""

from __future__ import annotations

import logging
import threading

from localtwin.world.blobs.content_parts import Interrupted
from localtwin.world.blobs.contents import Contents

log = logging.getLogger(__name__)


class ContentAssembler:
    """The thread; without it, the first reader of a content joins it."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start with the contents that an earlier process left in parts."""
        self._contents.list_unjoined()
        self._thread = threading.Thread(target=self._serve, name="content_assembler", daemon=True)
        self._thread.start()

    def drain(self) -> None:
        """Wait until every content that is in parts now was joined."""
        self._contents.unjoined.join()

    def stop(self) -> None:
        """Stop; what is being joined stays in parts. May be called twice."""
        self._contents.close()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _serve(self) -> None:
        while (name := self._contents.unjoined.get()) is not None:
            try:
                self._contents.whole(name)
            except Interrupted:
                return
            except FileNotFoundError:
                log.debug("content.gone content=%s", name)  # replaced before its turn
            except OSError:  # a full disk; its first reader, or the next start, tries again
                log.exception("content.unjoined content=%s", name)
            finally:
                self._contents.unjoined.task_done()
