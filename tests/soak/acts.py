"""Everything that can happen in a soak; each is a frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .proxy import Fault


class Program(StrEnum):
    """What can be killed."""

    DAEMON = "daemon"
    LOCALTWIN = "localtwin"


class Outage(StrEnum):
    """What is found where a folder was."""

    AWAY = "away"  # nothing at all
    EMPTY = "empty"  # an empty folder, as where a share was mounted
    GUTTED = "gutted"  # a folder without the drawings


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a save in place; `fresh` empties the file first, else it is overwritten.

    `hidden` parts leave the file's time as it was, as a drive does that tells it once it is closed.
    """

    path: str
    version: int
    index: int
    count: int
    fresh: bool
    hidden: bool = False

    @property
    def is_last(self) -> bool:
        """Return whether the save is complete with it."""
        return self.index == self.count - 1


@dataclass(frozen=True, slots=True)
class Replace:
    """A whole save by rename."""

    path: str
    version: int


@dataclass(frozen=True, slots=True)
class Delete:
    """The file goes away."""

    path: str


@dataclass(frozen=True, slots=True)
class Touch:
    """The file gets a new time and keeps its content; `rewrite` writes it once more."""

    path: str
    rewrite: bool


@dataclass(frozen=True, slots=True)
class Rename:
    """The file moves to another name or folder of the same connection, its content unchanged."""

    path: str
    to: str


class Harm(StrEnum):
    """What a stranger does to a file in the cloud."""

    DELETE = "deleted in Storage"
    OVERWRITE = "overwritten in Storage"
    UNMAP = "taken out of the connection"


@dataclass(frozen=True, slots=True)
class Tamper:
    """A stranger does harm to the stored file of this path."""

    path: str
    harm: Harm


@dataclass(frozen=True, slots=True)
class Rewind:
    """The daemon is killed and starts with its journal as of an earlier rest."""


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL, and a new process at once; `moment`: not before the daemon is at this, if it is."""

    program: Program
    moment: str = ""  # as judge.work_under_way names it; "": whatever it is at


@dataclass(frozen=True, slots=True)
class Unplug:
    """The folder of a connection goes away; something else may be in its place."""

    folder: str
    outage: Outage


@dataclass(frozen=True, slots=True)
class Plug:
    """The folder is back as it was."""

    folder: str


@dataclass(frozen=True, slots=True)
class Meddle:
    """Somebody else starts a run of this connection."""

    connection: str


@dataclass(frozen=True, slots=True)
class Disturb:
    """One fault of the network, after so many more requests."""

    fault: Fault
    after: int


Change = Slice | Replace | Delete | Touch | Rename
Act = Change | Kill | Meddle | Disturb | Unplug | Plug | Tamper | Rewind


@dataclass(frozen=True, slots=True)
class Step:
    """An act and when it happens, in seconds since the round began."""

    at_s: float
    act: Act


@dataclass(frozen=True, slots=True)
class Block:
    """The rounds up to the next rest; a calm one changes no content."""

    rounds: list[list[Step]]
    aftermath: list[Step]  # kills and faults only
    calm: bool

    @property
    def is_doubtful(self) -> bool:
        """Return whether only a comparison with the cloud can find what happened."""
        acts = (step.act for steps in (*self.rounds, self.aftermath) for step in steps)
        return any(isinstance(act, Tamper | Rewind) for act in acts)
