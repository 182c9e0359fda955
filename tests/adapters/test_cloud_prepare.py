# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Preparing the connection: found or created once, with all the files the service takes."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest
from cloud_scene import (
    CONNECTIONS,
    SETTINGS,
    Scene,
    connection,
    refusal,
    run_of,
)
from cloud_script import caught

from twinsyncd.core import commands, facts
from twinsyncd.core.model import Fault, FileKey


def test_a_connection_that_is_known_and_complete_costs_one_request() -> None:
    """It is asked before every run."""
    scene = Scene()
    scene.shows(connection(run="r7"))

    assert scene.prepare() == facts.Prepared("bridge", "c1", run_of("c1", "r7"))

    scene.wire.ended()


def test_only_missing_files_are_added() -> None:
    """Adding twice is a conflict, and listing is how a lost answer is found out."""
    scene = Scene()
    scene.shows(connection())
    scene.holds("c1", "a")
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", 201, {"sourceFile": {"id": "x"}})

    prepared = scene.prepare("a", "b")

    assert prepared.in_connection == (FileKey("cad", "a"), FileKey("cad", "b"))
    assert scene.wire.requests[-1].content == b'{"storageFileId":"b","connectorType":"IFC"}'
    scene.wire.ended()


DEAD = f"{CONNECTIONS}/c1/sourcefiles/sf-dead"
HEIR = commands.ExpectedFile(FileKey("cad", "a"), "new", replaces=("dead",))


def test_a_file_stored_anew_takes_the_place_of_what_it_was() -> None:
    """As a source file of its own it would bring its elements a second time."""
    scene = Scene()
    scene.shows(connection())
    scene.holds("c1", "dead")
    scene.wire.hears("PUT", DEAD, json={"sourceFile": {"id": "sf-dead"}})

    prepared = scene.target.prepare(commands.Prepare("bridge", "c1", (HEIR,)))

    assert prepared.in_connection == (HEIR.key,)
    assert scene.wire.requests[-1].content == b'{"storageFileId":"new","connectorType":"IFC"}'
    scene.wire.ended()


@pytest.mark.parametrize("status", [404, 422])
def test_where_a_source_file_takes_no_other_file_it_is_added_and_the_dead_one_goes(
    status: int,
) -> None:
    """Every later run would fail on the dead one."""
    scene = Scene()
    scene.shows(connection())
    scene.holds("c1", "dead")
    scene.wire.hears("PUT", DEAD, status, refusal("InvalidRequest"))
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", 201, {"sourceFile": {"id": "x"}})
    scene.wire.hears("DELETE", DEAD, 204)

    prepared = scene.target.prepare(commands.Prepare("bridge", "c1", (HEIR,)))

    assert prepared.in_connection == (HEIR.key,)
    scene.wire.ended()


def test_of_several_earlier_ids_no_dead_source_file_is_left() -> None:
    """One of them may have been added by a request of which the answer was lost."""
    scene = Scene()
    scene.shows(connection())
    scene.holds("c1", "dead", "lost")
    scene.wire.hears("PUT", DEAD, json={"sourceFile": {"id": "sf-dead"}})
    scene.wire.hears("DELETE", f"{CONNECTIONS}/c1/sourcefiles/sf-lost", 204)
    heir = replace(HEIR, replaces=("never added", "dead", "lost"))

    prepared = scene.target.prepare(commands.Prepare("bridge", "c1", (heir,)))

    assert prepared.in_connection == (HEIR.key,)
    scene.wire.ended()


def test_without_a_connection_one_is_created_with_its_files() -> None:
    """The service has no empty connections, and applications must say that they are one."""
    scene = Scene()
    scene.has_connections(connection("c0", "Somebody else's"))
    scene.wire.hears("POST", CONNECTIONS, 201, {"connection": connection("c9", run=None)})

    prepared = scene.prepare("a", "b", remote_id="")

    assert prepared == facts.Prepared(
        "bridge", "c9", "", (FileKey("cad", "a"), FileKey("cad", "b"))
    )
    assert scene.wire.requests[-1].read() == (
        b'{"displayName":"Bridge 12","iModelId":"m1","authenticationType":"Service",'
        b'"sourceFiles":[{"storageFileId":"a","connectorType":"IFC"},'
        b'{"storageFileId":"b","connectorType":"IFC"}]}'
    )
    scene.wire.ended()


