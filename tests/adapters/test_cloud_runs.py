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
        (
            409,
            "",
            facts.StartClashed("bridge", "no run was started: the service answered HTTP 409"),
        ),
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


def test_a_start_that_clashes_brings_the_services_words() -> None:
    """`status` shows them once starts clash again and again."""
    scene = Scene()
    error = {"error": {"code": "Conflict", "message": "The iModel is being migrated."}}
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/run", 409, error)

    answer = scene.target.start_run(commands.StartRun("bridge", "c1"))

    expected = "no run was started: The iModel is being migrated."
    assert answer == facts.StartClashed("bridge", expected)


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


def look(
    run: dict[str, Any],
    changesets: list[dict[str, Any]] | None = None,
    source_files: dict[str, str] | None = None,
    storage: dict[str, str] | None = None,
) -> facts.RunSeen:
    """Look at a run that is answered like this; then at its evidence, as far as it is given."""
    scene = Scene()
    name = run_of("c1", "r1")
    scene.wire.hears("GET", name, json={"run": {"id": "r1", **run}})
    is_good = run.get("result") in {"Success", "Skipped"}
    if run["state"] == "Completed" and not is_good and not {"error", "jobs"} & set(run):
        scene.shows(connection())
    if changesets is not None:
        scene.wire.hears("GET", "/imodels/m1/changesets", json={"changesets": changesets})
    if source_files is not None:
        files = [
            {"id": f"sf-{each}", "storageFileId": each, "lastKnownFileName": known}
            for each, known in source_files.items()
        ]
        scene.wire.hears("GET", f"{CONNECTIONS}/c1/sourcefiles", json={"sourceFiles": files})
    for storage_id, file_name in (storage or {}).items():
        file = {"id": storage_id, "displayName": file_name}
        scene.wire.hears("GET", f"/storage/files/{storage_id}", json={"file": file})
    seen = scene.target.look_at_run(commands.LookAtRun("bridge", name))
    scene.wire.ended()
    return seen


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
        kbArticleLink="https://help.example.com/kb?id=1",
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

    seen = look(
        {"state": "Completed", "result": "PartialSuccess", "jobs": jobs},
        source_files={"b": "broken.dgn", "d": "half.dgn", "e": "idle.dgn"},
    )

    assert [(each.storage_id, each.outcome) for each in seen.files] == [
        ("a", Outcome.SUCCEEDED),
        ("b", Outcome.FAILED),
        ("c", Outcome.SKIPPED),
        ("d", Outcome.FAILED),
        ("e", Outcome.FAILED),
    ]
    assert seen.files[1] == FileResult(
        "b",
        Outcome.FAILED,
        "The file is corrupt. (can be corrected in the file) See https://help.example.com/kb?id=1",
        user_must_act=True,
        name="broken.dgn",
    )


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_tasks_for_a_file_the_failed_one_counts(order: int) -> None:
    """A file can be a source file in one phase and a reference in another."""
    tasks = [task("a", "Success"), task("a", "Error", message="x")][::order]

    run = {"state": "Completed", "result": "Error", "jobs": [{"tasks": tasks}]}
    seen = look(run, source_files={"a": "a.dgn"})

    assert [each.outcome for each in seen.files] == [Outcome.FAILED]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_tasks_for_a_file_a_skipped_one_proves_nothing(order: int) -> None:
    """Part of its content was not looked at."""
    tasks = [task("a", "Success"), task("a", "Skipped")][::order]

    seen = look({"state": "Completed", "result": "Success", "jobs": [{"tasks": tasks}]})

    assert [each.outcome for each in seen.files] == [Outcome.SKIPPED]
    assert "not proven" in seen.files[0].message


def changeset(index: int, task_id: str) -> dict[str, Any]:
    """A changeset that a task wrote."""
    about = {"taskId": task_id, "changedFiles": ["a.dgn"]}
    return {"id": f"c{index}", "index": index, "synchronizationInfo": about}


def test_each_file_names_its_task_and_the_newest_changeset_of_it() -> None:
    """This is the evidence that its content reached the iModel."""
    tasks = [task("a", "Success") | {"id": "t1"}, task("b", "Success") | {"id": "t2"}]
    run = {"state": "Completed", "result": "Success", "jobs": [{"tasks": tasks}]}

    seen = look(run, changesets=[changeset(9, "t1"), changeset(8, "t1"), changeset(7, "old")])

    assert [(each.storage_id, each.task, each.changeset) for each in seen.files] == [
        ("a", "t1", "c9"),
        ("b", "t2", ""),
    ]


def test_changesets_that_cannot_be_read_cost_only_themselves() -> None:
    """The result of the run is known all the same."""
    scene = Scene()
    tasks = [task("a", "Success") | {"id": "t1"}]
    run = {"id": "r1", "state": "Completed", "result": "Success", "jobs": [{"tasks": tasks}]}
    scene.wire.hears("GET", run_of("c1", "r1"), json={"run": run})
    scene.wire.hears("GET", "/imodels/m1/changesets", 403, refusal("InsufficientPermissions"))

    seen = scene.target.look_at_run(commands.LookAtRun("bridge", run_of("c1", "r1")))

    assert seen.files == (FileResult("a", Outcome.SUCCEEDED, task="t1"),)


