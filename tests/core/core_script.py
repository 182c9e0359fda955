# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A play for the machine: what it hears, what it must say, what it must remember by then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Self

from simulation.journal import VirtualJournal
from simulation.office import kind_of
from twinsyncd.core import commands, facts
from twinsyncd.core.decision import Decision
from twinsyncd.core.machine import Machine
from twinsyncd.core.match import Kind
from twinsyncd.core.model import (
    IN_DOUBT,
    Failure,
    Fault,
    FileKey,
    FileRow,
    Fingerprint,
    LaneRow,
    Now,
    SourceRow,
)
from twinsyncd.core.results import FileResult, Outcome, RunRecord, SlowRun
from twinsyncd.core.setup import Connection, Setup, Source

WALL_S = 1_700_000_000.0
SELDOM_S = 1e6  # scans that no play is about come after its end
LONGEST_WAIT_S = 3_600.0  # no wait for anything but a scan may be longer

CAD = "one/cad"
A, B, C = (FileKey(CAD, name) for name in ("a.dgn", "b.dwg", "c.ifc"))
XREF = FileKey(CAD, "xref/grid.dgn")

ONE = Connection("one", "imodel")
CAD_SOURCE = Source(CAD, "one", scan_every_s=SELDOM_S)

SAVED = facts.Touched(A)


def look(version: int) -> Fingerprint:
    """Return what a look sees of the file's nth save."""
    return Fingerprint(100 + version, version * 10**9, 7)


def storage_id(key: FileKey) -> str:
    """Return the id that Storage gives the file in these plays."""
    return f"item:{key.path}"


def saw(key: FileKey, version: int | None) -> facts.Looked:
    """Say how one file looks; None: there is no such file."""
    seen = None if version is None else look(version)
    return facts.Looked(key.source, ((key.path, seen),))


def hashed(key: FileKey, version: int, digest: str = "") -> facts.Hashed:
    """Say that a file was read; "v2" is the digest of the second save."""
    return facts.Hashed(key, look(version), digest or f"v{version}")


def stored(key: FileKey, version: int) -> facts.Stored:
    """Say that the nth save is complete in Storage."""
    return facts.Stored(key, f"v{version}", storage_id(key))


def failure(fault: Fault, message: str = "no luck", retry_after_s: float = 0.0) -> Failure:
    """Return why a command did not succeed."""
    return Failure(fault, message, retry_after_s)


def result(key: FileKey, outcome: Outcome = Outcome.SUCCEEDED, **more: Any) -> FileResult:
    """Say how one file fared in a run."""
    return FileResult(storage_id(key), outcome, **more)


def ended(outcome: Outcome, *files: FileResult, run: str = "run-1") -> facts.RunSeen:
    """Say how a run of connection one ended."""
    return facts.RunSeen("one", run, outcome, files=files)


def scan(identity: str = "drive", source: str = CAD) -> commands.Scan:
    """Ask for a scan of the drive it was."""
    return commands.Scan(source, identity)


def scanned(known: int, *missing: FileKey, **more: Any) -> facts.Scanned:
    """Say how a scan of the healthy drive ended."""
    return facts.Scanned(CAD, "drive", known, tuple(key.path for key in missing), **more)


def look_at(*keys: FileKey) -> commands.LookAt:
    """Ask for looks at files of one source."""
    return commands.LookAt(keys[0].source, tuple(key.path for key in keys))


def try_to_read(key: FileKey) -> commands.LookAt:
    """Ask for a look at a file that could not be read, with a try to read it."""
    return commands.LookAt(key.source, (key.path,), reading=True)


def read(key: FileKey, version: int) -> commands.Hash:
    """Ask for the digest of the nth save."""
    return commands.Hash(key, look(version))


def store(
    key: FileKey, version: int, *, again: bool = False, digest: str = "", connection: str = "one"
) -> commands.Store:
    """Ask for the nth save to be stored; `again` names the id of an earlier store."""
    return commands.Store(
        key,
        connection,
        digest or f"v{version}",
        look(version),
        storage_id(key) if again else "",
    )


def stage(key: FileKey, version: int) -> commands.Stage:
    """Ask for the nth save to be staged."""
    return commands.Stage(key, "one", f"v{version}", look(version), storage_id(key))


def staged(key: FileKey, version: int) -> facts.Staged:
    """Say that the nth save is staged."""
    return facts.Staged(key, f"v{version}")


def place(key: FileKey, id_: str) -> commands.Place:
    """Ask for a stored file to be renamed in Storage."""
    return commands.Place(key, "one", id_)


def prepare(*keys: FileKey, remote: str = "remote", connection: str = "one") -> commands.Prepare:
    """Ask for the connection, to be completed with these files."""
    files = tuple(commands.ExpectedFile(key, storage_id(key)) for key in keys)
    return commands.Prepare(connection, remote, files)


def prepared(*keys: FileKey, last_run: str = "", connection: str = "one") -> facts.Prepared:
    """Say that the connection holds these files now."""
    remote = "remote" if connection == "one" else f"remote-{connection}"
    return facts.Prepared(connection, remote, last_run, keys)