def test_after_a_lost_answer_to_a_create_the_connection_is_found_by_name() -> None:
    """Two connections of one name would share no files and both cost a run."""
    scene = Scene()
    scene.has_connections()
    scene.wire.breaks("POST", CONNECTIONS, httpx.ReadTimeout("lost"))
    assert caught(lambda: scene.prepare("a", remote_id="")).failure.fault is Fault.TRANSIENT
    scene.has_connections({"id": "c9", "displayName": "Bridge 12"})
    scene.shows(connection("c9"))
    scene.holds("c9", "a")

    assert scene.prepare("a", remote_id="").remote_id == "c9"

    scene.wire.ended()


def test_an_imodel_that_does_not_exist_is_named_not_the_role() -> None:
    """The service only says "insufficient permissions", and no role helps a wrong imodel_id."""
    scene = Scene()
    scene.wire.hears("GET", CONNECTIONS, 403, refusal("InsufficientPermissions"))
    scene.wire.hears("GET", "/imodels/m1", 404, refusal("iModelNotFound"))

    failure = caught(lambda: scene.prepare("a", remote_id="")).failure

    assert failure.fault is Fault.REFUSED
    assert failure.message.startswith("the iModel m1 does not exist (any more)")
    assert "correct imodel_id" in failure.message
    scene.wire.ended()


def test_an_imodel_that_is_there_leaves_the_role_to_blame() -> None:
    """Who may look at the iModel and not at its connections needs a role, and reads so."""
    scene = Scene()
    scene.wire.hears("GET", CONNECTIONS, 403, refusal("InsufficientPermissions"))
    scene.wire.hears("GET", "/imodels/m1", 200, {"iModel": {"id": "m1", "displayName": "M"}})

    failure = caught(lambda: scene.prepare("a", remote_id="")).failure

    assert failure.fault is Fault.REFUSED
    assert "role" in failure.message
    scene.wire.ended()


def test_of_several_connections_of_the_name_the_one_with_our_files_counts() -> None:
    """Names are not unique there; the files tell which is ours."""
    scene = Scene()
    scene.has_connections(connection("c1"), connection("c2"), connection("c3"))
    scene.holds("c1", "z")
    scene.holds("c2", "a")
    scene.holds("c2", "a")

    assert scene.prepare("a", remote_id="").remote_id == "c2"

    scene.wire.ended()


@pytest.mark.parametrize("gone", [True, False])
def test_a_remembered_connection_that_is_no_use_is_replaced(gone: bool) -> None:
    """Somebody deleted it in the portal, or the configuration names another iModel now."""
    scene = Scene()
    if gone:
        scene.wire.hears("GET", f"{CONNECTIONS}/c1", 404, refusal("StorageConnectionNotFound"))
    else:
        scene.shows(connection() | {"iModelId": "another"})
    scene.has_connections()
    scene.wire.hears("POST", CONNECTIONS, 201, {"connection": connection("c2")})

    assert scene.prepare("a").remote_id == "c2"

    scene.wire.ended()


def test_a_lost_connection_without_files_is_reported_as_gone() -> None:
    """It cannot be created empty; the machine must name its files again."""
    scene = Scene()
    scene.wire.hears("GET", f"{CONNECTIONS}/c1", 404, refusal("StorageConnectionNotFound"))
    scene.has_connections()

    assert caught(scene.prepare).failure.fault is Fault.GONE


def test_references_without_a_file_that_refers_to_them_wait_for_one() -> None:
    """It was called deleted, and a sync that came later ended before a file could settle."""
    scene = Scene()
    scene.has_connections()

    failed = caught(lambda: scene.target.prepare(commands.Prepare("bridge", "", ())))

    assert failed.failure.fault is Fault.TRANSIENT
    assert failed.failure.message.startswith("there is no file to create the connection with")


