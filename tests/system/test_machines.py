# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Two daemons share a journal on a real PostgreSQL server: what one drops, the other takes up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from localtwin.serve import Ready
from soak.platform import Platform, RunSeen
from twinsyncd.config import load
from twinsyncd.journal.location import Server

from . import programs
from .drawings import drawing
from .site import Site, open_site
from .waiting import wait_until

pytestmark = pytest.mark.xdist_group("postgres")


@dataclass(frozen=True)
class Office:
    """A site with several machines."""

    site: Site
    server: Server

    def config(self, machine: str, *keys: str) -> Path:
        """Return the configuration of one machine; `keys` belong into its [daemon]."""
        text = self.site.config.read_text("utf-8")
        state = f'state_folder = "{self.site.folder / "state"}"'
        assert text.count(state) == 1
        own = [
            f'state_folder = "{self.site.folder / machine}"',
            f'journal = "{self.server.url}"',
            f'journal_schema = "{self.server.schema}"',
            f'machine = "{machine}"',
        ]
        file = self.site.folder / f"{machine}.toml"
        file.touch(mode=0o600)
        file.write_text(text.replace(state, "\n".join([*own, *keys])), "utf-8")
        return file

    def let_its_lease_end(self, machine: str) -> None:
        """Let 60 s pass by the database's clock for a machine that does not renew its lease."""
        with psycopg.connect(self.server.url) as connection:
            late = f'UPDATE "{self.server.schema}".machines SET until_s = until_s - 60'  # noqa: S608 - ours
            connection.execute(f"{late} WHERE name = %s".encode(), [machine])

    def status(self, config: Path) -> str:
        """Return what `twinsyncd status` prints on a machine."""
        return programs.call("status", "--config", str(config)).stdout

    def runs(self) -> list[RunSeen]:
        """Return all runs that the platform has ever seen."""
        config = load(self.site.config, {})
        connection, secret = config.connection[0], config.auth.secret()
        url = config.platform.api_url
        signed = (url, config.platform.issuer_url, config.auth.client_id, secret)
        ready = Ready(*signed, connection.itwin_id, connection.imodel_id, self.site.folder)
        with Platform(ready) as platform:
            return platform.runs()


@pytest.fixture
def office(tmp_path: Path, server: Server) -> Iterator[Office]:
    """An office whose journal does not exist yet."""
    with open_site(tmp_path) as site:
        yield Office(site, server)


def test_what_a_killed_machine_served_is_taken_over_and_given_back(office: Office) -> None:
    """A server that burns at night must not leave an iModel as it was until the morning."""
    site, first = office.site, office.config("first")
    second = office.config("second", "standby = true")
    with programs.daemon(first, site.folder / "first.out") as serving:
        site.save("before.dxf", drawing(1))
        serving.wait_for("run.ended")
        waiting = programs.daemon(second, site.folder / "second.out", until="daemon.stands_by")
        with waiting as standby:
            serving.kill()
            site.save("after.dxf", drawing(2))
            office.let_its_lease_end("first")
            standby.wait_for("run.ended")
            alone = office.status(second)
            serving.restart()
            serving.wait_for("daemon.started", 2)
            both = office.status(second)

    assert "not running, last alive" in alone
    assert "serves 1 connection" in alone
    assert "serves nothing" in both
    assert len(office.runs()) == 2


def test_a_frozen_machine_starts_no_run_once_it_wakes(office: Office) -> None:
    """It was about to start one; meanwhile its iModel is another machine's (P3)."""
    site, first = office.site, office.config("first")
    second = office.config("second", "standby = true")
    with programs.daemon(first, site.folder / "first.out") as serving:
        site.save("plan.dxf", drawing(1))
        serving.wait_for("file.stored")
        serving.signal(signal.SIGSTOP)
        office.let_its_lease_end("first")
        with programs.daemon(second, site.folder / "second.out") as standby:
            standby.wait_for("run.ended")
            serving.signal(signal.SIGCONT)
            serving.wait_for("leases.lost")
            serving.wait_for("daemon.started", 2)
            wait_until(lambda: "In sync" in office.status(first), "all is in sync")

    assert len(office.runs()) == 1
    assert serving.events("run.started") == []
