"""`twinsyncd demo`: the first thing anybody runs, also while somebody kills the daemon."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from . import programs
from .programs import events_in
from .waiting import wait_until

# The first run writes a changeset for each of ten files.
GREEN, AMBER, RED = "#15803d", "#d97706", "#b91c1c"
WRITTEN = "changeset 11: 1 inserted, 2 updated, 1 deleted"


@pytest.mark.parametrize("more", [(), ("--manifest",)])
def test_the_demo_ends_with_the_changeset_of_the_edit(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    """It is the promise of the whole program, shown on the user's own machine."""
    folder = tmp_path / "demo"

    told = programs.call("demo", "--folder", str(folder), *more)

    assert told.returncode == 0, told.stdout + told.stderr
    assert WRITTEN in told.stdout
    (drawing,) = re.findall(r"drawing +(\S+\.svg)", told.stdout)
    picture = Path(drawing).read_text("utf-8")
    assert all(f"{each}<" in picture for each in ("1 inserted", "2 updated", "1 deleted"))
    assert all(f'<path stroke="{each}"' in picture for each in (GREEN, AMBER, RED))
    assert "real CSV, DXF, GEOJSON, IFC files" in told.stdout
    assert "10 of 10 files synced" in told.stdout
    assert "10 of 10 files: SHA-256 of the drive = synced" in told.stdout
    assert "0 differences between the drive's files and the iModel" in told.stdout
    assert ("http.server" in told.stdout) is bool(more)  # else the files could not be fetched again
    assert ("demo --manifest" in told.stdout) is not bool(more)


def test_the_bulk_demo_sends_only_what_changed(tmp_path: Path) -> None:
    """Rows, not files, are what a factory counts; a wrong row is named and holds up no other."""
    told = programs.call("demo", "--bulk", "--folder", str(tmp_path / "demo"))

    assert told.returncode == 0, told.stdout + told.stderr
    delivered = re.findall(r"delivered +(.+)", told.stdout)
    assert delivered == [
        "projects.csv: 0 updated, 1 inserted, 1 request",
        "components.csv: 0 updated, 1 inserted, 1 request",
        "pieces.csv: 0 updated, 1,200 inserted, 2 requests",
        "pieces.csv: 2 updated, 0 inserted, 1 request",
        "pieces.csv: 1 updated, 0 inserted, 1 request",
        "pieces.csv: 1 updated, 0 inserted, 1 request",
    ]
    assert 'row 4, column Length: "long" is not a number' in told.stdout
    assert told.stdout.count("1,202 of 1,202 records on the drive are in the service") == 3


def test_a_daemon_killed_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    """Whoever doubts the journal kills the daemon and looks; everything must go on from there."""
    folder = tmp_path / "demo"
    config, log = str(folder / "twinsyncd.toml"), folder / "daemon.log"

    with programs.program("demo", "--folder", str(folder), output=tmp_path / "demo.out") as demo:
        _kill_daemon_at(log, "file.stored", demo)
        status = programs.call("status", "--config", config)
        sync = programs.call("sync", "--config", config)
        demo_code = demo.wait(180.0)

    assert status.returncode == 1, "not everything was synced yet"
    assert "not running" in status.stdout
    assert sync.returncode == 0, sync.stdout + sync.stderr
    assert "agree on 10 files" in sync.stdout
    assert demo_code == 0, demo.text()
    assert WRITTEN in demo.text()


def _kill_daemon_at(log: Path, event: str, demo: programs.Program) -> None:
    """Kill the demo's daemon once its log tells of the event."""

    def told() -> bool:
        assert not demo.ended, demo.text()
        return log.exists() and any(each["event"] == event for each in events_in(log))

    wait_until(told, event)
    os.kill(_daemon_of(demo.text()), signal.SIGKILL)


def _daemon_of(story: str) -> int:
    """Return the process id that the demo told."""
    _, _, rest = story.partition("the daemon (process ")
    return int(rest.partition(")")[0])
