"""A share whose server is gone delays nothing: no command, no other drive, no stop (P14)."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from . import programs
from .drawings import drawing
from .hung_share import hung_share
from .site import QUICK, Site, open_site
from .waiting import PATIENCE_S

STOP_MAX_S: Final = 10.0
SILENCE: Final = 'share_silence = "2s"\n'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A synced office with two drives."""
    gone = tmp_path / "gone"
    gone.mkdir()
    with open_site(tmp_path, QUICK) as site:
        text = site.config.read_text("utf-8").replace("[daemon]\n", f"[daemon]\n{SILENCE}", 1)
        second = f'\n  [[connection.source]]\n  folder = "{gone}"\n  include = ["**/*.dxf"]\n'
        site.config.write_text(text + second, "utf-8")
        site.save("plan.dxf", drawing(1))
        (gone / "far.dxf").write_bytes(drawing(2))
        synced = site.call("sync")
        assert synced.returncode == 0, synced.stdout + synced.stderr
        yield site


def took_s(site: Site, *command: str) -> tuple[int, float, str]:
    """Return the exit code of a command, how long it took, and what it printed."""
    began_s = time.monotonic()
    done = site.call(*command)
    return done.returncode, time.monotonic() - began_s, done.stdout


def test_a_hung_share_delays_no_command_no_other_drive_and_no_stop(site: Site) -> None:
    """One dead server must not take the whole office with it."""
    with hung_share(site.folder / "gone"):
        with site.daemon() as daemon:
            site.save("plan.dxf", drawing(3))
            daemon.wait_for("file.stored")
            offline = daemon.wait_for("source.offline")
            code, status_s, printed = took_s(site, "status")
            checked, check_s, found = took_s(site, "check", "--offline")

            began_s = time.monotonic()
            assert daemon.terminate() == 0
            stop_s = time.monotonic() - began_s

        again, sync_s, _ = took_s(site, "sync", "--timeout", "5")

    assert "does not answer since" in offline["reason"]
    assert (code, again) == (1, 1)
    assert "does not answer since" in printed
    assert checked == 1
    assert "does not answer since" in found
    assert max(status_s, check_s, stop_s) < STOP_MAX_S
    assert sync_s < 5 + STOP_MAX_S


def test_a_setup_of_a_hung_share_ends_and_names_it(tmp_path: Path) -> None:
    """Even the parsing of the options must not look at the folder."""
    gone, file = tmp_path / "gone", tmp_path / "twinsyncd.toml"
    gone.mkdir()

    with hung_share(gone):
        began_s = time.monotonic()
        done = programs.call("init", str(file), "--folder", str(gone), "--unattended")
        init_s = time.monotonic() - began_s

    assert done.returncode == 1
    assert f"{gone} does not answer" in done.stderr
    assert init_s < STOP_MAX_S
    assert not file.exists()


def test_a_share_that_answers_again_is_synced(site: Site) -> None:
    """Nobody has to restart anything."""
    with site.daemon() as daemon:
        with hung_share(site.folder / "gone"):
            daemon.wait_for("source.offline")
        (site.folder / "gone" / "far.dxf").write_bytes(drawing(4))

        daemon.wait_for("file.stored")


def test_a_platform_that_never_answers_delays_no_stop(site: Site) -> None:
    """A call waits for its time-out; whoever stops the service does not."""
    with silent_platform() as (server, url):
        text = site.config.read_text("utf-8")
        site.config.write_text(re.sub(r'(_url = )"[^"]*"', rf'\1"{url}"', text), "utf-8")
        with site.daemon() as daemon:
            site.save("plan.dxf", drawing(5))
            called, _ = server.accept()

            began_s = time.monotonic()
            assert daemon.terminate() == 0
            stop_s = time.monotonic() - began_s
            called.close()

    assert stop_s < STOP_MAX_S


@contextmanager
def silent_platform() -> Iterator[tuple[socket.socket, str]]:
    """Yield a server that takes every connection and says nothing, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        yield server, f"http://127.0.0.1:{server.getsockname()[1]}"