@pytest.mark.parametrize("imodel", ["m1", "another"])
def test_a_configured_connection_must_exist_for_this_imodel(imodel: str) -> None:
    """A wrong id in the configuration must be said, not worked around."""
    scene = Scene(replace(SETTINGS, connection_id="c5"))
    if imodel == "m1":
        scene.wire.hears("GET", f"{CONNECTIONS}/c5", 404, refusal("StorageConnectionNotFound"))
    else:
        scene.shows(connection("c5") | {"iModelId": imodel})

    assert caught(lambda: scene.prepare("a")).failure.fault is Fault.REFUSED

    scene.wire.ended()


def test_a_file_of_another_connection_is_refused_by_that_connections_name() -> None:
    """Only a person can decide which of the two shall have it."""
    scene = Scene()
    scene.shows(connection())
    scene.holds("c1")
    clash = refusal("FileMappingToTheIModelAlreadyExists")
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", 409, clash)
    scene.holds("c1")
    scene.has_connections(connection("c1"), connection("c2", "Bridge 11"))
    scene.holds("c1")
    scene.holds("c2", "a")
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", 201, {"sourceFile": {"id": "x"}})

    prepared = scene.prepare("a", "b")

    assert prepared.in_connection == (FileKey("cad", "b"),)
    ((key, reason),) = prepared.refused
    assert key == FileKey("cad", "a")
    assert "'Bridge 11'" in reason
    scene.wire.ended()


def test_a_conflict_with_ourselves_is_no_conflict() -> None:
    """A request whose answer was lost had its effect."""
    scene = Scene()
    scene.shows(connection())
    scene.holds("c1")
    clash = refusal("FileMappingToTheIModelAlreadyExists")
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", 409, clash)
    scene.holds("c1", "a")

    assert scene.prepare("a").in_connection == (FileKey("cad", "a"),)

    scene.wire.ended()


def test_a_file_that_storage_lost_is_refused_and_the_others_go_in() -> None:
    """404 can mean the file as well as the connection; the connection is still there."""
    scene = Scene()
    scene.shows(connection())
    scene.holds("c1")
    gone = refusal("FileNotFound")
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", 404, gone)
    scene.shows(connection())
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", 201, {"sourceFile": {"id": "x"}})

    prepared = scene.prepare("a", "b")

    assert prepared.in_connection == (FileKey("cad", "b"),)
    assert [key.path for key, _ in prepared.refused] == ["a"]
    scene.wire.ended()


def test_a_connection_deleted_meanwhile_blames_no_file() -> None:
    """Files set aside for it would need a person for nothing."""
    scene = Scene()
    scene.shows(connection())
    scene.holds("c1")
    gone = refusal("StorageConnectionNotFound")
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", 404, gone)
    scene.wire.hears("GET", f"{CONNECTIONS}/c1", 404, gone)

    assert caught(lambda: scene.prepare("a")).failure.fault is Fault.GONE

    scene.wire.ended()


def test_one_bad_file_does_not_keep_the_connection_from_being_created() -> None:
    """The service refuses all for one; the others must still get in."""
    scene = Scene()
    bad = refusal("InvalidStorageConnectionRequest", "'storageFileId' is not valid.")
    scene.has_connections()
    scene.wire.hears("POST", CONNECTIONS, 422, bad)
    scene.wire.hears("GET", "/imodels/m1", json={"iModel": {"id": "m1", "iTwinId": "i1"}})
    scene.wire.hears("POST", CONNECTIONS, 422, bad)
    scene.wire.hears("POST", CONNECTIONS, 201, {"connection": connection("c9")})
    scene.holds("c9", "b")
    scene.wire.hears("POST", f"{CONNECTIONS}/c9/sourcefiles", 201, {"sourceFile": {"id": "x"}})

    prepared = scene.prepare("a", "b", "c", remote_id="")

    assert prepared.remote_id == "c9"
    assert prepared.in_connection == (FileKey("cad", "b"), FileKey("cad", "c"))
    assert [key.path for key, _ in prepared.refused] == ["a"]
    assert "'storageFileId' is not valid." in prepared.refused[0][1]
    scene.wire.ended()


