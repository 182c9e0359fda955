"""What happened that a person may ask about later: one event each, kept in the journal.

Events are noted where the decision is made and committed in the same transaction as its rows, so
the history has no gap and no event that did not happen. Log lines are written from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .model import (
    ABSENT,
    NO_CONNECTION,
    NO_RUN,
    NO_SOURCE,
    ConnectionKey,
    Digest,
    RunKey,
    SourceKey,
)

WHY_ABSENT: Final = ("the configuration leaves it out", "it is gone from the drive")
"""How the text of `file.differs` begins for a file that is not taken, or not there any more."""


class EventKind(StrEnum):
    """The kind of an event; the value is its name in the journal and in the log."""

    FILE_SEEN = "file.seen"  # a new content settled on the drive
    FILE_STORED = "file.stored"  # it is complete in Storage
    FILE_SYNCED = "file.synced"  # a run processed it; `task` and `changeset` are the evidence
    FILE_NOT_PROCESSED = "file.not_processed"  # a run was started for it and did not process it
    FILE_SET_ASIDE = "file.set_aside"  # it cannot go on by itself; `text` says why
    FILE_READABLE = "file.readable"  # it could not be read, and can be now
    FILE_GONE = "file.gone"  # it is not on the drive any more; `text` says what follows
    FILE_REMOVED = "file.removed"  # it was taken out of the connection, as `on_delete` asks
    FILE_LEFT_OUT = "file.left_out"  # the configuration chooses it no longer
    FILE_DIFFERS = "file.differs"  # the cloud is not as the journal remembers; `text` says how
    FILE_RENAMED = "file.renamed"  # `text` is the earlier path
    FILE_UNSETTLED = "file.unsettled"  # it does not come to an end of its changes
    PATH_UNREADABLE = "path.unreadable"  # a file or folder below a source that nobody can read
    SOURCE_OFFLINE = "source.offline"  # `text` says why; nothing of it counts as gone
    SOURCE_HELD = "source.held"  # the same, until a person approves or it mends itself
    SOURCE_ONLINE = "source.online"
    SOURCE_APPROVED = "source.approved"  # a person approved what is missing, or the other drive
    CONNECTION_FOUND = "connection.found"  # `text` is the service's id of it
    CONNECTION_LOST = "connection.lost"  # somebody deleted it, or it is another one now
    LANE_HALTED = "lane.halted"  # a person must help; `text` is the service's own
    LANE_WAITS = "lane.waits"  # an outage or a limit; `text` is the service's own
    SIGN_IN_NEEDED = "sign_in.needed"  # the lane waits for a person; `text` says for what
    SIGNED_IN = "sign_in.done"
    AUTHORIZATION_ENDS = "authorization.ends_soon"  # runs may act for the user for few more days
    LANE_RESUMED = "lane.resumed"  # calls succeed again
    RUN_STARTED = "run.started"
    RUN_BLOCKED = "run.blocked"  # somebody else's run is active on the iModel
    RUN_ENDED = "run.ended"
    RUN_LOST = "run.lost"  # it cannot be found any more, so nothing is known of its end
    TASK_FAILED = "task.failed"  # of a source file that is not ours (any more); `text` names it
    CLOUD_COMPARED = "cloud.compared"  # Storage and the connection were looked at
    CLOUD_NOT_COMPARED = "cloud.refused"  # the service does not let us look; `text` is its own
    SYNC_ASKED = "sync.asked"
    PUBLISH_ASKED = "publish.asked"  # a person asked for a run outside its timetable
    RETRY_ASKED = "retry.asked"
    PAUSED = "connection.paused"  # a person paused it
    RESUMED = "connection.resumed"


@dataclass(frozen=True, slots=True)
class Event:
    """One event; fields that do not apply are empty. `at_s`: wall clock [s since the epoch]."""

    kind: EventKind
    at_s: float
    connection: ConnectionKey = NO_CONNECTION
    source: SourceKey = NO_SOURCE
    path: str = ""  # relative to the source
    digest: Digest = ABSENT
    run: RunKey = NO_RUN
    task: str = ""  # the service's id of the task that processed the file
    changeset: str = ""  # the newest changeset that this task wrote
    text: str = ""  # for a person: the reason, in the service's own words where there are any


@dataclass(slots=True)
class EventLog:
    """Collects the events of one decision."""

    _events: list[Event] = field(default_factory=list)

    def add(self, *events: Event) -> None:
        """Note events, to be committed with the rows of this decision."""
        self._events += events

    def take(self) -> tuple[Event, ...]:
        """Return the events since the last call, oldest first."""
        taken, self._events = tuple(self._events), []
        return taken
