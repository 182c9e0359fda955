"""The values that all rooms share: digests, fingerprints, rows, failures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple, NewType

SourceKey = NewType("SourceKey", str)
"""A source folder of the configuration: the connection's name and the folder's, "Bridge/cad"."""

ConnectionKey = NewType("ConnectionKey", str)
"""A connection of the configuration: its name."""

LaneKey = NewType("LaneKey", str)  # an iModel: its id

StorageId = NewType("StorageId", str)
"""The service's id of a file in Storage; "" while it has none."""

RunKey = NewType("RunKey", str)
"""A run as the target names it; "" for none."""

Digest = NewType("Digest", str)
"""SHA-256 as 64 lowercase hex characters, or one of the two marks below."""

NO_CONNECTION: Final = ConnectionKey("")
NO_ID: Final = StorageId("")
NO_RUN: Final = RunKey("")
NO_SOURCE: Final = SourceKey("")

ABSENT: Final = Digest("")
"""There is no such content: no file on the drive, nothing in Storage, nothing synced."""

IN_DOUBT: Final = Digest("?")
"""A store was begun and its outcome is not known; Storage may hold the old or a new content."""

UNMAPPED: Final = IN_DOUBT
"""What an active run was started for, where it takes a file out of the iModel."""

STAYS: Final = "its content stays in the iModel"
"""The note of a file that is gone, out of its connection, and was in the iModel before.

People read MAY_STAY: the platform does not document what becomes of the content.
"""

MAY_STAY: Final = "the iModel may keep what runs brought of it: the platform does not say"

OPEN_IN: Final = "open in "
"""How the reason begins of a file that waits until the program that has it open closes it."""


class Now(NamedTuple):
    """One moment: monotonic seconds for waiting, wall-clock seconds for what is stored."""

    at_s: float
    wall_s: float


