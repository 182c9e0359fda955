# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Twenty states that an office comes into, as the journal has them, and what must be understood."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from twinsyncd.cloud.fault_text import QUOTA
from twinsyncd.core.decision import Decision
from twinsyncd.core.drive_facts import SILENT
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import (
    BlindSpot,
    ConnectionRow,
    FileKey,
    FileRow,
    LaneKey,
    LaneRow,
    Phase,
    SourceRow,
)
from twinsyncd.core.progress import UnsettledFile
from twinsyncd.core.results import Outcome, RunRecord
from twinsyncd.core.verdict import NO_TASK
from twinsyncd.journal.daemon_rows import MachineRow
from twinsyncd.runtime.conditions import Kind
from twinsyncd.runtime.report_lines import Level

from .page_scene import (
    BIM,
    BRIDGE,
    BRIDGE_MODEL,
    CAD,
    DAY_S,
    HOUR_S,
    LOOK,
    MINUTE_S,
    NOW_S,
    ROOF,
    ROOF_MODEL,
    Office,
    open_office,
)

LANE = LaneRow(BRIDGE_MODEL, connection=BRIDGE)
CHANGED = FileRow(
    FileKey(CAD, "plan/sheet-01.dgn"), LOOK, "b" * 64, "a" * 64, "a" * 64, seen_s=NOW_S - HOUR_S
)
CONSENT = "https://connect.example.com/consent?client_id=native-1&redirect_uri=x"
DOWN = "the service is temporarily unavailable (HTTP 503)"
ARTICLE = "https://support.example.com/kb/KB0112"


@dataclass(frozen=True)
class State:
    """What the journal holds, and the words that a person must find on the page."""

    name: str
    decision: Decision
    kind: Kind | None  # of the condition that names it
    level: Level
    words: tuple[str, ...]
    unsettled: tuple[UnsettledFile, ...] = ()
    trouble: str = ""  # why the journal cannot be used
    usual: bool = True
    beat_s: float = field(default=NOW_S - 2.0)
    machines: tuple[MachineRow, ...] = ()  # that share the journal
    ahead_of_platform_s: float = 0.0  # the machine's clock


def office_in(state: State, folder: Path) -> AbstractContextManager[Office]:
    """Return an office that is in this state."""
    return open_office(
        folder,
        state.decision,
        unsettled=state.unsettled,
        usual=state.usual,
        beat_s=state.beat_s,
        trouble=state.trouble,
        machines=state.machines,
        ahead_of_platform_s=state.ahead_of_platform_s,
    )


def offline(reason: str, **more: object) -> Decision:
    """Return a source on hold since an hour."""
    since_s = NOW_S - HOUR_S if reason else 0.0
    row = SourceRow(CAD, identity="d1", offline=reason, offline_since_s=since_s)
    return Decision(sources=(replace(row, **more),))


def waiting(reason: str, kind: EventKind, **more: object) -> Decision:
    """Return a lane that cannot go on since two hours, with a change that waits."""
    lane = replace(LANE, wait_reason=reason, not_before_s=NOW_S + 4 * MINUTE_S)
    event = Event(kind, NOW_S - 2 * HOUR_S, BRIDGE, text=reason)
    return Decision(files=(CHANGED,), lanes=(replace(lane, **more),), events=(event,))


def halted(reason: str) -> Decision:
    """Return a lane that the service refused."""
    return waiting("", EventKind.LANE_HALTED, halt=reason)


def aside(path: str, reason: str, **more: object) -> Decision:
    """Return a file that was set aside half an hour ago."""
    row = FileRow(FileKey(CAD, path), LOOK, "b" * 64, "a" * 64, "a" * 64, seen_s=NOW_S - HOUR_S)
    since_s = NOW_S - HOUR_S / 2
    return Decision(files=(replace(row, aside=reason, aside_since_s=since_s, **more),))


