"""The lines of the report: how the daemon, a lane and a comparison stand, in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..core.model import LaneRow, Phase
from ..core.progress import RequestPacing, UploadsUnderWay
from ..journal.failed_comparisons import FailedComparison
from ..journal.late_stores import LateStore
from ..journal.outlets import Outlet
from ..journal.root_waits import RootWait
from ..journal.views import DaemonRow
from .formatting import clock_time, count, duration, size
from .trouble import Trouble

STARTING: Final = "starting"
WITHOUT_JOURNAL: Final = "waits for its journal"
KEPT_OUT: Final = "kept out"
CLOUD_UNKNOWN: Final = "cannot be compared with the cloud"
WINDOW_CLOSED: Final = "waits for the window"
ROOT_FIRST: Final = "waits for the spatial root"
AFTER_LATE_STORE: Final = "waits until"
SILENT_S: Final = 15.0  # a daemon writes its heartbeat every 5 s

PHASES: Final = {
    Phase.QUIET: "no run active",
    Phase.PREPARING: "preparing the connection",
    Phase.STARTING: "asking for a run",
    Phase.RUNNING: "a run of ours is active",
    Phase.BLOCKED: "waiting for somebody else's run",
}
"""What a lane does, by its phase."""

_NO_DAEMON: Final = "tried again once a daemon runs, or now by `twinsyncd sync`"
_FRUITLESS: Final = "earlier starts brought no run of ours"


class Level(StrEnum):
    """How much a line matters to a person."""

    GOOD = "good"
    PLAIN = "plain"
    WAITS = "waits"  # it ends by itself
    BAD = "bad"  # a person must act


@dataclass(frozen=True, slots=True)
class Line:
    """A short state, how much it matters, and what there is to say about it."""

    level: Level
    state: str
    detail: str = ""

    def __str__(self) -> str:
        """Return the line as plain text."""
        return f"{self.state}{self.detail}"


def daemon_line(
    daemon: DaemonRow | None, *, running: bool, now_s: float, trouble: Trouble | None = None
) -> Line:
    """Return whether the daemon runs, and how it is."""
    if trouble is not None:
        since = f" since {clock_time(trouble.since_s)}"
        if trouble.is_start:
            return Line(Level.WAITS, STARTING, f"{since}: {trouble.reason}")
        return Line(Level.BAD, WITHOUT_JOURNAL, f"{since}: {trouble.reason}")
    if daemon is None:
        return Line(Level.PLAIN, "never started")
    if not running:
        return Line(Level.WAITS, "not running", f", last alive {clock_time(daemon.beat_s)}")
    silent_s = now_s - daemon.beat_s
    if silent_s > SILENT_S:
        detail = f": process {daemon.pid} has written no heartbeat for {duration(silent_s)}"
        return Line(Level.BAD, "hangs", detail)
    unsettled = f", {count(daemon.unsettled, 'file')} still settling" if daemon.unsettled else ""
    uploading = f", {uploads_text(daemon.uploads)}" if daemon.uploads else ""
    paced = f", {pacing_text(daemon.pacing)}" if daemon.pacing else ""
    work = "idle" if daemon.is_idle else f"working{unsettled}{uploading}{paced}"
    since = clock_time(daemon.started_s)
    return Line(Level.GOOD, "running", f" since {since}, process {daemon.pid}, {work}")


def rival_line(connection: str) -> Line:
    """Return that another program of this machine serves a connection with another journal."""
    detail = (
        f': another twinsyncd on this machine serves "{connection}" with another state folder, so'
        " this journal is not kept"
    )
    return Line(Level.BAD, KEPT_OUT, detail)


def unseen_since_s(daemon: DaemonRow | None, line: Line, trouble: Trouble | None) -> float:
    """Return since when (wall clock [s]) nobody looks at the drive; 0: a daemon does, or none did.

    `line` is the daemon's.
    """
    if daemon is None or line.level is Level.GOOD:
        return 0.0
    return daemon.beat_s if trouble is None else min(daemon.beat_s, trouble.since_s)


def uploads_text(uploads: UploadsUnderWay) -> str:
    """Return how far the uploads are, how fast, and how long the rest takes."""
    done = f"{size(uploads.sent_bytes)} of {size(uploads.total_bytes)}"
    text = f"uploading {count(uploads.files, 'file')}: {done}"
    if uploads.left_s is None:
        return text
    return f"{text} at {size(uploads.bytes_per_s)}/s, {duration(uploads.left_s)} left"


def pacing_text(pacing: RequestPacing) -> str:
    """Return what is left of a host's rate limit, for which requests wait."""
    of = f" of {pacing.limit}" if pacing.limit else ""
    until = f"{count(pacing.left, 'request')}{of} left until {clock_time(pacing.until_s)}"
    return f"kept slow by the rate limit of {pacing.host}: {until}"


def connection_line(
    lane: LaneRow | None, paused_s: float, name: str, now_s: float, *, running: bool = True
) -> Line:
    """Return what a connection does or waits for; `paused_s`: since when it is paused, 0: not.

    `running`: a daemon keeps the journal, so that what failed is tried again by itself.
    """
    active = lane is not None and lane.phase in (Phase.RUNNING, Phase.STARTING)
    if not paused_s or active:
        return lane_line(lane, now_s, running=running)
    since = f' since {clock_time(paused_s)}; go on: twinsyncd resume "{name}"'
    return Line(Level.WAITS, "paused", since)


