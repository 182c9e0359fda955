"""Reads in the background what settled design files name, and looks for what is missing.

It decides nothing and delays nothing: a file is read after its content settled, on its share's
threads behind everything else. What it has not read before a stop, the next start finds in the
journal.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Final, TypeVar

import structlog

from ..core.facts import Fact, Hashed
from ..core.match import Matcher
from ..core.model import FileKey, SourceKey
from ..core.references import DrawingReferences
from ..disk.reference_places import find_references
from ..disk.reference_process import ReferenceProcess, UnreadableReferencesError
from ..disk.reference_scan import ENDINGS, is_readable
from ..disk.tree import Tree
from ..errors import JournalError, ShareSilent
from ..journal.drawing_references import ReferenceStore, SettledDrawing
from .share_threads import ShareThreads

AGAIN_S: Final = 60.0  # what is missing is looked for so often
OPEN_MAX: Final = 500  # drawings per source of which it is looked for
PAGE: Final = 500  # rows of the journal at a time
KEEP_S: Final = 1.0  # at most so much reading is lost by a kill
DRAIN_S: Final = 20.0  # what a single sync waits for at most

T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReadSource:
    """One source: its folder, the threads on which alone it is used, and what of it is taken."""

    tree: Tree
    threads: ShareThreads
    matcher: Matcher


class ReferenceReader:
    """Reads while its context lasts; `drains`: the end waits until everything was read."""

    def __init__(
        self,
        sources: Mapping[SourceKey, ReadSource],
        store: ReferenceStore,
        process: ReferenceProcess,
        *,
        drains: bool,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wall` gives wall-clock seconds, `clock` monotonic ones."""
        self._sources = sources
        self._store = store
        self._process = process
        self._drains = drains
        self._wall = wall
        self._clock = clock
        self._endings = tuple(ending for ending in ENDINGS if is_readable(ending))
        self._noted: deque[SettledDrawing] = deque()
        self._not_read: dict[FileKey, SettledDrawing] = {}  # their drive did not answer
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="references", daemon=True)

    def __enter__(self) -> None:
        """Begin with what an earlier process left."""
        self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; a drive that hangs is not waited for."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(DRAIN_S if self._drains and kind is None else 1.0)
        self._closed = True
        self._process.close()

    def note(self, fact: Fact) -> None:
        """Note a file that settled; from any thread, returns at once."""
        if isinstance(fact, Hashed) and fact.key.path.lower().endswith(self._endings):
            self._noted.append(SettledDrawing(fact.key, fact.digest))
            self._wake.set()

    def _run(self) -> None:
        is_new, look_s = True, 0.0
        while not self._is_over(left=is_new):
            try:
                if is_new or self._clock() >= look_s:
                    self.look_again()
                    look_s = self._clock() + AGAIN_S
                if is_new:
                    self._read_left_over()
                is_new = False
                self.read_noted()
            except JournalError as exc:
                log.warning("references.delayed", reason=str(exc))
                if self._drains:
                    return  # the next sync reads what is left
                is_new = True  # what was noted is in the journal, which is asked again
            if not self._stopping.is_set() and not self._wake.wait(AGAIN_S):
                self._process.close()  # it would keep its memory while nobody saves
            self._wake.clear()

    def _is_over(self, *, left: bool = False) -> bool:
        """Return whether nothing more is to be read; `left`: something is."""
        drains = self._drains and (left or bool(self._noted))
        return self._closed or (self._stopping.is_set() and not drains)

    def _read_left_over(self) -> None:
        self._store.forget_gone()
        for source in self._sources:
            after = ""
            while page := self._store.unread(source, self._endings, after, PAGE):
                after = page[-1].key.path
                if not self._keep(page, self._names_of):
                    return

    def read_noted(self) -> None:
        """Read the files that settled since they were read last."""
        while self._noted and not self._is_over():
            count = min(len(self._noted), PAGE)
            noted = [self._noted.popleft() for _ in range(count)]
            try:
                self._keep(noted, self._names_of)
            except JournalError:
                self._noted.extend(noted)  # the journal may not know yet that they settled
                raise

    def look_again(self) -> None:
        """Look for what was missing, or was not taken, when the drawings were read.

        The configuration may have changed since, and a share that was silent may answer.
        """
        self._noted.extend(self._not_read.values())
        self._not_read.clear()
        for source in self._store.open_sources() & self._sources.keys():
            known = dict(self._store.open_ones(source, OPEN_MAX))
            if not self._keep(known, partial(self._placed, known)):
                return

    def _keep(
        self,
        drawings: Iterable[SettledDrawing],
        names_of: Callable[[SettledDrawing], DrawingReferences | None],
    ) -> bool:
        """Keep what the drawings name, as far as it is known, many of them in one commit.

        Returns False after a stop: the next start finds the others in the journal.
        """
        found: dict[SettledDrawing, DrawingReferences] = {}
        kept_s = self._clock()
        is_over = False
        for drawing in drawings:
            if is_over := self._is_over(left=True):
                break
            if (names := names_of(drawing)) is not None:
                found[drawing] = names
            if self._clock() >= kept_s + KEEP_S:
                self._store.save(found, self._wall())
                found, kept_s = {}, self._clock()
        self._store.save(found, self._wall())
        return not is_over

    def _names_of(self, drawing: SettledDrawing) -> DrawingReferences | None:
        """Read a drawing; None if it is gone, or was not readable this time."""
        source = self._sources[drawing.key.source]
        path = drawing.key.path
        try:
            references = self._on_share(source, partial(self._process.read, source.tree, path))
        except UnreadableReferencesError as exc:
            if self._closed:
                return None  # that ended its process
            log.info("references.unreadable", path=path, reason=str(exc))
            return DrawingReferences(path, (), str(exc))
        except (FileNotFoundError, NotADirectoryError):
            return None  # a scan finds out what became of it
        except (OSError, ShareSilent) as exc:
            log.info("references.not_read", path=path, reason=str(exc))
            self._not_read[drawing.key] = drawing
            return None
        return self._placed({drawing: DrawingReferences(path, references)}, drawing)

    def _placed(
        self, named: Mapping[SettledDrawing, DrawingReferences], drawing: SettledDrawing
    ) -> DrawingReferences | None:
        """Look where the files lie that a drawing names; None if the drive does not say."""
        known, source = named[drawing], self._sources[drawing.key.source]
        if not known.references:
            return known
        look = partial(
            find_references, source.tree, known.path, known.references, source.matcher.file
        )
        try:
            return DrawingReferences(known.path, self._on_share(source, look))
        except (OSError, ShareSilent) as exc:
            log.info("references.not_read", path=known.path, reason=str(exc))
            return None

    @staticmethod
    def _on_share(source: ReadSource, act: Callable[[], T]) -> T:
        return source.threads.result(source.threads.submit(act, in_background=True))
