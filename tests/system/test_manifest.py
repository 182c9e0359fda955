"""The real daemon, a real object store and localtwin: the configuration as an office writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest
from moto.server import ThreadedMotoServer

from twinsyncd.cloud.network import NetworkSettings
from twinsyncd.config import load
from twinsyncd.runtime.cloud_wiring import place_of

from .drawings import drawing
from .site import QUICK, Site, open_site

SECRET: Final = "s3cret-of-the-bucket"


@pytest.fixture
def s3() -> Iterator[str]:
    """The address of an object store with one bucket, which is empty."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    httpx.post(f"{url}/moto-api/reset").raise_for_status()
    httpx.put(f"{url}/office").raise_for_status()
    yield url
    server.stop()


@pytest.fixture
def site(tmp_path: Path, s3: str) -> Iterator[Site]:
    """An office that keeps its files in that bucket."""
    credentials = tmp_path / "objects.toml"
    credentials.touch(0o600)
    credentials.write_text(f'access_key_id = "office"\nsecret_access_key = "{SECRET}"\n', "utf-8")
    keys = f"""{QUICK}target = "manifest"
  [connection.objects]
  url = "s3://office/bridge12"
  endpoint = "{s3}"
  region = "us-east-1"
  credentials_file = "objects.toml"
"""
    with open_site(tmp_path, keys) as opened:
        yield opened


def names_in(s3: str) -> set[str]:
    """Return the names of the objects in the bucket."""
    listed = httpx.get(f"{s3}/office?list-type=2").text
    return {part.partition("</Key>")[0].rpartition("/")[2] for part in listed.split("<Key>")[1:]}


def test_an_office_keeps_its_files_in_its_own_bucket(site: Site, s3: str) -> None:
    """From the configuration to the iModel, without a secret in what is printed."""
    site.save("plan.dxf", drawing(1))
    site.save("section.dxf", drawing(2))

    check = site.call("check")
    first = site.call("sync", "--verbose")
    site.save("plan.dxf", drawing(3))
    second = site.call("sync", "--verbose")
    verified = site.call("verify", "--deep")
    status = json.loads(site.call("status", "--json").stdout)

    assert check.returncode == 0, check.stdout
    assert "Storage" not in check.stdout, "it is not used"
    assert "open s3://office/bridge12: it holds 0 objects" in check.stdout
    assert first.returncode == second.returncode == 0, first.stdout + second.stdout
    assert verified.returncode == 0, verified.stdout
    assert [run["files"] for run in status["last_runs"]] == [1, 2]
    assert names_in(s3) == {"plan.dxf", "section.dxf"}
    told = "".join(each.stdout + each.stderr for each in (check, first, second))
    assert "objects.deleted" in told
    assert [word for word in (SECRET, "X-Amz-Signature") if word in told] == []


def test_a_bucket_that_was_emptied_is_filled_again(site: Site, s3: str) -> None:
    """Somebody's lifecycle rule must cost an upload, not the next run of each file."""
    site.save("plan.dxf", drawing(1))
    assert site.call("sync").returncode == 0
    place = place_of(load(site.config, {}).connection[0], NetworkSettings())
    place.delete(list(place.held()))

    again = site.call("sync")

    assert again.returncode == 0, again.stdout
    assert names_in(s3) == {"plan.dxf"}


def test_a_bucket_with_another_name_is_found_by_check(site: Site) -> None:
    """The commonest mistake of a first start, found before anything is uploaded."""
    text = site.config.read_text("utf-8").replace("s3://office/", "s3://offices/")
    site.config.write_text(text, "utf-8")

    check = site.call("check")

    assert check.returncode == 1
    assert "s3://offices/bridge12" in check.stdout
    assert "[connection.objects]" in check.stdout
