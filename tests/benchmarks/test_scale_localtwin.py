"""A city in localtwin: 1,000 connections, 100,000 files, 10,000 runs; pages stay quick."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Final

import httpx
import pytest

from localtwin.serve import Ready, Settings, serving
from localtwin.world.world import World

from .figures import Stopwatch, say
from .worlds import Filled, Size, fill

pytestmark = pytest.mark.bench

FULL: Final = Size(files=100_000, imodels=60, connections=1_000, runs=10_000)
SMALL: Final = Size(files=1_000, imodels=60, connections=110, runs=1_000)  # fills each page
TIMES: Final = 15
FLAT: Final = 3.0  # what a page may cost in the full world, in times of the small one
OPEN_S: Final = 3.0
HERE: Final = {"Host": "127.0.0.1"}


class Visitor:
    """A signed-in client of one world, on a socket as every client is."""

    def __init__(self, there: Filled, ready: Ready) -> None:
        self.there = there
        self._http = httpx.Client(base_url=ready.api_url)
        form = {"grant_type": "client_credentials", "scope": "itwin-platform"}
        login = (ready.client_id, ready.client_secret)
        token = self._http.post("/connect/token", data=form, auth=login).json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        self._http.close()

    def paths(self) -> dict[str, str]:
        """Return what is asked for: the first page, the last one, and one item, of everything."""
        there, size = self.there, self.there.size
        files = size.files // 2
        folder = f"/storage/folders/{there.crowded_folder}"
        connections = "/synchronization/imodels/storageconnections"
        one = f"{connections}/{there.connection_id}"
        return {
            "files of a folder, first page": f"{folder}/files?$top=100",
            "files of a folder, last page": f"{folder}/files?$top=100&$skip={files - 100}",
            "folders and files of the root": f"/storage/folders/{there.root}/list?$top=10",
            "one file": f"/storage/files/{there.some_file}",
            "iModels": f"/imodels?iTwinId={there.itwin_id}&$top=10",
            "connections of an iModel": f"{connections}?imodelId={there.imodel_id}&$top=5",
            "connections, last page": f"{connections}?imodelId={there.imodel_id}&$top=5"
            f"&$skip={size.connections // 2 - 5}",
            "source files": f"{one}/sourcefiles?$top=100",
            "source files, last page": f"{one}/sourcefiles?$top=100&$skip={files - 100}",
            "runs": f"{one}/runs?$top=50",
            "runs, last page": f"{one}/runs?$top=50&$skip={size.runs // 2 - 50}",
            "one run": f"{one}/runs/{there.run_id}",
            "changesets": f"/imodels/{there.imodel_id}/changesets?$top=100",
            "changesets, last page": f"/imodels/{there.imodel_id}/changesets?$top=100"
            f"&$skip={size.runs - 100}",
            "the page for people": "/",
            "an iModel's page for people": f"/view/{there.imodel_id}",
        }

    def ask(self, path: str) -> float:
        """Return how long the quickest of several answers took [s]."""
        watch = Stopwatch()
        for _ in range(TIMES):
            with watch.timing():
                answer = self._http.get(path)
            assert answer.status_code == 200, answer.text
        return watch.took_s


@pytest.fixture(scope="module")
def visitors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Visitor, Visitor]]:
    """One client of a small world and one of a full one."""
    small, full = (fill(tmp_path_factory.mktemp(n), s) for n, s in (("s", SMALL), ("f", FULL)))
    with serving(Settings(small.folder)) as first, serving(Settings(full.folder)) as second:
        both = Visitor(small, first), Visitor(full, second)
        yield both
        for visitor in both:
            visitor.close()


def test_pages_stay_flat(visitors: tuple[Visitor, Visitor]) -> None:
    """An office that rehearses with its whole archive must not find the platform slow."""
    small, full = visitors
    for what, path in small.paths().items():
        few_s, many_s = small.ask(path), full.ask(full.paths()[what])
        ratio = many_s / few_s
        say(
            what,
            f"{many_s * 1000:.1f} ms",
            f"<= {FLAT} x",
            f"{ratio:.1f} x the same in a world with a hundredth of the files",
            is_met=ratio <= FLAT,
        )


def test_a_full_world_opens_quickly(tmp_path: Path) -> None:
    """Starting tidies up what a crash left; it must not take as long as a coffee."""
    there = fill(tmp_path, FULL)
    began_s = perf_counter()

    World(there.folder).close()

    took_s = perf_counter() - began_s
    say(
        "opening a full world",
        f"{took_s:.2f} s",
        f"<= {OPEN_S:.0f} s",
        f"{FULL.files:,} files in Storage",
        is_met=took_s <= OPEN_S,
    )