START = commands.StartRun("one", "remote")
STARTED = facts.RunStarted("one", "run-1")
LOOK_AT_RUN = commands.LookAtRun("one", "run-1")
ACTIVE = facts.RunSeen("one", "run-1", Outcome.ACTIVE)
SUCCEEDED = ended(Outcome.SUCCEEDED, result(A))


class Script:
    """Drives a machine through a scene; a word too many or too few fails the play.

    Between two facts the machine is woken whenever it asked to be. After every decision: rows
    are committed before commands begin, nothing spins, and whoever waits has said until when.
    """

    def __init__(
        self,
        *,
        connections: Sequence[Connection] = (ONE,),
        sources: Sequence[Source] = (CAD_SOURCE,),
        uploads_max: int = 4,
        rehash_every_s: float = 0.0,
        compare_every_s: float = 0.0,
        compares: bool = False,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`compares`: the play answers comparisons itself; else all is found as remembered."""
        self.setup = Setup(
            tuple(connections), tuple(sources), uploads_max, rehash_every_s, compare_every_s
        )
        self.compares = compares
        self.journal = VirtualJournal()
        self.slow: list[SlowRun] = []  # of which a person was told
        self.at_s = 1_000.0
        self.wall_s = WALL_S  # what the wall clock showed when the other one began
        self.jitter = jitter
        self.open: list[commands.Command] = []  # begun, and not answered yet
        self.said: list[commands.Command] = []
        self.kind_of: Callable[[FileKey], Kind | None] = kind_of
        self.comes_first: Callable[[FileKey], bool] = lambda _key: False
        self.machine = self._restored()

    @property
    def now(self) -> Now:
        return Now(self.at_s, self.wall_s + self.at_s)

    @property
    def history(self) -> list[RunRecord]:
        """The runs that ended, oldest first."""
        return self.journal.history

    # ---- what plays are made of -------------------------------------------------------

    def hears(self, *happened: facts.Fact, after_s: float = 0.0) -> Self:
        """Let time pass, then let the machine hear these facts at once."""
        assert self.said == [], "commands that the play says nothing about"
        end_s = self.at_s + after_s
        while self._next_s() <= end_s:
            self.at_s = max(self.at_s, self._next_s())
            self._decide([])
        self.at_s = end_s
        self._decide(list(happened))
        return self

    def meanwhile(self, *happened: facts.Fact, after_s: float = 0.0) -> Self:
        """Let the machine hear what this play is not about; its answers are not compared."""
        self.said = []
        return self.hears(*happened, after_s=after_s)

    def says(self, *expected: commands.Command) -> Self:
        """Check that exactly these commands were given, in this order."""
        assert list(expected) == self.said, self.said
        self.said = []
        return self

    def dies(self, *, for_s: float = 0.0, clock_jumps_s: float = 0.0) -> Self:
        """Kill the process and start it again; no answer of before is ever heard."""
        self.said, self.open = [], []
        self.at_s += for_s
        self.wall_s += clock_jumps_s
        self.machine = self._restored()
        return self

    def remembers(self, key: FileKey, **columns: Any) -> Self:
        """Check columns of a file's durable row."""
        return self._remembered(self.journal.files.get(key, FileRow(key)), columns)

    def lane(self, key: str = "imodel", **columns: Any) -> Self:
        """Check columns of a lane's durable row."""
        return self._remembered(self.journal.lanes.get(key, LaneRow(key)), columns)

    def source(self, key: str = CAD, **columns: Any) -> Self:
        """Check columns of a source's durable row."""
        return self._remembered(self.journal.sources.get(key, SourceRow(key)), columns)

    def rests(self) -> Self:
        """Check that there is nothing left to do."""
        assert self.machine.is_idle(), (self.journal.files, self.journal.lanes, self.open)
        return self

    def works(self) -> Self:
        """Check that there is something left to do."""
        assert not self.machine.is_idle()
        return self

    # ---- behind the scenes ------------------------------------------------------------

    def _restored(self) -> Machine:
        return Machine(
            self.setup,
            self.journal.saved_state(),
            self.journal,
            self.now,
            kind_of=self.kind_of,
            jitter=self.jitter,
            comes_first=lambda key: self.comes_first(key),  # noqa: PLW0108 - a play sets it later
        )

    def _next_s(self) -> float:
        deadline = self.machine.deadline(self.now)
        return float("inf") if deadline is None else deadline

    def _decide(self, happened: list[facts.Fact]) -> None:
        for fact in happened:
            self._answered(fact)
        decision = self.machine.handle(happened, self.now)
        self.journal.commit(decision)
        self.slow += decision.slow
        self._check(decision)
        self.open += decision.commands
        for command in decision.commands:
            if isinstance(command, commands.Compare) and not self.compares:
                self._decide([facts.Compared(command.connection)])
            else:
                self.said.append(command)
        if not happened:
            assert self._next_s() > self.at_s, "the machine spins"
        if not (self.open or self.machine.is_idle()):
            assert self._next_s() <= self.at_s + LONGEST_WAIT_S, "waits for ever"

    def _check(self, decision: Decision) -> None:
        for command in decision.commands:
            if isinstance(command, commands.Store):
                row = self.journal.files[command.key]
                assert row.stored == IN_DOUBT, "P8: the doubt must be durable before the effect"
            if isinstance(command, commands.StartRun):
                lane = next(each for each in self.setup.connections if each.key == "one").lane
                asked = self.journal.lanes.get(lane, LaneRow(lane)).asks
                assert command.connection != "one" or asked, "P8: a start must be remembered"

    def _answered(self, fact: facts.Fact) -> None:
        """Cross off the command that the fact closes; the play may not answer what none asked."""
        if isinstance(
            fact,
            facts.Touched
            | facts.HintsLost
            | facts.HintsDegraded
            | facts.FilesFound
            | facts.ShareSlow
            | facts.ShareAnswers
            | facts.LookFailed
            | facts.Reserved
            | facts.PersonFact
            | facts.Ticked,
        ):
            return
        asked = next((command for command in self.open if closes(fact, command)), None)
        assert asked is not None, f"nobody asked for {fact}"
        self.open.remove(asked)

    def _remembered(self, row: Any, columns: dict[str, Any]) -> Self:
        values = {each.name: getattr(row, each.name) for each in fields(row)}
        assert columns == {name: values[name] for name in columns}, (row, columns)
        return self


CLOSES: dict[type[commands.Command], tuple[type[facts.Fact], ...]] = {
    commands.Scan: (facts.Scanned, facts.ScanFailed),
    commands.LookAt: (facts.Looked,),
    commands.Hash: (facts.Hashed, facts.HashMissed),
    commands.Rehash: (facts.Rehashed,),
    commands.Store: (facts.Stored, facts.StoreMoved, facts.StoreFailed),
    commands.Stage: (facts.Staged, facts.StageMoved, facts.StageFailed),
    commands.Place: (facts.Placed, facts.PlaceFailed),
    commands.Remove: (facts.Removed, facts.RemoveFailed),
    commands.Prepare: (facts.Prepared, facts.PrepareFailed),
    commands.StartRun: (
        facts.RunStarted,
        facts.RunRefused,
        facts.StartClashed,
        facts.StartFailed,
    ),
    commands.FindRun: (facts.RunFound, facts.RunLookFailed),
    commands.LookAtRun: (facts.RunSeen, facts.RunLookFailed),
    commands.Compare: (facts.Compared, facts.CompareFailed),
}
"""Which facts close which command, as its docstring names them."""


def closes(fact: facts.Fact, command: commands.Command) -> bool:
    """Return whether the fact answers the command."""
    same = all(
        getattr(fact, name) == getattr(command, name)
        for name in ("key", "source", "connection")
        if hasattr(fact, name) and hasattr(command, name)
    )
    return isinstance(fact, CLOSES[type(command)]) and same


# ---- where plays begin --------------------------------------------------------------------


def is_idle(**more: Any) -> Script:
    """Begin with an empty source that was scanned once."""
    return (
        Script(**more)
        .hears()
        .says(commands.Scan(CAD, ""))
        .hears(facts.Scanned(CAD, "drive", 0))
        .says()
        .rests()
    )


def settles(script: Script, key: FileKey, version: int, *says: commands.Command) -> Script:
    """Let a save of one file come to rest; then the machine says these commands."""
    return (
        script.hears(facts.Touched(key))
        .says(look_at(key))
        .hears(saw(key, version))
        .says()
        .hears(after_s=5)
        .says(look_at(key))
        .hears(saw(key, version))
        .says(read(key, version))
        .hears(hashed(key, version))
        .says(*says)
    )


def settles_meanwhile(script: Script, key: FileKey, version: int) -> Script:
    """Let a save come to rest beside what else happens; what is said then is not compared."""
    script.meanwhile(facts.Touched(key)).meanwhile(saw(key, version))
    script.meanwhile(after_s=5).meanwhile(saw(key, version))
    return script.meanwhile(hashed(key, version))


def storing(**more: Any) -> Script:
    """Begin while the first save of A is being stored."""
    return settles(is_idle(**more), A, 1, store(A, 1))


def preparing(**more: Any) -> Script:
    """Begin while the connection is being made ready for the first save of A."""
    return storing(**more).hears(stored(A, 1)).says().hears(after_s=25).says(prepare(A, remote=""))


def starting(**more: Any) -> Script:
    """Begin while a run for the first save of A is being asked for."""
    return preparing(**more).hears(prepared(A, last_run="run-0")).says(START)


def running(**more: Any) -> Script:
    """Begin while a run of ours for the first save of A is active."""
    return starting(**more).hears(STARTED).says()


def synced(**more: Any) -> Script:
    """Begin with the first save of A in the iModel."""
    return (
        running(**more)
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(SUCCEEDED)
        .says()
        .remembers(A, seen="v1", stored="v1", synced="v1", covered="")
        .rests()
    )
