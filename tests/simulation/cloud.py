# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A model of one iModel, its runs and its Storage: what the platform does, without the wire."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from random import Random

from twinsyncd.core.facts import RunSeen
from twinsyncd.core.model import FileKey
from twinsyncd.core.results import FileResult, Outcome


@dataclass
class Blob:
    content: str = ""
    etag: int = 0
    complete: bool = False


@dataclass(frozen=True)
class Fate:
    """How a run will end."""

    outcome: Outcome = Outcome.SUCCEEDED
    length_s: float = 1.0
    message: str = ""
    wordless: bool = False  # no word on any file: Skipped, TimedOut
    unauthorised: bool = False
    failing: float = 0.0  # share of the files that fail
    silent: float = 0.0  # share of the files that nothing is said about


@dataclass
class ModelRun:
    id: str
    connection: str
    ours: bool  # or as good as ours: begun on our connection while an answer was outstanding
    wanted: bool  # begun by a request whose sender still wanted it
    reads: dict[str, float]  # storage_id -> when it is read
    ends_s: float
    fate: Fate
    failing: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    read: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    known: bool = True  # to the daemon: it was asked for or found; somebody else's may be neither

    @property
    def outcome(self) -> Outcome:
        good = self.fate.outcome is Outcome.SUCCEEDED
        return Outcome.PARTIAL if good and self.failing else self.fate.outcome

    def result_of(self, storage_id: str) -> Outcome:
        if self.outcome is Outcome.FAILED or storage_id in self.failing:
            return Outcome.FAILED
        return Outcome.SUCCEEDED


