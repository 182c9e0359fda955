"""Runs through the API: locks, results, changesets, crashes, restarts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from platform_scene import Clock, Platform, error_of, expect, opened

from localtwin.errors import Conflict
from localtwin.faults import Fault, Switch
from localtwin.world.blobs.contents import Contents
from localtwin.world.database import Database
from localtwin.world.synchronization.frozen_inputs import FrozenInputs, Order
from localtwin.world.synchronization.runs import AlreadyActive, Runs, Started
from localtwin.world.synchronization.task_results import task_periods
from localtwin.world.synchronization.worker.process import WorkerProcess
from localtwin.world.world import World

pytest_plugins = ["platform_fixtures"]

CONNECTIONS = "/synchronization/imodels/storageconnections"


def test_each_file_of_a_run_has_a_changeset_joined_with_its_task(platform: Platform) -> None:
    """The changeset, joined with the task, is the proof that a file's content got in."""
    imodel = platform.new_imodel()
    wall, roof = platform.upload("wall.ifc", b"a\nb"), platform.upload("roof.ifc", b"c")
    connection = platform.connect(imodel, wall, roof)

    run = platform.run(connection)

    first, second = platform.changesets(imodel)
    [job] = run["jobs"]
    assert (run["state"], run["result"], run["phase"]) == ("Completed", "Success", "MasterFile")
    assert [task["storageFileId"] for task in job["tasks"]] == [wall, roof]
    assert [first["index"], second["index"]] == [1, 2]
    assert (first["parentId"], second["parentId"]) == ("", first["id"])
    assert first["description"] == "Office - 2 inserted, 0 updated, 0 deleted"
    assert [each["synchronizationInfo"] for each in (first, second)] == [
        {"taskId": job["tasks"][0]["id"], "changedFiles": ["wall.ifc"]},
        {"taskId": job["tasks"][1]["id"], "changedFiles": ["roof.ifc"]},
    ]


def test_a_run_without_changes_succeeds_and_writes_no_changeset(platform: Platform) -> None:
    """Unchanged sources are not processed, so there is nothing to push."""
    imodel = platform.new_imodel()
    connection = platform.connect(imodel, platform.upload("wall.ifc", b"a"))
    platform.run(connection)

    run = platform.run(connection)

    (task,) = run["jobs"][0]["tasks"]
    assert (run["result"], task["result"]) == ("Success", "Success")
    assert task["details"]["synchronizationReport"]["message"] == "No changes"
    assert len(platform.changesets(imodel)) == 1


def test_unchanged_files_are_skipped_only_when_a_fault_says_so(platform: Platform) -> None:
    """Public clients show a skipped task as running for ever; ours must survive it."""
    connection = platform.connect(platform.new_imodel(), platform.upload("wall.ifc", b"a"))
    platform.run(connection)
    platform.world.faults.add(Switch(Fault.SKIPPED_FILE, times=1))

    skipped, again = platform.run(connection), platform.run(connection)

    assert [run["jobs"][0]["tasks"][0]["result"] for run in (skipped, again)] == [
        "Skipped",
        "Success",
    ]
    assert skipped["result"] == "Success"


def test_runs_are_listed_newest_first(platform: Platform) -> None:
    """A public client takes the first of the list for the last run; lastRun names the same."""
    connection = platform.connect(platform.new_imodel(), platform.upload("wall.ifc", b"a"))
    first, second = platform.run(connection), platform.run(connection)

    listed = expect(platform.get(f"{CONNECTIONS}/{connection}/runs"), 200)["runs"]
    shown = expect(platform.get(f"{CONNECTIONS}/{connection}"), 200)["connection"]

    assert [run["id"] for run in listed] == [second["id"], first["id"]]
    assert shown["_links"]["lastRun"]["href"].endswith(second["id"])


