"""A 2 GiB file into localtwin: as quick as the disk and the MD5 let it be, in bounded memory."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

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
SHARE_OF_HASH: Final = 0.4  # the client, receiving and writing share the processors with it
MEMORY_MB: Final = 60  # more than before the upload, with four blocks on their way


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path, str]]:
    """A localtwin in a process of its own: its id, its data, and where the content goes."""
    with localtwin_for_uploads(tmp_path / "data") as (pid, api_url):
        data = tmp_path / "data"
        yield pid, data, begin_upload(api_url, data)


@contextmanager
def localtwin_for_uploads(data: Path) -> Iterator[tuple[int, str]]:
    """Yield the process and the address of a localtwin."""
    command = [sys.executable, "-m", "localtwin", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        api_url = json.loads(process.stdout.readline())["api_url"]
        try:
            yield process.pid, api_url
        finally:
            process.terminate()


def test_a_large_file_streams_to_disk(server: tuple[int, Path, str], tmp_path: Path) -> None:
    """Point clouds are that large, and neither time nor memory may grow with them."""
    pid, data, url = server
    before_mb, _ = memory_mb(pid)
    used_s = processor_s(pid)
    disk_mb_s = _plain_mb_s(tmp_path / "plain")
    sent, listed, joined = Stopwatch(), Stopwatch(), Stopwatch()

    with sent.timing(), ThreadPoolExecutor(LINES) as threads:
        lines = [range(line, SIZE // BLOCK, LINES) for line in range(LINES)]
        for _ in threads.map(lambda numbers: _send(url, numbers), lines):
            pass
    used_s = processor_s(pid) - used_s
    with listed.timing():
        _commit(url)
    with joined.timing():
        length = _first_byte(url)
    _, peak_mb = memory_mb(pid)

    sent_mb_s, whole_mb_s = (SIZE / 1e6 / s for s in (sent.took_s, sent.took_s + listed.took_s))
    say(
        f"2 GiB in blocks of {BLOCK >> 20} MiB on {LINES} lines",
        f"{whole_mb_s:.0f} MB/s with the list that makes them a content",
        f">= {TARGET_MB_S} MB/s",
        f"{whole_mb_s / disk_mb_s:.0%} of a plain write ({disk_mb_s:.0f} MB/s); blocks alone "
        f"{sent_mb_s:.0f} MB/s, {used_s * 1e9 / SIZE:.2f} processor s/GB; "
        f"one file {joined.took_s:.1f} s after the list",
        is_met=whole_mb_s >= TARGET_MB_S,
    )
    _say_memory(before_mb, peak_mb)
    assert length == SIZE
    assert [file.stat().st_size for file in (data / "blobs").rglob("*") if file.is_file()] == [SIZE]


def test_a_large_file_in_one_request(server: tuple[int, Path, str], tmp_path: Path) -> None:
    """Its MD5, which the answer tells, is computed beside receiving and not after it."""
    pid, data, url = server
    before_mb, _ = memory_mb(pid)
    used_s = processor_s(pid)
    disk_mb_s = _plain_mb_s(tmp_path / "plain")
    hash_mb_s = _hash_mb_s()
    put = Stopwatch()

    with put.timing():
        _put(_newer(url, data))
    used_s = processor_s(pid) - used_s
    _, peak_mb = memory_mb(pid)

    put_mb_s = SIZE / 1e6 / put.took_s
    say(
        "2 GiB in one request, with its MD5",
        f"{put_mb_s:.0f} MB/s",
        f">= {SHARE_OF_HASH:.0%} of computing the MD5 ({hash_mb_s:.0f} MB/s)",
        f"{put_mb_s / hash_mb_s:.0%} of it, {put_mb_s / disk_mb_s:.0%} of a plain write "
        f"({disk_mb_s:.0f} MB/s); {used_s * 1e9 / SIZE:.2f} processor s/GB",
        is_met=put_mb_s >= SHARE_OF_HASH * hash_mb_s,
    )
    _say_memory(before_mb, peak_mb)
    assert [file.stat().st_size for file in (data / "blobs").rglob("*") if file.is_file()] == [SIZE]


def _say_memory(before_mb: float, peak_mb: float) -> None:
    say(
        "the server's memory meanwhile",
        f"{peak_mb - before_mb:.0f} MB more than before",
        f"<= {MEMORY_MB} MB",
        f"{before_mb:.0f} MB before",
        is_met=peak_mb - before_mb <= MEMORY_MB,
    )


def begin_upload(api_url: str, data: Path) -> str:
    """Create a file and return its upload URL."""
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


def _plain_mb_s(file: Path) -> float:
    """Return how quickly one program alone writes as much to the same disk."""
    block, plain = os.urandom(BLOCK), Stopwatch()
    with plain.timing(), file.open("wb", buffering=0) as out:
        for _ in range(SIZE // BLOCK):
            out.write(block)
    file.unlink()
    return SIZE / 1e6 / plain.took_s


def _hash_mb_s() -> float:
    """Return how quickly one processor computes an MD5."""
    block, digest, hashing = os.urandom(BLOCK), hashlib.md5(usedforsecurity=False), Stopwatch()
    with hashing.timing():
        for _ in range(SIZE // BLOCK):
            digest.update(block)
    return SIZE / 1e6 / hashing.took_s


def _newer(url: str, data: Path) -> str:
    """Return a URL signed for a version of the blob service that takes such bodies at once."""
    parts = urlsplit(url)
    signed = dict(parse_qsl(parts.query)) | {"sv": "2019-12-12"}
    text = "\n".join([parts.path, *(signed[name] for name in ("sv", "sr", "se", "sp", "rscd"))])
    digest = hmac.digest((data / "url.key").read_bytes(), text.encode("utf-8"), "sha256")
    signed["sig"] = base64.b64encode(digest).decode("ascii")
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(signed)}"


def _put(url: str) -> None:
    """Put it all on one connection; a bare socket, so that the client costs little."""
    target, block = urlsplit(url), os.urandom(BLOCK)
    assert target.hostname is not None
    with socket.create_connection((target.hostname, target.port or 80)) as line:
        head = (
            f"PUT {target.path}?{target.query} HTTP/1.1\r\nHost: {target.netloc}\r\n"
            f"x-ms-blob-type: BlockBlob\r\nContent-Length: {SIZE}\r\n\r\n"
        )
        line.sendall(head.encode("ascii"))
        for _ in range(SIZE // BLOCK):
            line.sendall(block)
        assert line.recv(4096).startswith(b"HTTP/1.1 201 ")


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


def _first_byte(url: str) -> int:
    """Wait until the content is one file, and return its length."""
    answer = httpx.get(url, headers={"Range": "bytes=0-0"}, timeout=120)
    return int(answer.headers["content-range"].rpartition("/")[2])


def _id(number: int) -> str:
    return base64.b64encode(f"{number:06}".encode()).decode("ascii")
