"""Crashes between any two steps: the service ends with what the file has; little is repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from bulk_scene import table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinsyncd.cloud.bulk_api import Counts
from twinsyncd.journal.database import open_database
from twinsyncd.journal.delivered import DeliveredRecords
from twinsyncd.targets.bulk.delivery import Delivery
from twinsyncd.targets.bulk.mapping import RowMapping, RowReader
from twinsyncd.targets.bulk.snapshot import Snapshot
from twinsyncd.targets.bulk.summary import Summary
from twinsyncd.targets.bulk.tables import Table

COMPANY = "0a1b2c3d-1111-4222-8333-444455556666"
READER = RowReader(
    RowMapping(
        "pieces",
        COMPANY,
        {"piece_id": "part", "outer_length": "length"},
        {"guid": ("part",), "project_guid": ("project",), "component_guid": ("component",)},
    )
)


class Crash(BaseException):
    """The process ends here; what is durable stays."""


class Fuse:
    """Crashes at one of the moments before and after the calls that are made through it."""

    def __init__(self, moments: int | None) -> None:
        self.left = moments

    def burn(self) -> None:
        """Let a moment pass."""
        if self.left is not None:
            if not self.left:
                raise Crash
            self.left -= 1

    def through(self, inner: Any) -> Any:
        """Return `inner`, whose calls burn the fuse before and after their effect."""
        return _Fused(inner, self)


class _Fused:
    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Callable[..., Any]:
        act = getattr(self._inner, name)

        def call(*arguments: Any) -> Any:
            self._fuse.burn()
            result = act(*arguments)
            self._fuse.burn()
            return result

        return call


class Service:
    """Keeps records by GUID; with `snapshot` a request replaces all of them."""

    def __init__(self, *, snapshot: bool = False) -> None:
        self.snapshot = snapshot
        self.records: dict[str, float] = {}
        self.sent: list[list[str]] = []

    def upsert(self, _entity: str, records: Sequence[dict[str, Any]]) -> Counts:
        """Take them all."""
        lengths = {record["piece_id"]: record["outer_length"] for record in records}
        self.sent.append(list(lengths))
        known = len(lengths.keys() & self.records.keys())
        self.records = lengths if self.snapshot else self.records | lengths
        return Counts(len(lengths) - known, known)


class Scene:
    """A file, a journal and a service."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "pieces.csv"
        self.engine = open_database(folder / "journal.sqlite")
        self.names = (f"connection {number}" for number in count())

    def deliver(self, name: str, service: Service, data: str, fuse: Fuse) -> Summary:
        """Deliver the file's content as a process that has just started does."""
        self.file.write_text(data)
        rows = Table(self.file, ".csv", READER.mapping.wanted())
        delivered = fuse.through(DeliveredRecords(self.engine))
        reached = fuse.through(service)
        if service.snapshot:
            snapshot = Snapshot(name, READER, rows, delivered, reached)
            return snapshot.deliver(lambda _leaving: None, lambda: None)
        return Delivery(name, READER, rows, delivered, reached).deliver()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One journal for all examples; each has a connection of its own."""
    made = Scene(tmp_path_factory.mktemp("crashes"))
    yield made
    made.engine.dispose()


_EXPORT = st.dictionaries(st.sampled_from("ab"), st.integers(0, 1))
_MOMENTS = st.sampled_from([None, None, *range(10)])
_HISTORY = st.lists(st.tuples(_EXPORT, _MOMENTS), min_size=2, max_size=5)


@pytest.mark.parametrize("snapshot", [False, True])
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=_HISTORY)
def test_after_any_edits_and_crashes_the_service_has_what_the_file_has(
    scene: Scene, history: list[tuple[dict[str, int], int | None]], *, snapshot: bool
) -> None:
    """Rows come, change, go and come back; the last content counts, whatever was interrupted."""
    name, service = next(scene.names), Service(snapshot=snapshot)
    for export, moments in history:
        with suppress(Crash):
            scene.deliver(name, service, table(**export), Fuse(moments))

    last = history[-1][0]
    scene.deliver(name, service, table(**last), Fuse(None))

    held = service.records if snapshot else {part: service.records[part] for part in last}
    assert held == last
    requests = len(service.sent)
    again = scene.deliver(name, service, table(**last), Fuse(None))
    assert (again.changed, len(service.sent)) == (0, requests)


@pytest.mark.parametrize("is_update", [False, True])
def test_a_crash_repeats_one_batch_at_most(scene: Scene, *, is_update: bool) -> None:
    """At whatever moment it comes, also while the records are changed and not new."""
    rows = [f"p{number}" for number in range(2001)]
    crashed = 0
    for moments in count():
        name, service = next(scene.names), Service()
        if is_update:
            scene.deliver(name, service, table(**dict.fromkeys(rows, 1)), Fuse(None))
            service.sent.clear()
        new = table(**dict.fromkeys(rows, 2))
        try:
            scene.deliver(name, service, new, Fuse(moments * 3))
        except Crash:
            crashed += 1
        else:
            break
        before = [part for batch in service.sent for part in batch]
        service.sent.clear()

        scene.deliver(name, service, new, Fuse(None))

        repeated = set(before) & {part for batch in service.sent for part in batch}
        assert len(repeated) <= 1000
        assert service.records == dict.fromkeys(rows, 2)
    assert crashed >= 4