def machine(
    name: str, lanes: Mapping[str, float] = MappingProxyType({}), silent_s: float = -20.0
) -> MachineRow:
    """Return a machine that serves these iModels since then, and is silent for so long."""
    until_s, joined_s = NOW_S - silent_s, NOW_S - DAY_S
    is_alive = silent_s <= 0.0
    served = {LaneKey(key): since_s for key, since_s in lanes.items()}
    return MachineRow(name, "1.0", is_alive, False, joined_s, until_s, silent_s, served)


STATES = (
    State(
        "share offline",
        offline("the folder //fileserver/bridge cannot be reached: no route to host"),
        Kind.OFFLINE,
        Level.WAITS,
        ("no route to host", "bring the drive back"),
    ),
    State(
        "share hung",
        offline("", silent=f"{SILENT} noon", silent_since_s=NOW_S - MINUTE_S),
        Kind.OFFLINE,
        Level.WAITS,
        ("does not answer since noon", "see whether its server runs"),
    ),
    State(
        "share emptied",
        offline(
            "the folder is empty, 40 files were there",
            needs_person=True,
            drive="d1",
            missing_count=40,
            examples=("plan/sheet-00.dgn", "plan/sheet-01.dgn"),
        ),
        Kind.HELD,
        Level.BAD,
        ("the folder is empty", "plan/sheet-00.dgn", "Approve", "40 missing files"),
    ),
    State(
        "unreadable file",
        Decision(
            sources=(
                SourceRow(
                    CAD,
                    identity="d1",
                    blind=(BlindSpot("secret", "permission denied"),),
                    blind_count=1,
                    blind_since_s=NOW_S - DAY_S,
                ),
            )
        ),
        Kind.UNREADABLE,
        Level.BAD,
        ("1 path cannot be read", "secret: permission denied"),
    ),
    State(
        "file not on the drive any more",
        Decision(
            sources=(SourceRow(CAD, identity="d1", missed=(("plan/sheet-01.dgn", NOW_S - 20.0),)),)
        ),
        Kind.MISSING,
        Level.WAITS,
        ("1 file not on the drive any more: plan/sheet-01.dgn", "looked for once more after"),
    ),
    State(
        "never settles",
        Decision(),
        Kind.UNSETTLED,
        Level.WAITS,
        ("has not settled for 3 h", "plan/live.dgn", "it keeps changing"),
        unsettled=(UnsettledFile(CAD, "plan/live.dgn", NOW_S - 3 * HOUR_S, "it keeps changing"),),
    ),
    State(
        "refused",
        halted("the service refuses the run (HTTP 403): missing scope"),
        Kind.HALTED,
        Level.BAD,
        ("missing scope", "Try again now", "twinsyncd retry"),
    ),
    State(
        "run failed with link",
        Decision(
            files=(CHANGED,),
            history=(
                RunRecord(
                    BRIDGE_MODEL,
                    BRIDGE,
                    "run-99",
                    Outcome.FAILED,
                    NOW_S - 900.0,
                    NOW_S - 600.0,
                    3,
                    f"the run failed: the connector crashed. See {ARTICLE}",
                ),
            ),
        ),
        Kind.RUN_FAILED,
        Level.BAD,
        ("the run failed: the connector crashed", f'href="{ARTICLE}"'),
    ),
    State(
        "signed out",
        waiting(
            f"nobody is signed in any more; open {CONSENT}",
            EventKind.SIGN_IN_NEEDED,
            needs_person=True,
        ),
        Kind.SIGN_IN,
        Level.BAD,
        ("nobody is signed in", "connect.example.com/consent?client_id=native-1"),
    ),
    State(
        "throttled",
        waiting("the service limits the request rate (HTTP 429)", EventKind.LANE_WAITS),
        Kind.WAITS,
        Level.WAITS,
        ("limits the request rate", "next try in 4 min"),
    ),
    State(
        "platform down",
        waiting(DOWN, EventKind.LANE_WAITS, attempts=9),
        Kind.WAITS,
        Level.WAITS,
        ("HTTP 503", "next try in 4 min", "2 h"),
    ),
    State(
        "quota",
        halted(QUOTA),
        Kind.HALTED,
        Level.BAD,
        ("quota is used up",),
    ),
    State(
        "foreign run",
        Decision(
            files=(CHANGED,),
            lanes=(
                replace(
                    LANE,
                    phase=Phase.BLOCKED,
                    run="run-of-theirs",
                    since_s=NOW_S - 5 * HOUR_S,
                    usual_s=300.0,
                ),
            ),
        ),
        Kind.FOREIGN_RUN,
        Level.WAITS,
        ("somebody else", "run-of-theirs", "5 h"),
    ),
    State(
        "stuck run",
        Decision(
            files=(replace(CHANGED, stored="b" * 64, covered="b" * 64),),
            lanes=(
                replace(
                    LANE,
                    phase=Phase.RUNNING,
                    run="run-100",
                    since_s=NOW_S - 3 * HOUR_S,
                    usual_s=300.0,
                ),
            ),
        ),
        Kind.SLOW_RUN,
        Level.WAITS,
        ("longer than usual", "run-100", "3 h"),
    ),
    State(
        "mass deletion",
        offline(
            "25 of 40 files are missing at once",
            needs_person=True,
            drive="d1",
            missing_count=25,
            missing_mark="0123456789abcdef",
            examples=("plan/sheet-03.dgn",),
        ),
        Kind.HELD,
        Level.BAD,
        ("25 of 40 files are missing", "plan/sheet-03.dgn", "Approve"),
    ),
    State(
        "disk full",
        Decision(),
        Kind.DAEMON,
        Level.BAD,
        ("waits for its journal", "no space left on device"),
        trouble="the journal cannot be written: no space left on device",
    ),
    State(
        "watch limit",
        Decision(
            sources=(
                SourceRow(CAD, identity="d1", watch_trouble="the limit of inotify watches is used"),
            )
        ),
        Kind.LATE,
        Level.WAITS,
        ("noticed by scans alone", "inotify watches"),
    ),
    State(
        "daemon hangs",
        Decision(),
        Kind.DAEMON,
        Level.BAD,
        ("hangs", "no heartbeat for 5 min"),
        beat_s=NOW_S - 5 * MINUTE_S,
    ),
    State(
        "no machine serves",
        Decision(),
        Kind.UNSERVED,
        Level.BAD,
        ("no machine serves 1 connection: Roof", "start the daemon on a machine"),
        machines=(
            machine("cad-1", {BRIDGE_MODEL: NOW_S - 5 * HOUR_S}),
            machine("cad-2", silent_s=2 * HOUR_S),
        ),
    ),
    State(
        "nothing matches",
        Decision(
            sources=(SourceRow(CAD, identity="d1"), SourceRow(BIM, identity="d1")),
            connections=(ConnectionRow(BRIDGE, "c1", NOW_S), ConnectionRow(ROOF, "c2", NOW_S)),
            lanes=(LANE, LaneRow(ROOF_MODEL, connection=ROOF)),
        ),
        Kind.EMPTY,
        Level.WAITS,
        ("no file matches", "twinsyncd check"),
        usual=False,
    ),
    State(
        "unproven",
        aside("plan/sheet-02.dgn", NO_TASK),
        Kind.FILE,
        Level.BAD,
        ("plan/sheet-02.dgn", "did not process this file", "not proven", "Try again"),
    ),
    State(
        "removed in the portal",
        Decision(
            events=(
                Event(
                    EventKind.FILE_DIFFERS,
                    NOW_S - HOUR_S,
                    BRIDGE,
                    CAD,
                    "plan/sheet-03.dgn",
                    text="somebody took it out of the connection; it is added again",
                ),
            )
        ),
        Kind.DIFFERED,
        Level.WAITS,
        ("plan/sheet-03.dgn", "somebody took it out of the connection; it is added again"),
    ),
    State(
        "clock skew",
        Decision(),
        Kind.CLOCK,
        Level.WAITS,
        ("the clock of this machine is 2 h behind the platform", "timedatectl set-ntp true"),
        ahead_of_platform_s=-2 * HOUR_S,
    ),
)
