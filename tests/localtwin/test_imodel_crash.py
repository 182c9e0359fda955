"""A process that dies at any moment leaves the iModel as before or as after."""

import subprocess
import sys
from pathlib import Path

import pytest
from imodel_scene import Scene, plan, replayed, source, tables

from localtwin.imodel.changeset import changeset_id, revert_changeset
from localtwin.imodel.read import last_changeset, last_report
from localtwin.imodel.report import JobOrder, order_to_json
from localtwin.world.synchronization.worker.job import run_job

# SQLite's own hooks name the moment exactly; the process then ends as by `kill -9`.
DYING = """
import os, sys
import apsw
from localtwin.imodel.report import order_from_json
from localtwin.world.synchronization.worker.job import run_job

def die(*_):
    os.kill(os.getpid(), 9)

def arm(database):
    moment, _, number = sys.argv[1].partition(" ")
    writes = iter(range(int(number or 0)))
    match moment:
        case "write":
            database.set_update_hook(lambda *_: next(writes, None) is None and die())
        case "commit":
            database.set_commit_hook(die)
        case "committed":
            database.set_wal_hook(die)

apsw.connection_hooks.append(arm)
run_job(order_from_json(sys.stdin.read()))
"""


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """An iModel that holds a drawing; taking it out again is the job to die in."""
    scene = Scene(tmp_path)
    plan(tmp_path / "plan.dxf")
    scene.run(source(tmp_path / "plan.dxf"))
    return scene


def unmapping(scene: Scene) -> JobOrder:
    return scene.order(source(scene.folder / "plan.dxf", action="unmap"))


def dies(order: JobOrder, moment: str) -> None:
    """Run the job in a process of its own that is killed at `moment`."""
    died = subprocess.run(
        [sys.executable, "-c", DYING, moment],
        input=order_to_json(order).encode(),
        capture_output=True,
        check=False,
    )
    assert died.returncode != 0
    assert died.stderr == b""


@pytest.mark.parametrize("moment", ["write 0", "write 9", "commit"])
def test_a_kill_before_the_commit_leaves_the_imodel_as_before(scene: Scene, moment: str) -> None:
    """Power cuts happen; half a run in the iModel would be worse than none."""
    before, name = tables(scene.imodel), last_changeset(scene.imodel)
    order = unmapping(scene)

    dies(order, moment)

    assert last_changeset(scene.imodel) == name
    assert tables(scene.imodel) == before
    written = {file.name for file in order.changesets.iterdir() if not file.suffix}
    assert len(written - {file.name for file in scene.changesets}) == (moment == "commit")


def test_a_kill_after_the_commit_leaves_a_whole_changeset_and_its_report(scene: Scene) -> None:
    """The run did happen, so its result must be available afterwards."""
    before, parent_id = tables(scene.imodel), last_changeset(scene.imodel)
    order = unmapping(scene)

    dies(order, "committed")

    newest = last_changeset(scene.imodel)
    assert newest == changeset_id(order.changesets / newest, parent_id)
    report = last_report(scene.imodel)
    assert report is not None
    assert report.sources[0].deleted == len(before["bis_Element"])
    assert tables(scene.imodel)["bis_Element"] == []


def test_a_job_repeated_after_a_kill_ends_as_if_nothing_had_happened(scene: Scene) -> None:
    """Recovery is the same job again; there is no other repair."""
    order = unmapping(scene)
    dies(order, "write 9")

    report = run_job(order)

    (changeset,) = report.changesets
    assert report.sources[0].deleted == changeset.deleted > 0
    revert_changeset(scene.imodel, order.changesets / changeset.id)
    assert tables(scene.imodel) == replayed(scene.folder / "calm.bim", scene.changesets)
    assert [*order.changesets.glob("*.part")] == []