@dataclass
class ModelCloud:
    """One iModel with its Storage; asserts what a run must never meet."""

    rnd: Random
    torn: Container[str]  # contents that must never be complete here
    mark: str = ""  # in all ids, which are unique over all iModels
    blobs: dict[str, Blob] = field(default_factory=dict)
    names: dict[FileKey, str] = field(default_factory=dict)
    keys: dict[str, FileKey] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    connections: dict[str, dict[str, None]] = field(default_factory=dict)
    display: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)  # for which configured connection
    runs: dict[str, ModelRun] = field(default_factory=dict)
    active: ModelRun | None = None
    claimed: dict[str, str] = field(default_factory=dict)  # what the daemon counts as synced
    succeeded: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    bad: set[FileKey] = field(default_factory=set)
    superfluous: list[str] = field(default_factory=list)
    bin: dict[str, Blob] = field(default_factory=dict)  # recycled; can be brought back
    latest: dict[str, str] = field(default_factory=dict)  # what the iModel holds, by storage id
    tampered: set[str] = field(default_factory=set)  # holds what somebody else put there
    unmapped: set[str] = field(default_factory=set)  # taken out of a connection by somebody
    misplaced: set[str] = field(default_factory=set)  # renamed or moved by somebody
    strayed: set[str] = field(default_factory=set)  # were misplaced once, so some run missed them
    is_forgotten: bool = False  # the daemon's journal was older than what is here
    _ids: int = 0

    # ---- Storage ----------------------------------------------------------------------

    def reserve(self, key: FileKey) -> str:
        """Find the file by name or create it; looks before it creates, as the client must."""
        if key not in self.names:
            storage_id = self.names[key] = self._id("storage_id")
            self.keys[storage_id] = key
            self.blobs[storage_id] = Blob()
        return self.names[key]

    def commit(self, storage_id: str, content: str, etag: int, at_s: float) -> bool:
        """Put Block List under If-Match: late requests of older stores change nothing."""
        self.advance(at_s)
        blob = self.blobs.get(storage_id)
        if blob is None or blob.etag != etag:
            return False
        run = self.active
        ours = run is not None and run.ours and run.wanted and run.known and storage_id in run.reads
        assert not ours, f"P4: {storage_id} changed in Storage while our run was active"
        assert content not in self.torn, f"P1: {content} was completed and never was a whole file"
        blob.content, blob.etag, blob.complete = content, etag + 1, True
        self.tampered.discard(storage_id)
        return True

    def place(self, storage_id: str, key: FileKey, at_s: float) -> None:
        """Rename a file and move it; another of that name may be there all the same."""
        self.advance(at_s)
        run = self.active
        ours = run is not None and run.ours and run.wanted and run.known and storage_id in run.reads
        assert not ours, f"P4: {storage_id} was renamed in Storage while our run was active"
        self.names = {name: id_ for name, id_ in self.names.items() if id_ != storage_id}
        self.names[key] = storage_id
        self.keys[storage_id] = key
        self.misplaced.discard(storage_id)

    def misplace(self, storage_id: str) -> None:
        """Somebody renames a file or moves it to another folder; its name is free again."""
        self.names = {key: id_ for key, id_ in self.names.items() if id_ != storage_id}
        self.misplaced.add(storage_id)
        self.strayed.add(storage_id)

    def remove(self, connection: str, storage_id: str, at_s: float, *, delete: bool) -> None:
        """Take a source file out of its connection, and delete it, as the daemon asks."""
        self.advance(at_s)
        run = self.active
        ours = run is not None and run.ours and run.wanted and run.known and storage_id in run.reads
        assert not ours, f"P4: {storage_id} was removed while our run was active"
        self.connections.get(connection, {}).pop(storage_id, None)
        if delete and storage_id in self.blobs:
            self.bin[storage_id] = self.blobs.pop(storage_id)
            self.names = {key: id_ for key, id_ in self.names.items() if id_ != storage_id}

    def delete(self, key: FileKey) -> None:
        """Somebody deletes the file in Storage; nobody misses what a run had already read."""
        storage_id = self.names.pop(key)
        if (
            self.blobs.pop(storage_id).content == self.claimed.get(storage_id)
            and self.rnd.random() < 0.5
        ):
            for items in self.connections.values():
                items.pop(storage_id, None)
        self.deleted.add(storage_id)

    def overwrite(self, storage_id: str, content: str) -> None:
        """Somebody brings another content to a file of ours."""
        blob = self.blobs[storage_id]
        blob.content, blob.etag = content, blob.etag + 1
        self.tampered.add(storage_id)

    def recycle(self, storage_id: str) -> None:
        """Somebody moves a file to the recycle bin; its name is free again."""
        self.bin[storage_id] = self.blobs.pop(storage_id)
        self.tampered.add(storage_id)
        self.names = {key: id_ for key, id_ in self.names.items() if id_ != storage_id}

    def restore(self, storage_id: str) -> bool:
        """Bring a recycled file back, if it is there; the client then puts it where it belongs."""
        if storage_id not in self.bin:
            return False
        self.misplaced.discard(storage_id)
        self.blobs[storage_id] = self.bin.pop(storage_id)
        self.names.setdefault(self.keys[storage_id], storage_id)
        return True

    # ---- connections ------------------------------------------------------------------

    def connect(self, name: str, remote_id: str, items: Iterable[str]) -> str:
        """Find the connection by id or display name, or create it, and add the items."""
        connection = remote_id if remote_id in self.connections else self.display.get(name, "")
        if not connection:
            twins = [each for each in self.connections if self.made[each] == name]
            is_new = self.is_forgotten or not twins
            assert is_new, f"P8: another connection for {name} beside {twins}"
            connection = self.display[name] = self._id(f"connection-{name}-")
            self.made[connection] = name
        self.connections.setdefault(connection, {}).update(dict.fromkeys(items))
        self.unmapped.difference_update(self.connections[connection])
        return connection

    def unmap(self, connection: str, storage_id: str) -> None:
        """Somebody takes a source file out of a connection."""
        del self.connections[connection][storage_id]
        self.unmapped.add(storage_id)

    def lose_runs(self) -> None:
        """The service comes back from an older backup: runs, and what they brought, are gone."""
        self.runs.clear()
        self.latest.clear()
        self.active = None

    def forget_claims(self) -> None:
        """Expect nothing of a daemon whose memory is older than what is here."""
        self.is_forgotten = True
        self.claimed.clear()
        self.tampered.update(self.blobs, self.bin)
        if self.active is not None:
            self.active.known = False

    def disconnect(self, connection: str) -> None:
        """Somebody deletes the connection, and with it its runs."""
        del self.connections[connection]
        self.display = {name: id_ for name, id_ in self.display.items() if id_ != connection}
        if self.active and self.active.connection == connection:
            self.active = None
        self.runs = {id_: run for id_, run in self.runs.items() if run.connection != connection}

    def rename(self, connection: str) -> None:
        """Somebody gives the connection another name."""
        self.display = {name: id_ for name, id_ in self.display.items() if id_ != connection}

    # ---- runs -------------------------------------------------------------------------

    def start(
        self, connection: str, at_s: float, fate: Fate, *, ours: bool, wanted: bool, posted: bool
    ) -> tuple[bool, ModelRun]:
        """Return (True, the new run) or (False, the one that stands in the way)."""
        self.advance(at_s)
        if self.active:
            return False, self.active
        source_files = list(self.connections.get(connection, {}))
        items = [*source_files, *self._references(connection)]
        run_id = self._id("run")
        taken_away = (
            self.unmapped or self.bin or self.misplaced
        )  # perhaps what the run was asked for
        if posted and wanted and not (self._is_new(items) or taken_away):
            self.superfluous.append(run_id)
        run = ModelRun(
            run_id,
            connection,
            ours,
            wanted,
            {storage_id: at_s + self.rnd.random() * fate.length_s for storage_id in items},
            at_s + fate.length_s,
            fate,
            frozenset(i for i in source_files if self._is_failing(i, fate)),
            frozenset(i for i in source_files if self.rnd.random() < fate.silent),
        )
        run.known = posted
        self.runs[run_id] = self.active = run
        return True, run

    def look(self, run_id: str, at_s: float) -> ModelRun | None:
        self.advance(at_s)
        return self.runs.get(run_id)

    def newest(self, connection: str, at_s: float, *, wanted: bool = False) -> str:
        """Return the newest run, which may be taken for ours if one is `wanted`."""
        self.advance(at_s)
        found = [run for run in self.runs.values() if run.connection == connection]
        if not found:
            return ""
        found[-1].known |= wanted
        return found[-1].id

    def report(self, name: str, run: ModelRun) -> RunSeen:
        """Return what a look at the run shows."""
        if not run.ended:
            return RunSeen(name, run.id, Outcome.ACTIVE)
        fate = run.fate
        files = () if fate.wordless else self._results(run)
        return RunSeen(name, run.id, run.outcome, fate.message, files, fate.unauthorised)

    def advance(self, at_s: float) -> None:
        """Let the active run read what it reads by now, and end if it is due."""
        run = self.active
        if run is None:
            return
        for storage_id, due_s in run.reads.items():
            if due_s <= at_s and storage_id not in run.read and storage_id in self.blobs:
                run.read[storage_id] = self.blobs[storage_id].content
        if run.ends_s <= at_s:
            run.ended, self.active = True, None
            run.failing |= {storage_id for storage_id in run.reads if storage_id not in run.read}
            for storage_id, content in run.read.items():
                if run.result_of(storage_id) is Outcome.SUCCEEDED:
                    self.latest[storage_id] = content
                    self.succeeded.setdefault((storage_id, content), []).append(run.id)

    def _results(self, run: ModelRun) -> tuple[FileResult, ...]:
        return tuple(
            FileResult(
                storage_id,
                run.result_of(storage_id),
                "a fault of its own",
                self._is_hopeless(storage_id),
            )
            for storage_id in run.reads
            if storage_id not in run.silent and not self.keys[storage_id].path.startswith("xref/")
        )

    def _is_new(self, items: Iterable[str]) -> bool:
        return any(self._content(i) != self.claimed.get(i) for i in items)

    def _content(self, storage_id: str) -> str:
        """Return what Storage holds; a file that somebody deleted there is news to everybody."""
        return self.blobs[storage_id].content if storage_id in self.blobs else "deleted"

    def _is_failing(self, storage_id: str, fate: Fate) -> bool:
        unreadable = storage_id not in self.blobs or self.keys[storage_id] in self.bad
        return unreadable or self.rnd.random() < fate.failing

    def _is_hopeless(self, storage_id: str) -> bool:
        return self.keys[storage_id] in self.bad and self.keys[storage_id].path.startswith("deep/")

    def _references(self, connection: str) -> list[str]:
        """Return the files beside the connection's source files; its runs read them, too."""
        name = self.made.get(connection)
        return [
            storage_id
            for key, storage_id in self.names.items()
            if key.path.startswith("xref/")
            and key.source.partition("/")[0] == name
            and self.blobs[storage_id].complete
        ]

    def _id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}{self.mark}{self._ids}"
