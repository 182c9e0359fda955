"""A 2 GiB file into localtwin in blocks: as quick as the disk lets it be, in bounded memory."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from localtwin.ids import pair_id
from system.programs import environment

from .figures import Stopwatch, memory_mb, processor_s, say

pytestmark = pytest.mark.bench

SIZE: Final = 2 << 30
BLOCK: Final = 8 << 20
LINES: Final = 4
TARGET_MB_S: Final = 500
SHARE_OF_DISK: Final = 0.15  # client and server share two processors; alone it is about 0.3
MEMORY_MB: Final = 60  # more than before the upload, with four blocks on their way


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path, str]]:
    """A localtwin in a process of its own: its id, its data, and where the content goes."""
    data = tmp_path / "data"
    command = [sys.executable, "-m", "localtwin", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        api_url = json.loads(process.stdout.readline())["api_url"]
        yield process.pid, data, _begin(api_url, data)
        process.terminate()


def test_a_large_file_streams_to_disk(server: tuple[int, Path, str], tmp_path: Path) -> None:
    """Point clouds are that large, and neither time nor memory may grow with them."""
    pid, data, url = server
    before_mb, _ = memory_mb(pid)
    used_s = processor_s(pid)
    plain, staged, joined = Stopwatch(), Stopwatch(), Stopwatch()
    with plain.timing():
        _write(tmp_path / "plain")
    (tmp_path / "plain").unlink()

    with staged.timing(), ThreadPoolExecutor(LINES) as threads:
        lines = [range(line, SIZE // BLOCK, LINES) for line in range(LINES)]
        for _ in threads.map(lambda numbers: _send(url, numbers), lines):
            pass
    _, staged_mb = memory_mb(pid)
    with joined.timing():
        _commit(url)
    _, peak_mb = memory_mb(pid)

    sent_mb_s, disk_mb_s = (SIZE / 1e6 / watch.took_s for watch in (staged, plain))
    whole_mb_s = SIZE / 1e6 / (staged.took_s + joined.took_s)
    say(
        f"2 GiB in blocks of {BLOCK >> 20} MiB on {LINES} lines",
        f"{sent_mb_s:.0f} MB/s, with the list that joins them {whole_mb_s:.0f} MB/s",
        f">= {TARGET_MB_S} MB/s",
        f"{sent_mb_s / disk_mb_s:.0%} of a plain write ({disk_mb_s:.0f} MB/s); "
        f"{(processor_s(pid) - used_s) * 1e9 / SIZE:.2f} processor s/GB",
    )
    say(
        "the server's memory meanwhile",
        f"{peak_mb - before_mb:.0f} MB more than before",
        f"<= {MEMORY_MB} MB",
        f"{staged_mb - before_mb:.0f} MB until the list; {before_mb:.0f} MB before",
    )
    contents = [file.stat().st_size for file in (data / "blobs").rglob("*") if file.is_file()]
    assert contents == [SIZE]
    assert peak_mb - before_mb <= MEMORY_MB
    assert sent_mb_s >= SHARE_OF_DISK * disk_mb_s


def _begin(api_url: str, data: Path) -> str:
    made = json.loads((data / "credentials.json").read_text("utf-8"))
    form = {"grant_type": "client_credentials", "scope": "itwin-platform"}
    with httpx.Client(base_url=api_url) as http:
        login = (made["client_id"], made["client_secret"])
        token = http.post("/connect/token", data=form, auth=login).json()["access_token"]
        root = pair_id(made["itwin_id"], made["itwin_id"])
        links = http.post(
            f"/storage/folders/{root}/files",
            json={"displayName": "cloud.dgn"},
            headers={"Authorization": f"Bearer {token}"},
        ).json()["_links"]
    url: str = links["uploadUrl"]["href"]
    return url


def _write(file: Path) -> None:
    block = os.urandom(BLOCK)
    with file.open("wb", buffering=0) as out:
        for _ in range(SIZE // BLOCK):
            out.write(block)


def _send(url: str, numbers: range) -> None:
    """Put those blocks on one connection; a bare socket, so that the client costs little."""
    target, block = urlsplit(url), os.urandom(BLOCK)
    assert target.hostname is not None
    with socket.create_connection((target.hostname, target.port or 80)) as line:
        for number in numbers:
            query = httpx.QueryParams({"comp": "block", "blockid": _id(number)})
            head = (
                f"PUT {target.path}?{target.query}&{query} HTTP/1.1\r\n"
                f"Host: {target.netloc}\r\nContent-Length: {BLOCK}\r\n\r\n"
            )
            line.sendall(head.encode("ascii"))
            line.sendall(block)
            assert line.recv(4096).startswith(b"HTTP/1.1 201 ")


def _commit(url: str) -> None:
    listed = "".join(f"<Latest>{_id(number)}</Latest>" for number in range(SIZE // BLOCK))
    answer = httpx.put(
        f"{url}&comp=blocklist", content=f"<BlockList>{listed}</BlockList>", timeout=120
    )
    assert answer.status_code == 201, answer.text


def _id(number: int) -> str:
    return base64.b64encode(f"{number:06}".encode()).decode("ascii")