def test_a_create_refused_for_the_imodel_blames_no_file() -> None:
    """A wrong iModel id must not set the whole drive aside."""
    scene = Scene()
    scene.has_connections()
    scene.wire.hears("POST", CONNECTIONS, 422, refusal("InvalidStorageConnectionRequest"))
    scene.wire.hears("GET", "/imodels/m1", 404, refusal("iModelNotFound"))

    assert caught(lambda: scene.prepare("a", remote_id="")).failure.fault is Fault.GONE

    scene.wire.ended()


def test_a_service_in_trouble_stops_the_adding_and_loses_nothing() -> None:
    """The next preparation lists first and goes on where this one stopped."""
    scene = Scene()
    scene.shows(connection())
    scene.holds("c1")
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", 429, headers={"Retry-After": "60"})

    failure = caught(lambda: scene.prepare("a", "b")).failure

    assert (failure.fault, failure.retry_after_s) == (Fault.THROTTLED, 60.0)
    scene.wire.ended()


def test_a_large_first_connection_is_created_in_a_batch_and_filled_up() -> None:
    """A request of unbounded size would fail at some limit nobody documents."""
    scene = Scene()
    items = [f"s{number}" for number in range(502)]
    scene.has_connections()
    scene.wire.hears("POST", CONNECTIONS, 201, {"connection": connection("c9")})
    scene.holds("c9", *items[:50])
    for _ in range(2):
        scene.wire.hears("POST", f"{CONNECTIONS}/c9/sourcefiles", 201, {"sourceFile": {"id": "x"}})

    prepared = scene.prepare(*items, remote_id="")

    assert len(prepared.in_connection) == 502
    scene.wire.ended()


OTHER_NAME = {**connection(name="Renamed in the portal"), "authenticationType": "Service"}


def test_a_connection_that_may_not_be_renamed_is_used_as_it_is() -> None:
    """A name is worth no halt, and no request per run."""
    scene = Scene()
    for _ in range(2):
        scene.shows(OTHER_NAME)
        if not scene.wire.requests:
            path = f"{CONNECTIONS}/c1"
            scene.wire.hears("PUT", path, 403, json=refusal("InsufficientPermissions"))
        scene.holds("c1", "s1")

        assert scene.prepare("s1").in_connection == (FileKey("cad", "s1"),)

    scene.wire.ended()


def test_an_update_names_the_connection_and_for_whom_its_runs_act() -> None:
    """The page of the operation knows these two, and no others."""
    scene = Scene()
    scene.shows(OTHER_NAME)
    bodies = []
    scene.wire.hears(
        "PUT",
        f"{CONNECTIONS}/c1",
        json={"connection": OTHER_NAME},
        check=lambda request: bodies.append(json.loads(request.content)),
    )
    scene.holds("c1", "s1")

    scene.prepare("s1")

    assert bodies == [{"displayName": "Bridge 12", "authenticationType": "Service"}]


@pytest.mark.parametrize(("status", "fault"), [(404, Fault.REFUSED), (422, Fault.REFUSED)])
def test_run_settings_that_the_service_does_not_take_are_named(status: int, fault: Fault) -> None:
    """A preview that is switched off must not count as a deleted connection (it was)."""
    scene = Scene(settings=replace(SETTINGS, run_settings={"ignoreDgnAttachments": True}))
    path = "/synchronization/configurations/connections/c1"
    scene.shows(connection())
    scene.wire.hears("GET", path, 404, json=refusal("ConfigurationNotFound"))
    scene.wire.hears("POST", path, status, json=refusal("ResourceNotFound"))

    failure = caught(lambda: scene.prepare("s1")).failure

    assert failure.fault is fault
    assert "run_settings" in failure.message
