"""What was answered survives a power cut: it is on the disk before the answer."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import httpx
import pytest
from platform_scene import Platform, opened

from localtwin.world.database import Database

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file and folder that was synced so far."""
    found: list[Path] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        fsync(descriptor)
        found.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", noted)
    return found


def put(platform: Platform, url: str, content: bytes) -> int:
    request = platform.build_request("PUT", url, content=content)
    del request.headers["Authorization"]
    return platform.send(request).status_code


def staged(platform: Platform, url: str, *pieces: bytes) -> str:
    """Stage blocks and return the list that commits them."""
    ids = [base64.b64encode(f"{number:04}".encode()).decode() for number in range(len(pieces))]
    for block, piece in zip(ids, pieces, strict=True):
        query = httpx.QueryParams({"comp": "block", "blockid": block})
        assert put(platform, f"{url}&{query}", piece) == 201
    listed = "".join(f"<Latest>{block}</Latest>" for block in ids)
    return f"<BlockList>{listed}</BlockList>"


def test_a_whole_content_is_on_the_disk_before_the_answer(
    tmp_path: Path, synced: list[Path]
) -> None:
    """The daemon notes the file as stored; a power cut must not make that false."""
    with opened(tmp_path) as world, Platform(world) as platform:
        _, url = platform.begin_file("a.ifc")
        synced.clear()

        assert platform.put_blob(url, b"content").status_code == 201

        (content,) = [file for file in (tmp_path / "blobs").rglob("*") if file.is_file()]
    assert synced == [content, content.parent]


def test_committed_blocks_are_on_the_disk_before_the_answer(
    tmp_path: Path, synced: list[Path]
) -> None:
    """Blocks alone cost no sync: one that is never committed need not last."""
    with opened(tmp_path) as world, Platform(world) as platform:
        _, url = platform.begin_file("a.ifc")
        synced.clear()
        body = staged(platform, url, b"one", b"two")
        before = list(synced)

        assert put(platform, f"{url}&comp=blocklist", body.encode()) == 201

        (parts,) = (tmp_path / "blobs" / "parts").iterdir()
        held = {file for file in parts.iterdir() if file.is_file()}
    assert before == []
    assert len(held) == 3
    assert set(synced) == held | {parts, parts.parent}


def test_joined_parts_are_on_the_disk_before_the_parts_go(
    tmp_path: Path, synced: list[Path]
) -> None:
    """Between the two a power cut would lose what was committed long ago."""
    with opened(tmp_path) as world, Platform(world) as platform:
        _, url = platform.begin_file("a.ifc")
        body = staged(platform, url, b"one", b"two")
        put(platform, f"{url}&comp=blocklist", body.encode())
        synced.clear()

        world.start()
        world.content_assembler.drain()

        (content,) = [file for file in (tmp_path / "blobs").rglob("*") if file.is_file()]
    assert [file.name for file in synced] == ["joined", content.parent.name]


def test_a_commit_of_the_database_survives_a_power_cut(tmp_path: Path) -> None:
    """FULL is 2; with NORMAL the last commits of a log are lost."""
    database = Database(tmp_path / "world.sqlite")

    with database.write() as connection:
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar()

    database.close()
    assert level == 2


def test_a_block_that_a_power_cut_left_incomplete_is_sent_again(tmp_path: Path) -> None:
    """A client that resumes asks which blocks are there, and leaves out those."""
    with opened(tmp_path) as world, Platform(world) as platform:
        _, url = platform.begin_file("a.ifc")
        staged(platform, url, b"one", b"two", b"six")
        blocks = [file for file in (tmp_path / "blobs").rglob("*") if file.is_file()]
        blocks[0].write_bytes(b"o")
        blocks[1].unlink()

    with opened(tmp_path) as world, Platform(world) as platform:
        query = "&comp=blocklist&blocklisttype=uncommitted"
        answer = platform.send(httpx.Request("GET", f"{url}{query}"))

    assert answer.text.count("<Block>") == 1


def test_what_a_run_reads_is_on_the_disk_before_the_answer(
    tmp_path: Path, synced: list[Path]
) -> None:
    """A run that was accepted is repeated after a power cut, from the same inputs."""
    with opened(tmp_path) as world, Platform(world) as platform:
        connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"a"))
        synced.clear()

        path = f"/synchronization/imodels/storageconnections/{connection}/run"
        assert platform.post(path).status_code == 202

        (inputs,) = (tmp_path / "runs").iterdir()
    assert synced == [inputs, inputs.parent]
