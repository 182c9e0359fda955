# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""An office whose journal is written by hand, and its page without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import httpx

from twinsyncd.config import Config, load
from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import (
    ConnectionRow,
    FileKey,
    FileRow,
    Fingerprint,
    LaneRow,
    Now,
    SourceRow,
)
from twinsyncd.core.progress import Heartbeat, UnsettledFile
from twinsyncd.core.results import Outcome, RunRecord
from twinsyncd.journal.daemon_rows import MachineRow
from twinsyncd.journal.database import open_database
from twinsyncd.journal.views import Status
from twinsyncd.journal.writer import Journal
from twinsyncd.runtime.page_data import JournalPageData
from twinsyncd.runtime.page_wiring import access_of
from twinsyncd.runtime.report import Report
from twinsyncd.runtime.trouble import Trouble, TroubleFile
from twinsyncd.web.app import create_app
from wire.in_process import InProcess

NOW_S = 1_764_237_600.0  # 2025-11-27 10:00 UTC
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
BRIDGE, ROOF = "Bridge 12", "Roof"
CAD, BIM = "Bridge 12/cad", "Roof/bim"
BRIDGE_MODEL = "1b2c3d4e-1111-4222-8333-444455556666"
ROOF_MODEL = "2b2c3d4e-1111-4222-8333-444455556666"
LOOK = Fingerprint(1_234, 10**18, 7)
CONFIG = f"""[auth]
client_id = "service-abc"
client_secret = "hunter2-secret"

[daemon]
state_folder = "state"

[page]
{{page}}

[[connection]]
name = "Bridge 12"
itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "{BRIDGE_MODEL}"

  [[connection.source]]
  folder = "cad"

[[connection]]
name = "Roof"
itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "{ROOF_MODEL}"

  [[connection.source]]
  folder = "bim"
"""


class SharedPageData(JournalPageData):
    """The same, of a journal that several machines share."""

    machines: tuple[MachineRow, ...] = ()

    def _status(self) -> Status:
        return replace(super()._status(), machines=self.machines)


@dataclass
class Office:
    """The journal, the page over it, and a browser of this machine."""

    config: Config
    journal: Journal
    data: JournalPageData
    browser: httpx.Client
    landed: str = ""  # where the last button led

    def report(self) -> Report:
        """Return what everything is made from."""
        return self.data.report()

    def asked(self) -> list[tuple[str, str]]:
        """Return what was asked of the daemon."""
        return [(each.kind, each.argument) for each in self.journal.open_requests()]

    def press(self, action: str, **fields: str) -> int:
        """Press a button as our own page has it; return the status of the answer."""
        key = self.browser.get("/").text.partition('name="key" value="')[2].partition('"')[0]
        quoted = {name: quote(value) for name, value in fields.items()}
        answer = self.browser.post("/ask", data={"key": key, "action": action, **quoted})
        self.landed = answer.headers.get("location", "")
        return answer.status_code


def make_config(folder: Path, page: str = "") -> Config:
    """Write and load a configuration with two connections."""
    for name in ("cad", "bim"):
        (folder / name).mkdir(exist_ok=True)
    file = folder / "twinsyncd.toml"
    file.touch(mode=0o600)
    file.write_text(CONFIG.format(page=page), "utf-8")
    return load(file, {})


@contextmanager
def open_office(
    folder: Path,
    *decisions: Decision,
    unsettled: Sequence[UnsettledFile] = (),
    page: str = "",
    usual: bool = True,
    beat_s: float = NOW_S - 2.0,
    trouble: str = "",
    machines: tuple[MachineRow, ...] = (),
    ahead_of_platform_s: float = 0.0,
) -> Iterator[Office]:
    """Yield an office whose daemon has lived for a day and remembered these decisions.

    `usual`: after a day on which all was well. `beat_s`: its last heartbeat, wall clock [s].
    `trouble`: why the journal cannot be written. `machines`: those that share it.
    `ahead_of_platform_s`: how far the machine's clock is ahead.
    """
    folder.mkdir(exist_ok=True)
    config = make_config(folder, page)
    assert config.page is not None
    assert config.daemon.state_folder is not None
    journal = Journal(open_database(config.daemon.state_folder / "journal.sqlite"))
    journal.register("1.0", NOW_S - DAY_S)
    for decision in (*(all_well() if usual else ()), *decisions):
        journal.commit(decision)
    if trouble:
        TroubleFile(config.daemon.state_folder).write(Trouble(trouble, NOW_S - HOUR_S))
    count = len(unsettled)
    beat = Heartbeat(not count, count, tuple(unsettled), ahead_of_platform_s=ahead_of_platform_s)
    journal.beat(beat_s, beat)
    data = SharedPageData(config, journal.leave_request, lambda: Now(NOW_S, NOW_S))
    data.machines = machines
    app = create_app(data, access_of(config.page), signs_in=config.page.has_token)
    try:
        with httpx.Client(transport=InProcess(app), base_url="http://127.0.0.1:8470") as browser:
            yield Office(config, journal, data, browser)
    finally:
        journal.close()


def all_well() -> list[Decision]:
    """Return a day of work: forty drawings and two models, all of them synced."""
    files = [synced(FileKey(CAD, f"plan/sheet-{number:02}.dgn")) for number in range(40)]
    files += [synced(FileKey(BIM, name)) for name in ("roof.ifc", "beams.ifc")]
    rows = Decision(
        files=tuple(files),
        sources=(SourceRow(CAD, identity="d1"), SourceRow(BIM, identity="d1")),
        connections=(
            ConnectionRow(BRIDGE, "c1", NOW_S - HOUR_S),
            ConnectionRow(ROOF, "c2", NOW_S - HOUR_S),
        ),
        lanes=(
            LaneRow(BRIDGE_MODEL, connection=BRIDGE, since_s=NOW_S - HOUR_S),
            LaneRow(ROOF_MODEL, connection=ROOF, since_s=NOW_S - HOUR_S),
        ),
    )
    return [rows, *(day_run(number) for number in range(1, 12))]


def synced(key: FileKey) -> FileRow:
    """Return a file that is in the iModel."""
    digest = "a" * 64
    return FileRow(key, LOOK, digest, digest, digest, in_connection=True, seen_s=NOW_S - DAY_S)


def day_run(number: int) -> Decision:
    """Return one run of the last day, with a file that it synced."""
    ended_s = NOW_S - number * 2 * HOUR_S
    name, source, lane = (BRIDGE, CAD, BRIDGE_MODEL) if number % 3 else (ROOF, BIM, ROOF_MODEL)
    outcome = Outcome.PARTIAL if number == 7 else Outcome.SUCCEEDED
    run, digest = f"run-{number}", f"{number:064x}"
    key = FileKey(source, f"plan/sheet-{number:02}.dgn" if source == CAD else "roof.ifc")
    lasted_s = 40.0 + 30.0 * number
    took_s = 60.0 + number**3
    record = RunRecord(lane, name, run, outcome, ended_s - lasted_s, ended_s, number)
    seen = Event(EventKind.FILE_SEEN, ended_s - took_s, name, key.source, key.path, digest)
    done = Event(EventKind.FILE_SYNCED, ended_s, name, key.source, key.path, digest, run, "task-1")
    return Decision(history=(record,), events=(seen, done))
