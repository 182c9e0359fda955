"""`twinsyncd verify`, and what a sync does about what others did in the cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from twinsyncd.cloud.client import Platform
from twinsyncd.cloud.session import open_cloud
from twinsyncd.config import load
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import ABSENT, FileRow, StorageId
from twinsyncd.journal.database import open_database
from twinsyncd.journal.writer import Journal
from twinsyncd.runtime.cloud_wiring import cloud_settings

from .drawings import drawing
from .site import Site, open_site


@contextmanager
def platform_of(site: Site) -> Iterator[Platform]:
    """Yield the platform as somebody else with the same rights sees it."""
    with open_cloud(cloud_settings(load(site.config))) as cloud:
        yield cloud.platform


def verified(site: Site, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return the exit code of `verify`, and what it says of each file, by path."""
    return understood(site.call("verify", "--json", *arguments))


def understood(done: CompletedProcess[str]) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return the exit code, and the files of a JSON answer by path."""
    return done.returncode, {each["path"]: each for each in json.loads(done.stdout)}


@contextmanager
def synced_site(folder: Path) -> Iterator[tuple[Site, StorageId]]:
    """Yield a site with two drawings in its iModel, and the storage id of the first."""
    with open_site(folder) as site:
        for number in (1, 2):
            site.save(f"{number}.dxf", drawing(number))
        assert site.call("sync").returncode == 0
        yield site, site.row("1.dxf").storage_id


def test_a_synced_site_is_current_at_every_step(tmp_path: Path) -> None:
    """The proof: drive, Storage, source file, task and changeset, by default and deeply."""
    with synced_site(tmp_path) as (site, _):
        code, files = verified(site)
        deep_code, deep = verified(site, "--deep")
        table = site.call("verify", f"{site.drive}/1.dxf")
        text = site.config.read_text("utf-8")
        folder = f'folder = "{site.drive}"'
        assert text.count(folder) == 1
        site.config.write_text(text.replace(folder, f'{folder}\n  spatial_root = "2.dxf"'), "utf-8")
        _, rooted = verified(site)
        shown = site.call("verify")
        as_csv = site.call("verify", "--csv")

    assert (code, deep_code) == (0, 0)
    assert {file["verdict"] for file in [*files.values(), *deep.values()]} == {"current"}
    assert [file["spatial_root"] for _, file in sorted(rooted.items())] == [False, True]
    assert shown.stdout.count("2.dxf  (spatial root: ") == shown.stdout.count("spatial root") == 1
    assert files["1.dxf"]["drive"] == "same size and time"
    assert deep["1.dxf"]["drive"] == "same content"
    assert "task " in files["1.dxf"]["run"]
    assert len(files["1.dxf"]["changeset"]) == 12
    assert table.returncode == 0
    assert "1.dxf" in table.stdout
    assert "2.dxf" not in table.stdout
    assert as_csv.stdout.startswith("source,path,drive,storage,")


def test_what_changed_on_the_drive_is_not_current(tmp_path: Path) -> None:
    """Between two syncs the iModel lags behind; nobody must take it for current."""
    with synced_site(tmp_path) as (site, _):
        site.save("1.dxf", drawing(9))
        site.save("3.dxf", drawing(3))
        (site.drive / "2.dxf").unlink()
        code, files = verified(site)

    assert code == 1
    assert files["1.dxf"]["drive"] == "changed since it was synced"
    assert files["3.dxf"]["drive"] == "not synced yet"
    assert files["2.dxf"]["verdict"] == "unknown"
    assert files["2.dxf"]["drive"] == "not there any more, which a sync has not decided yet"
    assert files["1.dxf"]["next_step"] == "twinsyncd sync"


def test_a_file_that_was_renamed_is_as_current_as_it_was(tmp_path: Path) -> None:
    """It needs no new run, so what proves it is the run that it had under its earlier name."""
    with synced_site(tmp_path) as (site, storage_id):
        (site.drive / "1.dxf").rename(site.drive / "one.dxf")
        assert site.call("sync").returncode == 0
        code, files = verified(site)
        assert site.row("one.dxf").storage_id == storage_id

    assert code == 0
    assert {path: file["verdict"] for path, file in files.items()} == {
        "2.dxf": "current",
        "one.dxf": "current",
    }


def test_a_file_that_was_forgotten_is_named_since_the_imodel_may_hold_it(tmp_path: Path) -> None:
    """No run takes out what a storage connection has written."""
    with synced_site(tmp_path) as (site, _):
        (site.drive / "1.dxf").unlink()
        engine = open_database(site.journal)
        Journal(engine).commit(Decision(files=(FileRow(site.row("1.dxf").key),)))
        engine.dispose()
        _, files = verified(site)

    assert files["1.dxf"]["verdict"] == "kept"


def test_an_imodel_in_place_of_another_one_never_had_its_files(tmp_path: Path) -> None:
    """What had gone from the drive was "kept" in an iModel that was made after that."""
    with synced_site(tmp_path) as (site, storage_id):
        gone = replace(site.row("2.dxf"), seen=ABSENT, fingerprint=None)
        (site.drive / "2.dxf").unlink()
        engine = open_database(site.journal)
        Journal(engine).commit(Decision(files=(gone,)))
        engine.dispose()
        first = load(site.config).connection[0]
        with open_cloud(cloud_settings(load(site.config))) as cloud:
            calls = cloud.platform._calls
            ask = partial(calls.once, accept="application/vnd.bentley.itwin-platform.v2+json")
            given = {"iTwinId": first.itwin_id, "name": "Second"}
            made = ask("make an iModel", "POST", "/imodels", json=given).json()["iModel"]
            ask("delete the iModel", "DELETE", f"/imodels/{first.imodel_id}")
        text = site.config.read_text("utf-8")
        site.config.write_text(text.replace(first.imodel_id, made["id"]), "utf-8")

        before = verified(site)[1]
        synced = site.call("sync")
        code, files = verified(site)
        status = site.call("status").stdout

    assert before["1.dxf"]["verdict"] != "current"
    assert synced.returncode == 0, synced.stdout + synced.stderr
    assert (code, list(files)) == (0, ["1.dxf"])
    assert files["1.dxf"]["verdict"] == "current"
    assert site.row("1.dxf").storage_id == storage_id, "Storage is that of the iTwin still"
    assert "kept in the iModel" not in synced.stdout + status


def test_a_file_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    """Whoever cannot read it cannot say that it is current."""
    with synced_site(tmp_path) as (site, _):
        (site.drive / "1.dxf").chmod(0)
        done = site.call_without_rights("verify", "--json", "--deep")
        code, files = understood(done)

    assert code == 1
    assert files["1.dxf"]["verdict"] == "unknown"


def test_content_that_somebody_exchanged_is_found_and_mended(tmp_path: Path) -> None:
    """The same size, another time: read back, uploaded again, and run again."""
    with synced_site(tmp_path) as (site, storage_id):
        with platform_of(site) as platform:
            upload = platform.update_content(storage_id)
            _put(upload.url, drawing(1)[::-1])
            platform.complete(upload)
        code, files = verified(site)
        synced = site.call("sync")
        after, mended = verified(site, "--deep")

    assert code == 1
    assert "uploaded again" in files["1.dxf"]["storage"]
    assert synced.returncode == 0, synced.stdout
    assert after == 0
    assert mended["1.dxf"]["storage"] == "as remembered"


def test_a_file_that_somebody_deleted_in_storage_comes_back(tmp_path: Path) -> None:
    """It was "in sync" for ever."""
    with synced_site(tmp_path) as (site, storage_id):
        with platform_of(site) as platform:
            platform.delete_file(storage_id)
        code, files = verified(site)
        synced = site.call("sync")
        after, _ = verified(site)
        history = site.call("history", f"{site.drive}/1.dxf")

    assert (code, files["1.dxf"]["verdict"]) == (1, "not current")
    assert (synced.returncode, after) == (0, 0), synced.stdout
    assert "file.differs" in history.stdout


def test_a_source_file_that_was_removed_in_the_portal_comes_back(tmp_path: Path) -> None:
    """Runs succeeded without it, and its saves never reached the iModel."""
    with synced_site(tmp_path) as (site, storage_id):
        with platform_of(site) as platform:
            config = load(site.config)
            (connection,) = platform.connections(config.connection[0].imodel_id)
            held = {each.storage_id: each for each in platform.source_files(connection.id)}
            platform.remove_source_file(connection.id, held[storage_id].id)
        code, files = verified(site)
        site.save("1.dxf", drawing(7))
        synced = site.call("sync")
        after, _ = verified(site)

    assert code == 1
    assert "out of the connection" in files["1.dxf"]["source_file"]
    assert (synced.returncode, after) == (0, 0), synced.stdout


def _put(url: str, content: bytes) -> None:
    """Upload a content as any client does."""
    from urllib.request import Request, urlopen  # noqa: PLC0415 - only here

    headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
    request = Request(url, data=content, method="PUT", headers=headers)  # noqa: S310 - loopback
    with urlopen(request) as answer:  # noqa: S310 - loopback
        assert answer.status == 201