def test_failed_files_are_named_whoever_they_belong_to() -> None:
    """A file that somebody put into the connection makes every run partial; who else names it?"""
    tasks = [
        task("ours", "Success"),
        task("theirs", "Error", message="Broken."),
        task("x", "Error"),
    ]
    run = {"state": "Completed", "result": "PartialSuccess", "jobs": [{"tasks": tasks}]}

    seen = look(run, source_files={"theirs": "survey.dgn", "x": ""}, storage={"x": "deleted.dgn"})

    assert seen.message == (
        "some files failed: survey.dgn (Broken.); deleted.dgn (the connector ended as Error)"
    )
    assert [each.name for each in seen.files] == ["", "survey.dgn", "deleted.dgn"]


def test_a_file_that_no_list_knows_is_named_by_its_id() -> None:
    """Its name is lost, the failure is not."""
    scene = Scene()
    run = {"id": "r1", "state": "Completed", "result": "Error"}
    jobs = {"jobs": [{"tasks": [task("gone", "Error", message="No such file.")]}]}
    scene.wire.hears("GET", run_of("c1", "r1"), json={"run": run | jobs})
    scene.holds("c1")
    scene.wire.hears("GET", "/storage/files/gone", 404, refusal("FileNotFound"))

    seen = scene.target.look_at_run(commands.LookAtRun("bridge", run_of("c1", "r1")))

    assert seen.message == "the run failed: gone (No such file.)"


def test_a_run_that_fails_as_a_whole_keeps_the_services_words() -> None:
    """They are all that anybody knows about it."""
    error = {
        "errorKey": "IModelLocked",
        "description": "The iModel is locked.",
        "kbArticleLink": "https://help.example.com/kb?id=2",
    }

    seen = look({"state": "Completed", "result": "Error", "error": error})

    assert (
        seen.message == "the run failed: The iModel is locked. See https://help.example.com/kb?id=2"
    )


@pytest.mark.parametrize(
    ("message", "description", "said"),
    [
        ("It is locked", "Release it.", "It is locked. Release it."),
        ("It is locked.", "Release it", "It is locked. Release it"),
        ("It is locked", "", "It is locked"),
        ("", "Release it.", "Release it."),
        ("Same.", "Same.", "Same."),
    ],
)
def test_what_failed_and_what_to_do_are_two_sentences(
    message: str, description: str, said: str
) -> None:
    """ "... is not AcFssFcAJMB Open the file ..." reads as one."""
    error = {"message": message, "description": description}

    seen = look({"state": "Completed", "result": "Error", "error": error})

    assert seen.message == f"the run failed: {said}"


@pytest.mark.parametrize(
    ("can_fix", "words"),
    [(True, "can be corrected by a user"), (False, "contact its support"), (None, "")],
)
def test_who_can_correct_a_failed_run_is_shown(can_fix: bool | None, words: str) -> None:
    """The message, what to do, and whose turn it is: all of it is read by one person."""
    error = {"message": "It is locked.", "description": "Release it.", "canUserFix": can_fix}

    seen = look({"state": "Completed", "result": "Error", "error": error})

    assert seen.message.startswith("the run failed: It is locked. Release it.")
    assert words in seen.message


@pytest.mark.parametrize(
    ("status", "message"),
    [(200, "the run failed: Its user has left."), (404, "the run failed"), (503, "the run failed")],
)
def test_a_run_that_says_nothing_is_explained_by_its_connection(status: int, message: str) -> None:
    """The service may keep the reason there; one that cannot be had costs the reason alone."""
    scene, error = Scene(), {"errorKey": "UserGone", "description": "Its user has left."}
    run = {"id": "r1", "state": "Completed", "result": "Error"}
    scene.wire.hears("GET", run_of("c1", "r1"), json={"run": run})
    found = {"connection": connection("c1") | {"error": error}}
    for _ in range(3 if status == 503 else 1):
        scene.wire.hears("GET", f"{CONNECTIONS}/c1", status, json=found)

    seen = scene.target.look_at_run(commands.LookAtRun("bridge", run_of("c1", "r1")))

    assert (seen.outcome, seen.message) == (Outcome.FAILED, message)
    scene.wire.ended()


@pytest.mark.parametrize(
    ("can_fix", "words", "must_act"),
    [(True, "can be corrected", True), (False, "contact its support", False), (None, "", False)],
)
def test_who_can_correct_a_file_is_shown(can_fix: bool | None, words: str, must_act: bool) -> None:
    """A designer must not search a drawing for a mistake of the service."""
    broken = task("a", "Error", message="Broken.", canUserFix=can_fix)
    run = {"state": "Completed", "result": "Error", "jobs": [{"tasks": [broken]}]}

    (result,) = look(run, source_files={"a": "a.dgn"}).files

    assert words in result.message
    assert result.user_must_act is must_act


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
