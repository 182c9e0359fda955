"""`twinsyncd run` as a service: alone on its journal, polite at the end, stubborn in between."""

from __future__ import annotations

import hashlib
import signal
import uuid
from pathlib import Path
from typing import Final

import httpx

from twinsyncd.cloud.session import open_cloud
from twinsyncd.config import load
from twinsyncd.runtime.cloud_wiring import cloud_settings
from twinsyncd.runtime.machine_lock import serving_alone

from .drawings import drawing
from .site import Site, open_site
from .waiting import wait_until

START_BYTES: Final = 24 * 1024 * 1024  # several blocks, so that growth meets an upload
GROWTH_BYTES: Final = 1024 * 1024
GROWN: Final = 3
NO_RUN: Final = """
settle = "0.3s"
batch_quiet = "10min"
"""


def test_a_second_daemon_refuses_to_start(tmp_path: Path) -> None:
    """A service that is started twice must not upload and run everything twice."""
    with open_site(tmp_path) as site, site.daemon():
        second = site.call("run")

    assert second.returncode == 1
    assert "another twinsyncd keeps the journal" in second.stderr
    assert "twinsyncd status" in second.stderr, "it says what to do instead"


def test_sigterm_ends_the_daemon_cleanly(tmp_path: Path) -> None:
    """A service manager kills what does not end, and reports what ends badly."""
    with open_site(tmp_path) as site, site.daemon() as daemon:
        site.save("plan.dxf", drawing(1))
        daemon.wait_for("file.stored")

        code = daemon.terminate()
        status = site.call("status")

    assert code == 0
    assert daemon.events("daemon.stopped")
    assert "not running" in status.stdout


def test_a_platform_that_dies_and_returns_costs_nothing(tmp_path: Path) -> None:
    """Outages happen at night; in the morning everything has to be in the iModel."""
    with open_site(tmp_path) as site, site.daemon() as daemon:
        site.save("before.dxf", drawing(1))
        daemon.wait_for("run.started")
        site.platform.kill()
        site.save("during.dxf", drawing(2))
        daemon.wait_for("store.failed" if daemon.events("run.ended") else "run.not_seen")
        site.platform.restart()
        site.save("after.dxf", drawing(3))
        wait_until(lambda: site.is_synced(3), "all three files are synced")
        status = site.call("status")

    assert status.returncode == 0, status.stdout
    assert "3 of 3 files synced" in status.stdout


def test_a_growing_file_is_only_taken_whole(tmp_path: Path) -> None:
    """Exporters write for minutes; half a model in Storage would go into the iModel."""
    versions = [b"x" * (START_BYTES + grown * GROWTH_BYTES) for grown in range(GROWN + 1)]
    digests = [hashlib.sha256(version).hexdigest() for version in versions]

    with open_site(tmp_path, NO_RUN) as site, site.daemon() as daemon:
        file = site.save("growing.dxf", versions[0])
        for digest in digests[:-1]:
            _wait_for_digest(site, digest)  # so its upload begins now
            with file.open("ab") as appended:
                appended.write(b"x" * GROWTH_BYTES)
        wait_until(lambda: site.row("growing.dxf").stored == digests[-1], "the last is stored")
        row = site.row("growing.dxf")
        content = _download(site, row.storage_id)
        stored = [event["digest"] for event in daemon.events("file.stored")]

    assert hashlib.sha256(content).hexdigest() == digests[-1]
    assert set(stored) <= {digest[:12] for digest in digests}


def _wait_for_digest(site: Site, digest: str) -> None:
    wait_until(lambda: site.row("growing.dxf").seen == digest, "the file is at rest")


def _download(site: Site, storage_id: str) -> bytes:
    config = load(site.config, {})
    with open_cloud(cloud_settings(config)) as cloud:
        headers = {"Authorization": f"Bearer {cloud.login.token()}"}
    link = f"{config.platform.api_url}/storage/files/{storage_id}/download"
    answer = httpx.get(link, headers=headers, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_changed_configuration_is_followed_without_a_restart(tmp_path: Path) -> None:
    """`systemctl reload` adds a folder while everything else goes on."""
    added = tmp_path / "added"
    added.mkdir()
    (added / "more.dxf").write_bytes(drawing(2))
    with open_site(tmp_path) as site, site.daemon() as daemon:
        site.save("plan.dxf", drawing(1))
        wait_until(lambda: site.is_synced(1), "the first file is synced")
        with site.config.open("a") as config:
            config.write(f'\n  [[connection.source]]\n  folder = "{added}"\n')

        daemon.signal(signal.SIGHUP)
        wait_until(lambda: site.is_synced(2), "the file of the added folder is synced")
        code = daemon.terminate()

    assert code == 0
    assert len(daemon.events("daemon.started")) == 2


def test_a_bad_configuration_is_refused_and_the_former_one_stays(tmp_path: Path) -> None:
    """A typing error at noon must not end the service until somebody looks."""
    with open_site(tmp_path) as site, site.daemon() as daemon:
        good = site.config.read_text("utf-8")
        site.config.write_text(good.replace("[[connection]]", "[[connexion]]"), "utf-8")

        daemon.signal(signal.SIGHUP)
        refused = daemon.wait_for("config.refused")
        site.save("plan.dxf", drawing(1))
        site.config.write_text(good, "utf-8")
        wait_until(lambda: site.is_synced(1), "the file is synced by the former configuration")

    assert "connexion" in refused["reason"]
    assert f"{site.config}:" in refused["reason"]
    assert len(daemon.events("daemon.started")) == 1


def test_a_configuration_that_cannot_be_served_gives_way_to_the_former_one(tmp_path: Path) -> None:
    """That another daemon serves an iModel shows only when its connection is opened."""
    others = tmp_path / "others.toml"
    with open_site(tmp_path) as site, site.daemon() as daemon:
        good = site.config.read_text("utf-8")
        imodel_id = load(site.config).connection[0].imodel_id
        others.touch(mode=0o600)
        others.write_text(good.replace(imodel_id, str(uuid.uuid4())), "utf-8")
        with serving_alone(load(others)):
            site.config.write_text(others.read_text("utf-8"), "utf-8")
            daemon.signal(signal.SIGHUP)
            refused = daemon.wait_for("config.refused")
            daemon.wait_for("daemon.started", 2)
        site.config.write_text(good, "utf-8")
        site.save("plan.dxf", drawing(1))
        wait_until(lambda: site.is_synced(1), "the file is synced by the former configuration")
        code = daemon.terminate()

    assert "another" in refused["reason"]
    assert code == 0
