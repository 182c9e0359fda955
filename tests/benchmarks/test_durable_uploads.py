"""Small files into localtwin, each on the disk before its answer: what that costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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
TIMES: Final = 4.0  # an office's first synchronization must not become another thing
FORGETFUL: Final = """
import os, runpy
from sqlalchemy import event
from sqlalchemy.pool import Pool

os.fsync = lambda _descriptor: None
event.listen(Pool, "checkout", lambda sqlite, *_: sqlite.execute("PRAGMA synchronous=OFF"))
runpy.run_module("localtwin", run_name="__main__")
"""
"""A localtwin that waits for no disk, to compare with."""


@contextmanager
def serving(data: Path, *program: str) -> Iterator[str]:
    """Yield the address of a localtwin in a process of its own."""
    command = [sys.executable, *program, "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["api_url"]
        process.terminate()


def test_small_files_that_survive_a_power_cut(tmp_path: Path) -> None:
    """A first synchronization is thousands of them; the disk must not make it endless."""
    with serving(tmp_path / "durable", "-m", "localtwin") as url:
        per_second, on_lines = _rates(url, tmp_path / "durable")
    with serving(tmp_path / "forgetful", "-c", FORGETFUL) as url:
        without, without_on_lines = _rates(url, tmp_path / "forgetful")
    times, times_on_lines = without / per_second, without_on_lines / on_lines
    syncs_s = _syncs_s(tmp_path / "plain")
    say(
        f"files of {SIZE // 1000} kB, each on the disk before its answer",
        f"{per_second:.0f} files/s, {on_lines:.0f} on {LINES} lines",
        f"<= {TIMES:g} times the time of a server that waits for no disk",
        f"{times:.1f} times, {times_on_lines:.1f} on {LINES} lines; "
        f"the disk alone does {syncs_s / SYNCS:.0f} times {SYNCS} syncs a second",
        is_met=max(times, times_on_lines) <= TIMES,
    )


def _rates(url: str, data: Path) -> tuple[float, float]:
    """Return how many files a second one line uploads, and several together."""
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

    return FILES / alone.took_s, FILES / together.took_s


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
