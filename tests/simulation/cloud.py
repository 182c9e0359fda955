"""A model of Storage and of runs: what the platform does, without the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from twinsyncd.core.model import FileKey, FileResult, Outcome


@dataclass
class Blob:
    content: str = ""
    etag: int = 0
    complete: bool = False


@dataclass
class ModelRun:
    id: str
    connection: str
    ours: bool  # or as good as ours: begun on our connection while an answer was outstanding
    wanted: bool  # begun by a request whose sender still wanted it
    started_s: float
    reads: dict[str, float]  # item -> when it is read
    ends_s: float
    outcome: Outcome
    failing: frozenset[str] = frozenset()
    read: dict[str, str] = field(default_factory=dict)
    ended: bool = False

    def result_of(self, item: str) -> Outcome:
        if self.outcome is Outcome.FAILED or item in self.failing:
            return Outcome.FAILED
        return Outcome.SUCCEEDED


@dataclass
class ModelCloud:
    """One iModel with its Storage; asserts what a run must never meet."""

    rnd: Random
    blobs: dict[str, Blob] = field(default_factory=dict)
    names: dict[FileKey, str] = field(default_factory=dict)
    connections: dict[str, dict[str, None]] = field(default_factory=dict)
    display: dict[str, str] = field(default_factory=dict)
    runs: dict[str, ModelRun] = field(default_factory=dict)
    active: ModelRun | None = None
    consumed: dict[str, str] = field(default_factory=dict)
    claimed: dict[str, str] = field(default_factory=dict)  # what the daemon counts as synced
    succeeded: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    bad_items: set[str] = field(default_factory=set)
    superfluous: list[str] = field(default_factory=list)
    _ids: int = 0

    def reserve(self, key: FileKey) -> str:
        """Find the file by name or create it; looks before it creates, as the client must."""
        if key not in self.names:
            self.names[key] = self._id("item")
            self.blobs[self.names[key]] = Blob()
        return self.names[key]

    def commit(self, item: str, content: str, etag: int, at_s: float) -> bool:
        """Put Block List under If-Match: late requests of older stores change nothing."""
        self.advance(at_s)
        blob = self.blobs[item]
        if blob.etag != etag:
            return False
        run = self.active
        ours = run is not None and run.ours and run.wanted and item in run.reads
        assert not ours, f"P4: {item} changed in Storage while our run was active"
        blob.content, blob.etag, blob.complete = content, etag + 1, True
        return True

    def connect(self, name: str, items: Iterable[str]) -> str:
        """Find or create the connection by display name and add the items."""
        connection = self.display.setdefault(name, f"connection-{name}")
        self.connections.setdefault(connection, {}).update(dict.fromkeys(items))
        return connection

    def start(
        self,
        connection: str,
        at_s: float,
        *,
        ours: bool,
        wanted: bool,
        posted: bool,
        fate: Outcome,
        length_s: float,
    ) -> tuple[bool, ModelRun]:
        """Return (True, the new run) or (False, the one that stands in the way)."""
        self.advance(at_s)
        if self.active:
            return False, self.active
        items = [*self.connections.get(connection, {}), *self._references(connection)]
        new = [i for i in items if self.blobs[i].content != self.claimed.get(i)]
        run_id = self._id("run")
        if posted and wanted and not new:
            self.superfluous.append(run_id)
        reads = {item: at_s + self.rnd.random() * length_s for item in items}
        failing = frozenset(i for i in items if i in self.bad_items)
        if fate is Outcome.SUCCEEDED and failing:
            fate = Outcome.PARTIAL
        run = ModelRun(
            run_id, connection, ours, wanted, at_s, reads, at_s + length_s, fate, failing
        )
        self.runs[run_id] = self.active = run
        return True, run

    def look(self, run_id: str, at_s: float) -> ModelRun:
        self.advance(at_s)
        return self.runs[run_id]

    def newest(self, connection: str, at_s: float) -> str:
        self.advance(at_s)
        return next((r.id for r in reversed(self.runs.values()) if r.connection == connection), "")

    def results(self, run: ModelRun) -> tuple[FileResult, ...]:
        return tuple(
            FileResult(item, run.result_of(item), "a fault of its own") for item in run.read
        )

    def advance(self, at_s: float) -> None:
        """Let the active run read what it reads by now, and end if it is due."""
        run = self.active
        if run is None:
            return
        for item, due_s in run.reads.items():
            if due_s <= at_s and item not in run.read:
                run.read[item] = self.blobs[item].content
        if run.ends_s <= at_s:
            run.ended, self.active = True, None
            for item, content in run.read.items():
                if run.result_of(item) is Outcome.SUCCEEDED:
                    self.consumed[item] = content
                    self.succeeded.setdefault((item, content), []).append(run.id)

    def _references(self, connection: str) -> list[str]:
        """Return the files that lie beside the connection's masters; its runs read them too."""
        return [
            item
            for key, item in self.names.items()
            if key.path.startswith("xref/")
            and connection.endswith(key.source.partition("/")[0])
            and self.blobs[item].complete
        ]

    def _id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}{self._ids}"
