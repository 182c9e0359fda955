# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Reading the platform's JSON: every generation of it, and anything a network may deliver."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinsyncd.cloud import members, run_wire, wire
from twinsyncd.cloud.values import SourceFile, StorageConnectionInfo, StorageItem, Task, Upload

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["run", "jobs", "tasks", "id", "error", "_links", "items", "href", "size"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
READERS: list[Callable[[bytes], object]] = [
    wire.items,
    wire.root_folder,
    wire.upload,
    wire.connection,
    wire.connections,
    wire.source_files,
    run_wire.runs,
    run_wire.run,
    wire.token,
    wire.grant,
    wire.authorization,
    lambda body: wire.endpoint(body, "token_endpoint"),
    wire.file,
    lambda body: wire.named(body, "iTwin"),
]


def body(value: object) -> bytes:
    """Return the value as a body."""
    return json.dumps(value).encode()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(READERS), JSON.map(body) | st.binary(max_size=20))
def test_a_reader_understands_or_says_that_it_does_not(
    read: Callable[[bytes], object], data: bytes
) -> None:
    """A surprise in an answer must become a failure of one command, not stop the daemon."""
    try:
        read(data)
    except members.Unreadable:
        return


@settings(max_examples=60, deadline=None)
@given(JSON.map(body) | st.binary(max_size=20))
def test_reading_an_error_never_fails(data: bytes) -> None:
    """An error while reporting an error hides the first one."""
    assert isinstance(wire.service_error(data).message, str)


def test_a_listed_file_is_read_as_captured() -> None:
    """Nulls are written as null, and dates have seven digits."""
    listed = {
        "size": 5710336,
        "isFileLocked": False,
        "type": "file",
        "id": "Kz",
        "displayName": "A.dgn",
        "description": None,
        "createdDateTime": "2024-10-18T07:57:42.5914518Z",
        "_links": None,
    }

    (found,), more = wire.items(body({"items": [listed], "_links": None}))

    assert found == StorageItem("Kz", "A.dgn", False, 5710336, found.created_s)
    assert found.created_s == pytest.approx(1729238262.591)
    assert more is False


def test_an_upload_takes_its_file_id_from_the_complete_link() -> None:
    """The answer has no other place for it, and everything later hangs on the id."""
    answer = {
        "_links": {
            "completeUrl": {"href": "https://api.example.com/storage/files/KzPg-1_x/complete"},
            "uploadUrl": {"href": "https://blob.example.net/c/b?sig=TOPSECRET"},
        }
    }

    upload = wire.upload(body(answer))

    assert upload == Upload(
        "KzPg-1_x",
        "https://blob.example.net/c/b?sig=TOPSECRET",
        "https://api.example.com/storage/files/KzPg-1_x/complete",
    )
    assert "TOPSECRET" not in repr(upload)


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ({"lastRun": {"href": "https://h/runs/r1"}}, "https://h/runs/r1"),
        ({"lastRun": {"href": None}}, ""),
        ({"lastRun": None}, ""),
        ({"project": {"href": "https://h/projects/p"}}, None),
        (None, None),
    ],
)
def test_no_last_run_is_told_from_an_answer_that_does_not_say(
    links: object, expected: str | None
) -> None:
    """Only an answer that does not speak of it is worth a search through the runs."""
    answer = {"connection": {"id": "c", "displayName": "n", "iModelId": "m", "_links": links}}

    assert wire.connection(body(answer)) == StorageConnectionInfo("c", "n", "m", expected)


def test_minimal_and_full_source_files_are_read_alike() -> None:
    """The service may ignore the wish for a full representation."""
    minimal = {"id": "1", "storageFileId": "s1", "lastKnownFileName": ""}
    full = {**minimal, "id": "2", "connectorType": "SOMETHING_NEW"}

    found, _ = wire.source_files(body({"sourceFiles": [minimal, full]}))

    assert found == (SourceFile("1", "s1"), SourceFile("2", "s1", "SOMETHING_NEW"))


def test_a_run_of_the_first_generation_is_read() -> None:
    """It knows neither errors nor details, and marks what is not set by the year 1."""
    task = {"id": "t", "storageFileId": "s", "state": "Executing", "result": "Undetermined"}
    answer = {
        "run": {
            "id": "r",
            "startDateTime": "0001-01-01T00:00:00",
            "state": "Dreaming",
            "result": "Undetermined",
            "jobs": [{"tasks": [task]}, {"tasks": None}],
        }
    }

    run = run_wire.run(body(answer))

    assert (run.state, run.started_s, run.error_key) == ("Dreaming", 0.0, "")
    assert run.tasks == (Task("s", "Executing", "Undetermined", id="t"),)


def test_a_failed_task_brings_its_words_and_whose_turn_it_is() -> None:
    """This is what a person reads when a file does not get in."""
    task = {
        "sourceFileId": "own-id",
        "state": "Completed",
        "result": "Error",
        "error": {
            "bridgeExitCode": 4294967295,
            "message": "It ends too early.",
            "description": "The file is corrupt.",
            "kbArticleLink": "https://help.example.com/1",
            "canUserFix": True,
        },
    }
    run = run_wire.run(body({"run": {"id": "r", "jobs": [{"tasks": [task]}]}}))

    assert run.tasks == (
        Task(
            "own-id",
            "Completed",
            "Error",
            "It ends too early. The file is corrupt.",
            "https://help.example.com/1",
            can_user_fix=True,
        ),
    )


def test_a_synchronization_report_speaks_where_no_error_does() -> None:
    """A partial success explains itself only there."""
    report = {"synchronizationReport": {"message": "3 references are missing"}}
    task = {"storageFileId": "s", "result": "PartialSuccess", "error": None, "details": report}

    run = run_wire.run(body({"run": {"id": "r", "jobs": [{"tasks": [task]}]}}))

    assert run.tasks[0].message == "3 references are missing"


@pytest.mark.parametrize(
    ("told", "lifetime_s"),
    [({"expires_in": 60}, 60.0), ({}, 3600.0), ({"expires_in": "x"}, 3600.0)],
)
def test_a_token_lives_an_hour_unless_told(told: dict[str, object], lifetime_s: float) -> None:
    """The documented lifetime holds where the answer leaves it out."""
    assert wire.token(body({"access_token": "t", **told})) == ("t", lifetime_s)