def lane_line(lane: LaneRow | None, now_s: float, *, running: bool = True) -> Line:
    """Return what a lane does or waits for."""
    if lane is None:
        return Line(Level.PLAIN, "no run yet")
    if lane.halt:
        again_s = max(lane.not_before_s - now_s, 0.0)
        again = f"; tried again in {duration(again_s)}, or at once by `twinsyncd retry`"
        again = again if running else f"; {_NO_DAEMON}"
        return Line(Level.BAD, "halted", f": {lane.halt}{again}")
    if lane.needs_person:
        return Line(Level.BAD, "waits for a person", f": {lane.wait_reason}")
    wait_s = lane.not_before_s - now_s
    if lane.wait_reason or (lane.fruitless and wait_s > 0):
        reason = lane.wait_reason or _FRUITLESS
        again = f"next try in {duration(wait_s)}" if wait_s > 0 else "the next try is due"
        again = again if running else _NO_DAEMON
        return Line(Level.WAITS, "waits", f": {reason}; {again}")
    if lane.usual_s is None:
        active = lane.phase in (Phase.RUNNING, Phase.BLOCKED)
        since = f" since {clock_time(lane.since_s)}" if active else ""
        return Line(Level.PLAIN, PHASES[lane.phase], since)
    return _slow_line(lane, lane.usual_s, now_s)


def window_line(line: Line, lane: LaneRow | None, opens_s: float, name: str, to_run: int) -> Line:
    """Return the line of a connection, or that its runs may not begin before a moment.

    `opens_s`: wall clock [s], 0: they may begin now; `to_run`: how many files wait for a run.
    """
    is_quiet = lane is None or lane.phase is Phase.QUIET
    if not opens_s or not is_quiet or line.level is not Level.PLAIN:
        return line
    opens = f"opens {clock_time(opens_s)}"
    if not to_run:
        return Line(Level.PLAIN, "no run active", f"; the window for runs {opens}")
    waits = f": {count(to_run, 'file')} uploaded, {opens}; run now: twinsyncd publish"
    return Line(Level.PLAIN, WINDOW_CLOSED, f'{waits} "{name}"')


def late_line(line: Line, lane: LaneRow | None, late: LateStore | None, now_s: float) -> Line:
    """Return the line of a connection, or that its run waits for an upload that broke off."""
    is_quiet = lane is None or lane.phase is Phase.QUIET
    if late is None or late.until_s <= now_s or not is_quiet or line.level is not Level.PLAIN:
        return line
    detail = (
        f" {clock_time(late.until_s)}: the upload of {late.file} broke off and may still change"
        " Storage, so no run begins before"
    )
    return Line(Level.PLAIN, AFTER_LATE_STORE, detail)


def root_line(line: Line, lane: LaneRow | None, wait: RootWait | None, name: str) -> Line:
    """Return the line of a connection, or that a spatial root goes in before its files."""
    is_active = lane is not None and lane.phase is not Phase.QUIET and lane.connection == name
    if wait is None or line.level is not Level.PLAIN or is_active:
        return line
    since = f"since {clock_time(wait.since_s)}"
    why = "it decides where the iModel is, so it goes in first"
    if wait.connection == name:
        detail = f" {wait.file} {since}: {why}, alone; if it is not meant to: delete spatial_root"
        return Line(Level.PLAIN, ROOT_FIRST, detail)
    which = f"{wait.file} of" if wait.file else "of"
    detail = f' {which} "{wait.connection}" {since}: {why}; to go on without it: twinsyncd pause'
    return Line(Level.PLAIN, ROOT_FIRST, f'{detail} "{wait.connection}"')


def compared_line(
    compared_s: float, failed: FailedComparison | None, now_s: float, *, is_new: bool = False
) -> Line:
    """Return when the cloud was last looked at, or why that fails.

    `is_new`: nothing was ever made or stored there, so nobody has looked yet.
    """
    if failed is not None:
        last = f"last compared {clock_time(compared_s)}" if compared_s else "never compared"
        level = Level.BAD if failed.needs_person else Level.WAITS
        return Line(level, CLOUD_UNKNOWN, f": {failed.reason}; {last}")
    if not compared_s:
        detail = ": what others did there is not known; it is done at the next start or sync"
        return Line(Level.WAITS, "not compared with the cloud yet", detail)
    if is_new:
        return Line(Level.PLAIN, "nothing in the cloud yet")
    ago = duration(max(now_s - compared_s, 0.0))
    return Line(Level.PLAIN, "compared with the cloud", f" {ago} ago")


def outlet_line(outlet: Outlet) -> Line:
    """Return whether the page is served, or a notification target takes messages."""
    if outlet.trouble:
        since = f" since {clock_time(outlet.since_s)}"
        return Line(Level.WAITS, "does not work", f"{since}: {outlet.trouble}")
    return Line(Level.GOOD, "works", f": {outlet.address}")


def _slow_line(lane: LaneRow, usual_s: float, now_s: float) -> Line:
    """Say how long the run goes on, what is usual, and where to look; nothing is cancelled."""
    lasts = duration(now_s - lane.since_s)
    where = f"; see run {lane.run} in the iTwin's Synchronization portal"
    if lane.phase is Phase.BLOCKED:
        usual = f"; ours usually take {duration(usual_s)}" if usual_s else ""
        return Line(
            Level.WAITS, "somebody else's run keeps ours waiting", f": {lasts}{usual}{where}"
        )
    usual = f", usually {duration(usual_s)}" if usual_s else ""
    return Line(Level.WAITS, "run takes longer than usual", f": {lasts}{usual}{where}")
