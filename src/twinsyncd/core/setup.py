"""The configuration, as the machine needs to know it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .model import ConnectionKey, LaneKey, OnDelete, SourceKey


@dataclass(frozen=True, slots=True)
class Guard:
    """How many files of a source must disappear at once to be held as an accident."""

    share: float = 0.2  # more than this share of the source's files,
    least: int = 10  # and at least so many


@dataclass(frozen=True, slots=True)
class Source:
    """One configured folder of a connection, as the machine needs to know it."""

    key: SourceKey
    connection: ConnectionKey
    scan_every_s: float = 600.0  # events report changes at once; the scan makes sure
    quiet_s: float = 5.0  # quiet time of a file
    quiet_by_suffix: Mapping[str, float] = field(default_factory=dict)  # ".dgn" -> seconds
    scan_remote_every_s: float = 60.0  # nothing else reports what other hosts write there
    guard: Guard = Guard()
    on_delete: OnDelete = OnDelete.KEEP  # what becomes of a file that is gone from the drive
    patterns: str = ""  # what chooses its files, as text that differs if the choice may

    def quiet_of(self, path: str) -> float:
        """Return the quiet time of a file: by its suffix, else the source's own."""
        _, dot, suffix = path.rpartition(".")
        return self.quiet_by_suffix.get(dot + suffix.lower(), self.quiet_s)


def always_open(wall_s: float) -> float:
    """Return the moment itself: runs may begin at any time."""
    return wall_s


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured connection, as the machine needs to know it."""

    key: ConnectionKey
    lane: LaneKey
    itwin: str = ""  # whose Storage has its files
    batch_quiet_s: float = 30.0
    longest_wait_s: float = 900.0
    poll_max_s: float = 10.0  # longest time between two looks at a run
    names_files: bool = False  # its runs must be given their files
    has_root: bool = False  # some of its files are to decide where the iModel is
    # From when on runs may begin, as wall clock [s], seen from a moment: that one, or a later.
    opens_s: Callable[[float], float] = always_open
    stage_least_bytes: int | None = None  # smaller files are not staged during runs; None: no file


@dataclass(frozen=True, slots=True)
class Setup:
    """The whole configuration, as the machine needs to know it."""

    connections: tuple[Connection, ...]
    sources: tuple[Source, ...]
    uploads_max: int = 4  # stores under way per lane
    rehash_every_s: float = 0.0  # every file is read again so often; 0: never
    compare_every_s: float = 86_400.0  # the cloud is compared so often; 0: at start and on request
