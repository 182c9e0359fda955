"""Small files into localtwin, each on the disk before its answer: what that costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx
import pytest

from localtwin.ids import pair_id
from system.programs import environment

from .figures import Stopwatch, say

pytestmark = pytest.mark.bench

FILES: Final = 400
SIZE: Final = 20_000
LINES: Final = 4
SYNCS: Final = 5  # per file: three commits, the content, and its folder
FILES_S: Final = 60  # an office's first synchronization of 10,000 files within three minutes


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A localtwin in a process of its own: its address and its data."""
    data = tmp_path / "data"
    command = [sys.executable, "-m", "localtwin", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["api_url"], data
        process.terminate()


def test_small_files_that_survive_a_power_cut(server: tuple[str, Path], tmp_path: Path) -> None:
    """A first synchronization is thousands of them; the disk must not make it endless."""
    url, data = server
    made = json.loads((data / "credentials.json").read_text("utf-8"))
    form = {"grant_type": "client_credentials", "scope": "itwin-platform"}
    login = (made["client_id"], made["client_secret"])
    token = httpx.post(f"{url}/connect/token", data=form, auth=login).json()["access_token"]
    root = pair_id(made["itwin_id"], made["itwin_id"])
    alone, together = Stopwatch(), Stopwatch()

    def send(line: int, files: int) -> None:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as http:
            for number in range(files):
                _upload(http, root, f"{line}-{number}.dgn")

    send(0, 20)
    with alone.timing():
        send(1, FILES)
    with together.timing(), ThreadPoolExecutor(LINES) as threads:
        for _ in threads.map(lambda line: send(line, FILES // LINES), range(2, 2 + LINES)):
            pass

    per_second, on_lines = FILES / alone.took_s, FILES / together.took_s
    syncs_s = _syncs_s(tmp_path / "plain")
    say(
        f"files of {SIZE // 1000} kB, each on the disk before its answer",
        f"{per_second:.0f} files/s, {on_lines:.0f} on {LINES} lines",
        f">= {FILES_S} files/s",
        f"the disk alone does {syncs_s / SYNCS:.0f} times {SYNCS} syncs a second",
        is_met=per_second >= FILES_S,
    )


def _upload(http: httpx.Client, root: str, name: str) -> None:
    made = http.post(f"/storage/folders/{root}/files", json={"displayName": name})
    links = made.json()["_links"]
    target = links["uploadUrl"]["href"]
    headers = {"x-ms-blob-type": "BlockBlob"}
    http.put(target, content=bytes(SIZE), headers=headers).raise_for_status()
    http.post(links["completeUrl"]["href"]).raise_for_status()


def _syncs_s(file: Path) -> float:
    """Return how many small writes a second the disk keeps, one after the other."""
    took = Stopwatch()
    with file.open("wb", buffering=0) as out, took.timing():
        for _ in range(200):
            out.write(bytes(4096))
            os.fsync(out.fileno())
    return 200 / took.took_s