@pytest.mark.parametrize(
    ("durations_s", "minutes"),
    [
        ([60.0, 120.0], [(7, 8), (8, 10)]),
        ([0.0, 0.0], [(10, 10), (10, 10)]),
        ([600.0, 60.0], [(5, 10), (10, 10)]),
    ],
    ids=["one after the other", "no time", "a clock that runs ahead"],
)
def test_tasks_have_periods_of_their_own(
    durations_s: list[float], minutes: list[tuple[int, int]]
) -> None:
    """With one period for all nobody can say which file makes a run slow."""
    hour = datetime(2026, 3, 1, 12, tzinfo=UTC)
    at = [hour + timedelta(minutes=minute) for minute in range(11)]

    periods = task_periods(at[5], at[10], durations_s)

    assert periods == [(at[start], at[end]) for start, end in minutes]


def test_a_task_error_says_each_thing_once(platform: Platform) -> None:
    """One long sentence three times makes a person look for the difference."""
    connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"bad"))

    (task,) = platform.run(connection)["jobs"][0]["tasks"]
    said = [task["error"][name] for name in ("message", "description", "details")]

    assert len(set(said)) == len(said)


def test_a_changed_file_makes_the_next_changeset_on_top(platform: Platform) -> None:
    """The history of an iModel is a chain."""
    imodel = platform.new_imodel()
    wall = platform.upload("wall.ifc", b"a\nb")
    connection = platform.connect(imodel, wall)
    platform.run(connection)
    platform.replace(wall, b"a\nc")

    platform.run(connection)

    first, second = platform.changesets(imodel)
    assert (second["index"], second["parentId"]) == (2, first["id"])
    assert second["description"] == "Office - 1 inserted, 0 updated, 1 deleted"


def test_one_bad_file_does_not_hold_up_the_others(platform: Platform) -> None:
    """A run reports per file, with the error a person can act on."""
    good, bad = platform.upload("wall.ifc", b"a"), platform.upload("bad.ifc", b"bad")
    connection = platform.connect(platform.new_imodel(), good, bad)

    run = platform.run(connection)

    first, second = run["jobs"][0]["tasks"]
    assert (run["result"], first["result"], second["result"]) == (
        "PartialSuccess",
        "Success",
        "Error",
    )
    assert second["error"]["errorCode"] == "FileUnreadable"
    assert second["error"]["canUserFix"] is True
    assert second["details"]["synchronizationReport"]["totalErrorsCount"] == 1


def test_a_file_deleted_from_storage_fails_alone(platform: Platform) -> None:
    """The connection still names it; only its own task can say that it is gone."""
    kept, gone = platform.upload("wall.ifc", b"a"), platform.upload("roof.ifc", b"b")
    connection = platform.connect(platform.new_imodel(), kept, gone)
    expect(platform.delete(f"/storage/files/{gone}"), 204)

    run = platform.run(connection)

    assert run["result"] == "PartialSuccess"
    assert [task["result"] for task in run["jobs"][0]["tasks"]] == ["Success", "Error"]


def test_there_is_one_job_for_each_connector_type(platform: Platform) -> None:
    """Clients read the connector from the job, not from the task."""
    imodel = platform.new_imodel()
    connection = platform.connect(imodel, platform.upload("a.ifc", b"a"))
    dwg = {"storageFileId": platform.upload("b.dwg", b"b"), "connectorType": "DWG"}
    expect(platform.post(f"{CONNECTIONS}/{connection}/sourcefiles", json=dwg), 201)

    run = platform.run(connection)

    assert [(job["connectorType"], len(job["tasks"])) for job in run["jobs"]] == [
        ("DWG", 1),
        ("IFC", 1),
    ]


def test_a_second_start_on_the_imodel_is_shown_the_active_run(world: World) -> None:
    """303 starts nothing: the active run may belong to another connection."""
    with Platform(world) as platform:  # nothing carries runs out, so the first stays active
        imodel = platform.new_imodel()
        mine = platform.connect(imodel, platform.upload("a.ifc", b"a"))
        theirs = platform.connect(imodel, platform.upload("b.ifc", b"b"))
        first = platform.post(f"{CONNECTIONS}/{theirs}/run")

        second = platform.post(f"{CONNECTIONS}/{mine}/run")

        runs = expect(platform.get(f"{CONNECTIONS}/{mine}/runs"), 200)["runs"]
    assert (first.status_code, second.status_code) == (202, 303)
    assert second.headers["location"] == first.headers["location"]
    assert "content-type" not in first.headers
    assert runs == []


