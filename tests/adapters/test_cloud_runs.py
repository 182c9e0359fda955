# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Starting, finding and looking at runs through the storage connection."""

from __future__ import annotations

from typing import Any

import pytest
from cloud_scene import (
    CONNECTIONS,
    Scene,
    connection,
    refusal,
    run_of,
)
from cloud_script import API, caught

from twinsyncd.core import commands, facts
from twinsyncd.core.model import Fault
from twinsyncd.core.results import FileResult, Outcome


@pytest.mark.parametrize(
    ("status", "location", "expected"),
    [
        (202, run_of("c1", "r1"), facts.RunStarted("bridge", run_of("c1", "r1"))),
        (202, API + run_of("c1", "r1"), facts.RunStarted("bridge", run_of("c1", "r1"))),
        (
            303,
            API + run_of("c1", "r0"),
            facts.RunRefused("bridge", run_of("c1", "r0"), on_our_connection=True),
        ),
        (
            303,
            run_of("c1", "r0").replace("storageconnections/c1", "manifestconnections/m9"),
            facts.RunRefused(
                "bridge",
                "/synchronization/imodels/manifestconnections/m9/runs/r0",
                on_our_connection=False,
            ),
        ),
        (409, "", facts.StartClashed("bridge")),
    ],
)
def test_a_start_is_answered_by_what_it_means(
    status: int, location: str, expected: facts.Fact
) -> None:
    """303 is not success: the active run may have read older content, or be somebody else's."""
    scene = Scene()
    headers = {"Location": location} if location else {}
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/run", status, headers=headers)

    assert scene.target.start_run(commands.StartRun("bridge", "c1")) == expected


def test_the_newest_run_is_the_one_the_connection_names() -> None:
    """After a lost answer this decides whether a run of ours exists."""
    scene = Scene()
    scene.shows(connection(run="r7"))

    found = scene.target.find_run(commands.FindRun("bridge", "c1"))

    assert found == facts.RunFound("bridge", run_of("c1", "r7"))


def test_where_the_connection_names_no_run_the_list_is_searched_by_date() -> None:
    """The order of the list is not documented, and a run that waits has no date yet."""
    scene = Scene()
    runs = [
        {"id": "r1", "state": "Completed", "startDateTime": "2026-01-02T00:00:00Z"},
        {"id": "r3", "state": "Queued", "startDateTime": "0001-01-01T00:00:00"},
        {"id": "r2", "state": "Completed", "startDateTime": "2026-01-03T00:00:00Z"},
    ]
    scene.shows(connection(run=None))
    scene.wire.hears("GET", f"{CONNECTIONS}/c1/runs", json={"runs": runs})

    found = scene.target.find_run(commands.FindRun("bridge", "c1"))

    assert found == facts.RunFound("bridge", run_of("c1", "r3"))


@pytest.mark.parametrize("run", ["", None])
def test_a_connection_that_never_ran_has_no_run(run: str | None) -> None:
    """The first start has nothing to be compared with."""
    scene = Scene()
    scene.shows(connection(run=run))
    if run is None:
        scene.wire.hears("GET", f"{CONNECTIONS}/c1/runs", json={"runs": []})

    found = scene.target.find_run(commands.FindRun("bridge", "c1"))

    assert found == facts.RunFound("bridge", "")


def look(run: dict[str, Any]) -> facts.RunSeen:
    """Look at a run that is answered like this."""
    scene = Scene()
    name = run_of("c1", "r1")
    scene.wire.hears("GET", name, json={"run": {"id": "r1", **run}})
    return scene.target.look_at_run(commands.LookAtRun("bridge", name))


@pytest.mark.parametrize(
    ("state", "result", "outcome"),
    [
        ("Queued", "Undetermined", Outcome.ACTIVE),
        ("Finalizing", "Success", Outcome.ACTIVE),
        ("SomethingNew", "Success", Outcome.ACTIVE),
        ("Completed", "Success", Outcome.SUCCEEDED),
        ("Completed", "Skipped", Outcome.SUCCEEDED),
        ("Completed", "PartialSuccess", Outcome.PARTIAL),
        ("Completed", "Error", Outcome.FAILED),
        ("Completed", "Cancelled", Outcome.FAILED),
        ("Completed", "TimedOut", Outcome.FAILED),
        ("Completed", "Undetermined", Outcome.FAILED),
        ("Completed", "SomethingNew", Outcome.FAILED),
        ("Completed", None, Outcome.FAILED),
    ],
)
def test_only_a_completed_run_with_a_known_good_result_is_a_success(
    state: str, result: str | None, outcome: Outcome
) -> None:
    """An unknown word must never make content count as synchronized."""
    seen = look({"state": state, "result": result})

    assert seen.outcome is outcome
    assert bool(seen.message) is (outcome in {Outcome.PARTIAL, Outcome.FAILED})


def task(storage_id: str, result: str, state: str = "Completed", **error: object) -> dict[str, Any]:
    """A task of a run."""
    return {
        "storageFileId": storage_id,
        "state": state,
        "result": result,
        "error": error or None,
    }


def test_every_file_gets_its_own_result() -> None:
    """One bad file must not hold up the others, and its words must reach a person."""
    broken = task(
        "b",
        "Error",
        description="The file is corrupt.",
        kbArticleLink="https://help.example.com/1",
        canUserFix=True,
    )
    jobs = [
        {"tasks": [task("a", "Success"), broken]},
        {
            "tasks": [
                task("c", "Skipped"),
                task("d", "PartialSuccess"),
                task("e", "Success", "Idle"),
            ]
        },
    ]

    seen = look({"state": "Completed", "result": "PartialSuccess", "jobs": jobs})

    assert [(each.storage_id, each.outcome) for each in seen.files] == [
        ("a", Outcome.SUCCEEDED),
        ("b", Outcome.FAILED),
        ("c", Outcome.SUCCEEDED),
        ("d", Outcome.FAILED),
        ("e", Outcome.FAILED),
    ]
    assert seen.files[1] == FileResult(
        "b",
        Outcome.FAILED,
        "The file is corrupt. See https://help.example.com/1",
        user_must_act=True,
    )


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_tasks_for_a_file_the_failed_one_counts(order: int) -> None:
    """A file can be a source file in one phase and a reference in another."""
    tasks = [task("a", "Success"), task("a", "Error", message="x")][::order]

    seen = look({"state": "Completed", "result": "Error", "jobs": [{"tasks": tasks}]})

    assert [each.outcome for each in seen.files] == [Outcome.FAILED]


@pytest.mark.parametrize("result", ["Error", "PartialSuccess"])
def test_a_run_whose_owner_is_signed_out_says_so(result: str) -> None:
    """Only a person can sign in again; repeating the run helps nobody."""
    error = {"errorKey": "UserNotAuthenticated", "description": "Sign in again."}

    seen = look({"state": "Completed", "result": result, "error": error})

    assert seen.unauthorised is True
    assert "Sign in again." in seen.message


def test_a_run_that_is_gone_is_reported_as_gone() -> None:
    """A wait for it would never end."""
    scene = Scene()
    name = run_of("c1", "r1")
    scene.wire.hears("GET", name, 404, refusal("ConnectionRunNotFound"))

    error = caught(lambda: scene.target.look_at_run(commands.LookAtRun("bridge", name)))

    assert error.failure.fault is Fault.GONE