class FileKey(NamedTuple):
    """One matched file: the key of its source, and its path relative to the source's folder."""

    source: SourceKey
    path: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What one look at a file saw; two equal fingerprints a quiet time apart mean it is settled.

    size_bytes, mtime_ns and ctime_ns (since the epoch) are the file system's own. file_id is the
    inode or file index, 0 where the file system has none worth trusting. ctime_ns is when the file
    or its metadata last changed, which programs cannot set back; 0 where the system has none.
    """

    size_bytes: int
    mtime_ns: int
    file_id: int = 0
    ctime_ns: int = 0


def is_as_remembered(found: Fingerprint, known: Fingerprint | None) -> bool:
    """Return whether they are equal; a journal of an older version knows no change time."""
    if known is not None and known.ctime_ns == 0:
        found = replace(found, ctime_ns=0)
    return found == known


UNLIKE_ANY: Final = Fingerprint(size_bytes=-1, mtime_ns=0)
"""Of a file that could not be read: remembered, so it can be missed, and like no look at it."""


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """A file or folder that can hold a match and that nobody could read: nothing is known of it."""

    path: str  # relative POSIX; printable, so not always the name that the system knows
    reason: str  # may end with what to do about it, after a semicolon

    @property
    def advice(self) -> str:
        """What to do about it; "" if the reason does not say, as those of the system do not."""
        return self.reason.partition("; ")[2]


class OnDelete(StrEnum):
    """What becomes in the cloud of a file that is gone from the drive."""

    KEEP = "keep"
    UNMAP = "unmap"  # it is taken out of the connection
    DELETE = "delete"  # and deleted in Storage as well


@dataclass(frozen=True, slots=True)
class FileRow:
    """What the journal remembers of one file; the work left is wherever the digests differ."""

    key: FileKey
    fingerprint: Fingerprint | None = None  # of the content `seen`; None before the first hash
    seen: Digest = ABSENT
    stored: Digest = ABSENT
    synced: Digest = ABSENT
    covered: Digest = ABSENT  # what the active run of ours was started for
    storage_id: StorageId = StorageId("")  # the service's id of the stored file, kept for life
    in_connection: bool = False  # a source file of its connection (references never are)
    attempts: int = 0  # failures in a row for this content
    aside: str = ""  # why it was set aside; "" when it was not
    unread: str = ""  # why it cannot be read off the drive; "" when it can
    hashed_s: float = 0.0  # wall clock [s] at which it was last read whole; 0: not known
    aside_since_s: float = 0.0  # wall clock [s] since when `aside` or `unread` says why
    seen_s: float = 0.0  # wall clock [s] at which the content `seen` settled; 0: not known
    note: str = ""  # what the last try for this content brought, while it is not synced
    next_try_s: float = 0.0  # wall clock [s] before which this content is not tried again
    version: str = ""  # the service's own mark of the stored content; "": not known
    replaces: tuple[StorageId, ...] = ()  # earlier ids, may be source files of the connection still
    removing: OnDelete = OnDelete.KEEP  # gone from the drive; what is to be done about it still
    moved_from: FileKey | None = None  # where Storage has it; its own key: somebody moved it there

    @property
    def is_open_elsewhere(self) -> bool:
        """Return whether it waits until the program that has it open closes it."""
        return self.unread.startswith(OPEN_IN)


class Need(StrEnum):
    """What a file still needs, by its digests alone."""

    PLACE = "place"  # it was renamed on the drive; Storage has it under its earlier name
    STORE = "store"  # what settled on the drive is not what Storage holds
    RUN = "run"  # Storage holds it, no run has consumed it
    REMOVE = "remove"  # it is gone from the drive, and to be taken out of the connection
    ASIDE = "aside"  # it cannot go on by itself; a person or a new save must help
    NOTHING = "nothing"


def need(row: FileRow) -> Need:
    """Return what the file needs; a file gone from the drive needs nothing if it is kept."""
    if row.moved_from is not None:
        return Need.PLACE
    if row.aside or row.unread:
        return Need.ASIDE
    if row.seen == ABSENT:
        return Need.NOTHING if row.removing is OnDelete.KEEP else Need.REMOVE
    if row.seen != row.stored:
        return Need.STORE
    return Need.RUN if row.stored != row.synced else Need.NOTHING


class Phase(StrEnum):
    """What a lane is doing; see the table in lane.py for every transition."""

    QUIET = "quiet"  # no run of ours exists; uploads are allowed
    PREPARING = "preparing"  # the connection is being found, created or completed
    STARTING = "starting"  # a run was asked for and the answer is not known
    RUNNING = "running"  # our run is active; Storage must not change
    BLOCKED = "blocked"  # somebody else's run is active on the iModel


@dataclass(frozen=True, slots=True)
class LaneRow:
    """What the journal remembers of one iModel's lane."""

    key: LaneKey  # the iModel's id
    phase: Phase = Phase.QUIET
    # The connection being prepared or run; else the last one served.
    connection: ConnectionKey = ConnectionKey("")
    run: RunKey = RunKey("")  # the active run, as the target names it
    last_run: RunKey = RunKey("")  # the connection's newest run before ours was asked for
    asks: int = 0  # start requests of this STARTING phase whose outcome is not known
    attempts: int = 0  # failures in a row
    not_before_s: float = 0.0  # wall clock [s since the epoch] before which nothing is tried
    since_s: float = 0.0  # wall clock [s] at which the phase was entered
    halt: str = ""  # why the lane stands still; "" when it does not
    usual_s: float | None = None  # set once the run takes far longer than this; 0: none is usual
    wait_reason: str = ""  # why it waits, in the service's words; "" when calls succeed
    needs_person: bool = False  # `wait_reason` ends when a person signs in or agrees
    throttles: int = 0  # answers in a row by which the service limited the request rate
    fruitless: int = 0  # starts in a row that ended without a run of ours


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """What the journal remembers of one configured connection."""

    key: ConnectionKey
    remote_id: str = ""  # the service's connection id, once found or created
    compared_s: float = 0.0  # wall clock [s] at which the cloud was last compared; 0: never
    # Wall clock [s] since when the service says that runs may act for the user; 0: it does not.
    authorised_s: float = 0.0
    warned_days: int = 0  # the last warning that this ends named so many days; 0: there was none
    last_run: RunKey = RunKey("")  # the newest run of ours that ended
    paused_s: float = 0.0  # wall clock [s] since when a person has paused it; 0: it is not
    published_s: float = 0.0  # wall clock [s] at which a person asked for a run outside its window
    spatial_root: str = ""  # its newest file, source/path, that was to place the iModel
    # The connection whose spatial root goes in before its files, itself perhaps; "": it waits for
    # none. And wall clock [s] since when.
    root_wait: str = ""
    root_wait_s: float = 0.0
    late_store: str = ""  # an upload, source/path, that may still take effect; its runs wait
    late_until_s: float = 0.0  # wall clock [s] until which they do; 0: they do not
    compare_failed: str = ""  # why comparisons have failed since the last good one; "": none did
    compare_failed_s: float = 0.0  # wall clock [s] at which it did, the last time
    compare_refused: bool = False  # it fails until a person corrects something
    home: str = ""  # "iTwin/iModel" that all of this is of; "": not known
    home_s: float = 0.0  # wall clock [s] since when, if it was another one before


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What the journal remembers of one source folder: which drive it was, and what is wrong."""

    key: SourceKey
    identity: str = ""  # device and file-system id at the last good scan; "" before the first
    offline: str = ""  # why nothing is done about it; "" when all is well
    offline_since_s: float = 0.0  # wall clock [s] since when
    silent: str = ""  # that it does not answer, and since when; "" when it does
    silent_since_s: float = 0.0  # wall clock [s] at which it answered last, as far as is known
    needs_person: bool = False  # `offline` ends when it mends itself, or when a person approves
    approved: bool = False  # a person said that `drive`, and `missing_count`, are meant
    drive: str = ""  # which drive waits for a person, or was approved
    missing_count: int = 0  # how many remembered files are missing there, as far as was counted
    missing_mark: str = ""  # which ones they are; "" if they were only counted
    examples: tuple[str, ...] = ()  # some of their paths, for a person to see
    patterns: str = ""  # by which its files were chosen at the last start
    drives_inside: tuple[tuple[str, str], ...] = ()  # drives mounted in it: path, identity
    blind: tuple[BlindSpot, ...] = ()  # some of what the last scan could not read
    blind_count: int = 0  # how many there are in all
    blind_since_s: float = 0.0  # wall clock [s] since when there are any; 0: there are none
    watch_trouble: str = ""  # why changes are not noticed at once; "" when they are
    missed: tuple[tuple[str, float], ...] = ()  # paths the last list lacked; wall clock [s] since
    missed_unnamed: int = 0  # how many it lacked, if they are too many for `missed`
    doubted: tuple[str, ...] = ()  # paths that a person doubts, and that were not read since then
    is_read: bool = False  # `offline` holds back deletions only; what is there is read and stored

    @property
    def is_unread(self) -> bool:
        """Return whether nothing that is there is read or stored."""
        return bool(self.offline) and not self.is_read

    @property
    def shown(self) -> HeldSource:
        """Return what a person is shown of it, and can approve."""
        return HeldSource(self.key, self.drive, self.missing_count, self.missing_mark)


@dataclass(frozen=True, slots=True)
class HeldSource:
    """What is wrong with a source, as shown to a person; only this can be approved."""

    source: SourceKey
    drive: str  # the identity of the drive that is there
    missing_count: int  # how many remembered files are missing there; 0: not counted
    missing_mark: str = ""  # which ones they are; "" if they were only counted


class Fault(StrEnum):
    """The kind of a failure, as far as the next decision needs it."""

    TRANSIENT = "transient"  # try the same again later; the effect may or may not have happened
    THROTTLED = "throttled"  # the service limits the request rate; nothing happened
    UNAUTHORISED = "unauthorised"  # the credentials are not accepted
    SIGNED_OUT = "signed out"  # nobody is signed in (any more), and nothing happened; a person must
    NOT_AUTHORISED = "not authorised"  # runs may not act for the user; a person opens a page
    QUOTA = "quota"  # no space is left there, and nothing happened; a person must make room
    FILE = "file"  # about this one file, and nothing happened; nothing else waits for it
    REFUSED = "refused"  # asking again in the same words will not help
    GONE = "gone"  # the thing named does not exist (any more)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command did not succeed; text for a person, a fault for the machine."""

    fault: Fault
    message: str
    retry_after_s: float = 0.0  # as the service asked; 0: it did not say
    request_id: str = ""
    unanswered: bool = False  # an earlier try got no answer, and may still take effect