def test_connections_of_both_kinds_share_the_lock_of_their_imodel(world: World) -> None:
    """The address of the active run has to lead to it, whatever its kind."""
    manifests = CONNECTIONS.replace("storage", "manifest")
    with Platform(world) as platform:
        imodel = platform.new_imodel()
        storage = platform.connect(imodel, platform.upload("a.ifc", b"a"))
        body = {"iModelId": imodel, "sourceFiles": [{"sourceFileId": "W"}]}
        made = expect(platform.post(manifests, json=body), 201)["connection"]["id"]
        file = {"id": "W", "name": "w.ifc", "url": "http://localhost/w", "connectorType": "IFC"}
        first = platform.post(f"{manifests}/{made}/runs", json={"sourceFiles": [file]})

        second = platform.post(f"{CONNECTIONS}/{storage}/run")
        third = platform.post(f"{manifests}/{made}/runs", json={"sourceFiles": [file]})

        active = expect(platform.get(second.headers["location"]), 200)["run"]
    assert [each.status_code for each in (first, second, third)] == [202, 303, 303]
    assert {each.headers["location"] for each in (second, third)} == {first.headers["location"]}
    assert (active["connectionId"], active["state"]) == (made, "Queued")


class Stalling(FrozenInputs):
    """Freezes nothing before `released` is set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(Contents(folder / "blobs"), folder / "stalled")
        self.reached, self.released = Event(), Event()

    def copy(self, *args: Any) -> list[tuple[Order, str | None]]:
        """Wait, and copy."""
        self.reached.set()
        self.released.wait(10)
        return super().copy(*args)


def test_of_simultaneous_starts_only_the_first_is_processed(world: World) -> None:
    """The other one is refused at once instead of waiting for a big copy."""
    with Platform(world) as platform:
        connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"a"))
    frozen_inputs = Stalling(world.folder)
    database = Database(world.folder / "world.sqlite")
    runs = Runs(database, frozen_inputs, world.clock)
    first: list[Started | AlreadyActive] = []
    thread = Thread(target=lambda: first.append(runs.start("storage", connection)))
    thread.start()
    frozen_inputs.reached.wait(10)

    with pytest.raises(Conflict, match="IModelAlreadyProcessingRequest"):
        runs.start("storage", connection)

    frozen_inputs.released.set()
    thread.join()
    again = runs.start("storage", connection)
    database.close()
    assert isinstance(first[0], Started)
    assert isinstance(again, AlreadyActive)
    assert again.run_id == first[0].run_id


def test_runs_of_two_imodels_do_not_wait_for_each_other(world: World) -> None:
    """The lock is per iModel."""
    with Platform(world) as platform:
        one = platform.connect(platform.new_imodel("one"), platform.upload("a.ifc", b"a"))
        two = platform.connect(platform.new_imodel("two"), platform.upload("b.ifc", b"b"))

        answers = [platform.post(f"{CONNECTIONS}/{each}/run").status_code for each in (one, two)]

    assert answers == [202, 202]


def test_a_run_reads_what_was_stored_when_it_started(world: World) -> None:
    """Content uploaded during a run belongs to the next one."""
    with Platform(world) as platform:
        wall = platform.upload("wall.ifc", b"before")
        connection = platform.connect(platform.new_imodel(), wall)
        started = platform.post(f"{CONNECTIONS}/{connection}/run")
        platform.replace(wall, b"bad")

        world.start()
        world.executor.drain()

        run = expect(platform.get(started.headers["location"]), 200)["run"]
    assert run["result"] == "Success"


def test_the_companions_of_a_shapefile_are_read_with_it(platform: Platform) -> None:
    """Attributes are in the .dbf; an edit there leaves the .shp as it is and must still get in."""
    imodel = platform.new_imodel()
    shapes = platform.upload("Roads.SHP", b"shape 1\n")
    rows = platform.upload("roads.dbf", b"row 1\n")
    platform.upload("rivers.dbf", b"of another shapefile\n")
    platform.upload("roads.dwg", b"of another format\n")
    connection = platform.connect(imodel, shapes, connector="GEOSPATIAL")
    platform.run(connection)
    platform.replace(rows, b"row 1\nrow 2\n")

    platform.run(connection)

    first, second = platform.changesets(imodel)
    assert first["description"] == "Office - 2 inserted, 0 updated, 0 deleted"
    assert second["description"] == "Office - 1 inserted, 0 updated, 0 deleted"


def test_a_connection_with_an_active_run_cannot_be_deleted(world: World) -> None:
    """The run would lose what it belongs to."""
    with Platform(world) as platform:
        connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"a"))
        platform.post(f"{CONNECTIONS}/{connection}/run")

        answer = platform.delete(f"{CONNECTIONS}/{connection}")

    assert error_of(answer) == (409, "ConnectionAlreadyInUse", set())


def test_a_crash_of_the_connector_ends_only_the_run(platform: Platform) -> None:
    """Parsers of foreign formats crash; the server and the lock must not care."""
    crashing = platform.upload("a.ifc", b"crash")
    connection = platform.connect(platform.new_imodel(), crashing)

    crashed = platform.run(connection)
    platform.replace(crashing, b"fine")
    after = platform.run(connection)

    assert (crashed["result"], crashed["error"]) == ("Error", None)
    assert [task["error"]["errorCode"] for task in crashed["jobs"][0]["tasks"]] == [
        "ConnectorCrashed"
    ]
    assert after["result"] == "Success"


def test_a_file_that_crashes_its_reader_does_not_hold_up_the_others(platform: Platform) -> None:
    """One damaged drawing among two hundred must not keep the office from synchronizing."""
    imodel = platform.new_imodel()
    names = {"a.ifc": b"crash", "b.ifc": b"wall", "c.ifc": b"crash", "d.ifc": b"door"}
    files = [platform.upload(name, content) for name, content in names.items()]

    run = platform.run(platform.connect(imodel, *files))

    results = {task["storageFileId"]: task["result"] for task in run["jobs"][0]["tasks"]}
    assert run["result"] == "PartialSuccess"
    assert [results[file] for file in files] == ["Error", "Success", "Error", "Success"]
    changed = [each["synchronizationInfo"]["changedFiles"] for each in platform.changesets(imodel)]
    assert changed == [["b.ifc"], ["d.ifc"]]


def test_a_file_that_wants_too_much_memory_fails_alone(tmp_path: Path) -> None:
    """The computer is the user's, who works on it meanwhile."""
    with opened(tmp_path, memory_bytes=2 << 30) as world, Platform(world) as platform:
        greedy, modest = platform.upload("a.ifc", b"greedy"), platform.upload("b.ifc", b"wall")
        connection = platform.connect(platform.new_imodel(), greedy, modest)
        world.start()

        run = platform.run(connection)

    tasks = {task["storageFileId"]: task for task in run["jobs"][0]["tasks"]}
    assert (run["result"], tasks[modest]["result"]) == ("PartialSuccess", "Success")
    assert tasks[greedy]["error"]["message"].startswith("MemoryError")


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that does not wait long for a file to be read."""
    with opened(tmp_path_factory.mktemp("hasty"), file_s=0.5) as world, Platform(world) as found:
        world.start()
        yield found


def test_a_file_whose_reader_never_ends_does_not_hold_up_the_others(hasty: Platform) -> None:
    """A parser in a loop is as common as one that crashes, and nobody is there to stop it."""
    names = {"a.ifc": b"hang", "b.ifc": b"wall", "c.ifc": b"hang", "d.ifc": b"bad"}
    files = [hasty.upload(name, content) for name, content in names.items()]
    connection = hasty.connect(hasty.new_imodel(), *files)
    door = {"storageFileId": hasty.upload("e.dwg", b"door"), "connectorType": "DWG"}
    expect(hasty.post(f"{CONNECTIONS}/{connection}/sourcefiles", json=door), 201)

    run = hasty.run(connection)

    drawings, models = run["jobs"]
    assert (run["result"], run["error"]) == ("PartialSuccess", None)
    assert (drawings["result"], models["result"]) == ("Success", "PartialSuccess")
    assert [task["result"] for task in models["tasks"]] == [
        "TimedOut",
        "Success",
        "TimedOut",
        "Error",
    ]
    stuck = models["tasks"][0]
    assert stuck["error"]["errorCode"] == "ConnectorTimedOut"
    assert stuck["details"]["synchronizationReport"]["totalErrorsCount"] == 1
    assert {task["state"] for task in models["tasks"]} == {"Completed"}


def test_a_run_goes_through_its_states_in_their_order(hasty: Platform) -> None:
    """Clients show them, and take whatever is not Completed for going on."""
    connection = hasty.connect(hasty.new_imodel(), hasty.upload("a.ifc", b"hang"))
    started = hasty.post(f"{CONNECTIONS}/{connection}/run")

    seen: dict[str, tuple[str, str]] = {}
    while "Completed" not in seen:
        run = expect(hasty.get(started.headers["location"]), 200)["run"]
        (job,) = run["jobs"]
        seen[run["state"]] = (run["phase"], job["tasks"][0]["state"])

    order = ["Queued", "WaitingToExecute", "Executing", "Finalizing", "Completed"]
    assert list(seen) == [state for state in order if state in seen]
    assert seen["Executing"] == ("MasterFile", "Executing")
    assert seen["Completed"] == ("MasterFile", "Completed")


def test_a_run_that_hangs_in_its_only_file_timed_out(hasty: Platform) -> None:
    """And the iModel is free for the next run."""
    stuck = hasty.upload("a.ifc", b"hang")
    connection = hasty.connect(hasty.new_imodel(), stuck)

    run = hasty.run(connection)
    hasty.replace(stuck, b"wall")
    after = hasty.run(connection)

    assert (run["result"], run["jobs"][0]["result"]) == ("TimedOut", "TimedOut")
    assert after["result"] == "Success"


@pytest.mark.parametrize(
    ("second", "results", "outcome"),
    [
        ({}, ["Success", "Success"], "Success"),
        ({"b.ifc": b"other"}, ["Success", "Success"], "Success"),
        ({"b.ifc": b"bad"}, ["Success", "Error"], "PartialSuccess"),
        ({"a.ifc": b"new", "b.ifc": b"bad"}, ["Success", "Error"], "PartialSuccess"),
        ({"a.ifc": b"bad", "b.ifc": b"bad"}, ["Error", "Error"], "Error"),
    ],
)
def test_the_result_of_a_run_follows_from_those_of_its_files(
    platform: Platform, second: dict[str, bytes], results: list[str], outcome: str
) -> None:
    """Unchanged files count as good; a client takes anything but these words for bad."""
    files = {name: platform.upload(name, b"wall") for name in ("a.ifc", "b.ifc")}
    connection = platform.connect(platform.new_imodel(), *files.values())
    platform.run(connection)
    for name, content in second.items():
        platform.replace(files[name], content)

    run = platform.run(connection)

    (job,) = run["jobs"]
    assert [task["result"] for task in job["tasks"]] == results
    assert (job["result"], run["result"]) == (outcome, outcome)


def test_a_connector_that_hangs_is_stopped(tmp_path: Path) -> None:
    """A run that never ends would hold the lock for ever."""
    with opened(tmp_path, run_s=0.3) as world, Platform(world) as platform:
        connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"hang"))
        world.start()

        run = platform.run(connection)

    assert (run["result"], run["error"]["errorKey"]) == ("TimedOut", "RunTimedOut")


def test_a_changeset_written_by_a_crashed_worker_is_not_lost(platform: Platform) -> None:
    """Otherwise the iModel would be ahead of its own history."""
    imodel = platform.new_imodel()
    wall, roof = platform.upload("wall.ifc", b"crash-after\na"), platform.upload("b.ifc", b"b")
    connection = platform.connect(imodel, wall, roof)
    crashed = platform.run(connection)
    platform.replace(wall, b"a")

    platform.run(connection)

    first, second, third = platform.changesets(imodel)
    assert [each["localtwin"]["runId"] for each in (first, second)] == [crashed["id"]] * 2
    assert [second["parentId"], third["parentId"]] == [first["id"], second["id"]]


def test_an_interrupted_run_is_carried_out_after_a_restart(tmp_path: Path) -> None:
    """The run was accepted: its client keeps asking for the result."""
    with opened(tmp_path) as world, Platform(world) as platform:
        imodel = platform.new_imodel()
        connection = platform.connect(imodel, platform.upload("a.ifc", b"a"))
        started = platform.post(f"{CONNECTIONS}/{connection}/run")

    with opened(tmp_path) as world, Platform(world) as platform:
        world.start()
        world.executor.drain()

        run = expect(platform.get(started.headers["location"]), 200)["run"]
        changesets = platform.changesets(imodel)
    assert (run["state"], run["result"], len(changesets)) == ("Completed", "Success", 1)
    assert run["jobs"][0]["tasks"][0]["retryAttempts"] == 0


def test_a_restart_after_the_commit_records_the_very_changeset(tmp_path: Path) -> None:
    """A run repeated from the start would find nothing to do and forget what it did."""
    with opened(tmp_path) as world, Platform(world) as platform:
        imodel = platform.new_imodel()
        connection = platform.connect(imodel, platform.upload("a.ifc", b"a\nb"))
        started = platform.post(f"{CONNECTIONS}/{connection}/run")
        run_id = started.headers["location"].rpartition("/")[2]
        order = world.executor.order(world.runs.get("storage", connection, run_id))
        worker = WorkerProcess("platform_jobs")
        worker.run(order, limit_s=60)
        worker.stop()

    with opened(tmp_path) as world, Platform(world) as platform:
        world.start()
        world.executor.drain()

        run = expect(platform.get(started.headers["location"]), 200)["run"]
        [changeset] = platform.changesets(imodel)
    assert run["jobs"][0]["tasks"][0]["result"] == "Success"
    assert changeset["localtwin"] == {
        "runId": run["id"],
        "inserted": 2,
        "updated": 0,
        "deleted": 0,
    }


def test_a_run_that_takes_the_server_down_thrice_is_given_up(tmp_path: Path) -> None:
    """Without a limit such a run would be repeated at every start, for ever."""
    with opened(tmp_path) as world, Platform(world) as platform:
        connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"a"))
        started = platform.post(f"{CONNECTIONS}/{connection}/run")
        for _ in range(3):
            world.run_records.begin(started.headers["location"].rpartition("/")[2])

        world.start()
        world.executor.drain()

        run = expect(platform.get(started.headers["location"]), 200)["run"]
    assert (run["state"], run["result"]) == ("Completed", "Error")


@pytest.mark.parametrize("missing", ["run", "connection"])
def test_a_run_that_is_not_there_is_not_found(platform: Platform, missing: str) -> None:
    """Clients distinguish a deleted run from a deleted connection by the code's ending only."""
    connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"a"))
    path = connection if missing == "run" else platform.root

    answer = platform.get(f"{CONNECTIONS}/{path}/runs/{platform.itwin_id}")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"].endswith("NotFound")


def test_dates_of_a_run_come_from_the_worlds_clock(platform: Platform, clock: Clock) -> None:
    """Seven digits and a Z, as the platform writes them."""
    connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"a"))

    run = platform.run(connection)

    assert run["startDateTime"] == f"{clock.now:%Y-%m-%dT%H:%M:%S}.0000000Z"
    assert run["endDateTime"] is not None
