# mypy: disable-error-code="arg-type,index"
# Keys, ids and digests are written as plain text here.
"""From a file to a changeset against a real server, and every turn the road can take."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from typing import Any

import ezdxf.document
import httpx
import ifcopenshell
import ifcopenshell.guid
import pytest
from contract_office import Office, Whole

from localtwin.serve import Ready
from twinsyncd.cloud.access_check import (
    examine_connection,
    examine_imodel_permissions,
    examine_permissions,
    examine_place,
    examine_scope,
    examine_sign_in,
)
from twinsyncd.cloud.session import Cloud, CloudSettings, open_cloud
from twinsyncd.cloud.upload_limits import BLOCK_BYTES
from twinsyncd.core import commands, facts
from twinsyncd.core.model import (
    Fault,
    FileKey,
    Fingerprint,
)
from twinsyncd.core.results import Outcome
from twinsyncd.errors import CloudError


def drawing(lines: int) -> bytes:
    """A DXF of so many lines."""
    document = ezdxf.document.Drawing.new("R2010")
    for number in range(lines):
        document.modelspace().add_line((0, number), (1, number))
    text = io.StringIO()
    document.write(text)
    return text.getvalue().encode()


def model(name: str) -> bytes:
    """An IFC of one project."""
    file: Any = ifcopenshell.file(schema="IFC4")
    file.create_entity("IfcProject", GlobalId=ifcopenshell.guid.new(), Name=name)
    return str(file.to_string()).encode()


def content(raw: httpx.Client, storage_id: str) -> bytes:
    """What Storage holds, as anybody would download it."""
    link = raw.get(f"/storage/files/{storage_id}/download", follow_redirects=False).headers[
        "location"
    ]
    return httpx.get(link).content


def changesets(raw: httpx.Client, imodel_id: str) -> list[Any]:
    """The changesets of the iModel."""
    return list(raw.get(f"/imodels/{imodel_id}/changesets").json()["changesets"])


class Unread(Whole):
    """Content of which nothing may be read."""

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """Fail: whoever reads it sends it."""
        raise AssertionError("a content was sent that Storage holds")


def test_after_the_journal_was_lost_nothing_is_uploaded_again(office: Office) -> None:
    """Storage has the content; what is new since then is sent, and the runs go on as before."""
    data = {"a.dxf": drawing(3), "b.dxf": drawing(4)}
    ids = {path: office.store(path, content) for path, content in data.items()}
    office.run()
    knows_nothing = Office(office.cloud, office.itwin_id, office.imodel_id)

    for path, content in data.items():
        key, digest = FileKey("cad", path), hashlib.sha256(content).hexdigest()
        command = commands.Store(key, office.name, digest, Fingerprint(len(content), 1), "")
        stored = knows_nothing.target.store(command, Unread(content), lambda _: None)
        knows_nothing.items[key] = stored.storage_id
    seen = knows_nothing.run()

    assert {key.path: found for key, found in knows_nothing.items.items()} == ids
    assert knows_nothing.remote_id == office.remote_id
    assert seen.outcome is Outcome.SUCCEEDED


def test_files_become_a_changeset(office: Office, raw: httpx.Client) -> None:
    """The whole point: what lies on the drive gets into the iModel."""
    items = {office.store("a.dxf", drawing(3)), office.store("b.ifc", model("B"))}

    seen = office.run()

    assert seen.outcome is Outcome.SUCCEEDED, seen
    assert {each.storage_id: each.outcome for each in seen.files} == dict.fromkeys(
        items, Outcome.SUCCEEDED
    )
    assert {each.changeset for each in seen.files} <= {
        each["id"] for each in changesets(raw, office.imodel_id)
    }
    assert "" not in {text for each in seen.files for text in (each.task, each.changeset)}


def test_a_second_run_brings_the_edit_and_keeps_the_items(
    office: Office, raw: httpx.Client
) -> None:
    """An edit is a new content of the same file, never a second file."""
    first = office.store("a.dxf", drawing(3))
    office.run()
    before = len(changesets(raw, office.imodel_id))

    edited = drawing(4)
    second = office.store("a.dxf", edited)
    seen = office.run()

    assert (first, seen.outcome) == (second, Outcome.SUCCEEDED)
    assert content(raw, first) == edited
    assert len(changesets(raw, office.imodel_id)) == before + 1


def test_a_broken_file_fails_alone(office: Office) -> None:
    """One bad file never holds up the others, and its reason reaches a person."""
    good = office.store("a.dxf", drawing(2))
    bad = office.store("b.ifc", b"this is not an IFC file")

    seen = office.run()

    results = {each.storage_id: each for each in seen.files}
    assert seen.outcome is Outcome.PARTIAL
    assert results[good].outcome is Outcome.SUCCEEDED
    assert results[bad].outcome is Outcome.FAILED
    assert results[bad].message != ""
    assert results[bad].name == "b.ifc"
    assert "b.ifc" in seen.message


def test_a_start_during_a_run_is_refused_with_that_run(office: Office) -> None:
    """303 names the active run; the client must see it and not follow it."""
    office.store("a.dxf", drawing(2))
    office.prepare()

    started = office.start()
    refused = office.start()

    assert isinstance(started, facts.RunStarted)
    assert refused == facts.RunRefused(office.name, started.run, on_our_connection=True)
    assert office.wait(started.run).outcome is Outcome.SUCCEEDED


def test_another_connections_run_is_seen_as_not_ours(
    office: Office, cloud: Cloud, local: Ready
) -> None:
    """The lock is the iModel's; somebody else's success is not our success."""
    other = Office(cloud, local.itwin_id, office.imodel_id, name="Neighbour")
    other.store("n.dxf", drawing(2))
    other.prepare()
    office.store("a.dxf", drawing(2))
    office.prepare()

    theirs = other.start()
    refused = office.start()

    assert isinstance(theirs, facts.RunStarted)
    assert refused == facts.RunRefused(office.name, theirs.run, on_our_connection=False)
    assert office.wait(theirs.run).outcome is Outcome.SUCCEEDED


def test_starts_at_the_same_time_make_one_run(office: Office) -> None:
    """Whatever the server answers to a race, only one run may come of it."""
    office.store("a.dxf", drawing(2))
    office.prepare()
    together = threading.Barrier(4)
    answers: list[facts.RunStarted | facts.RunRefused | facts.StartClashed] = []

    def start() -> None:
        together.wait()
        answers.append(office.start())

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (ours,) = (each for each in answers if isinstance(each, facts.RunStarted))
    refused = {each.active_run for each in answers if isinstance(each, facts.RunRefused)}
    assert len(answers) == 4
    assert refused <= {ours.run}
    office.wait(ours.run)


def test_a_run_whose_answer_was_lost_is_found(office: Office) -> None:
    """After a lost 202 the machine must be able to tell a new run from the last one."""
    office.store("a.dxf", drawing(2))
    before = office.prepare()
    started = office.start()
    assert isinstance(started, facts.RunStarted)

    found = office.target.find_run(commands.FindRun(office.name, office.remote_id))

    assert before.last_run == ""
    assert found == facts.RunFound(office.name, started.run)
    office.wait(started.run)
    assert office.prepare().last_run == started.run


def test_preparing_twice_makes_one_connection(
    office: Office, cloud: Cloud, local: Ready, raw: httpx.Client
) -> None:
    """A crash between creating and remembering must not double the connection."""
    office.store("a.dxf", drawing(2))
    first = office.prepare()
    forgetful = Office(cloud, local.itwin_id, office.imodel_id)
    storage_id = forgetful.store("a.dxf", drawing(2))

    second = forgetful.prepare()

    query = {"imodelId": office.imodel_id}
    listed = raw.get("/synchronization/imodels/storageconnections", params=query).json()
    assert storage_id == office.items[FileKey("cad", "a.dxf")]
    assert second.remote_id == first.remote_id
    assert second.in_connection == (FileKey("cad", "a.dxf"),)
    assert len(listed["connections"]) == 1


def test_a_file_that_the_neighbour_has_is_refused_by_name(
    office: Office, cloud: Cloud, local: Ready
) -> None:
    """The service takes a file only once per iModel."""
    neighbour = Office(cloud, local.itwin_id, office.imodel_id, name="Neighbour")
    storage_id = neighbour.store("shared.dxf", drawing(1))
    neighbour.prepare()
    office.store("own.dxf", drawing(1))
    office.items[FileKey("cad", "shared.dxf")] = storage_id

    prepared = office.prepare()

    assert prepared.in_connection == (FileKey("cad", "own.dxf"),)
    assert [key.path for key, _ in prepared.refused] == ["shared.dxf"]
    assert "Neighbour" in prepared.refused[0][1]


@pytest.mark.parametrize("size", [0, BLOCK_BYTES, BLOCK_BYTES + 5])
def test_content_of_every_size_arrives_as_it_was(
    office: Office, raw: httpx.Client, size: int
) -> None:
    """One request or many blocks: the bytes are the same."""
    data = bytes(index % 251 for index in range(1000)) * (size // 1000 + 1)

    storage_id = office.store("a.dxf", data[:size])

    assert content(raw, storage_id) == data[:size]


def test_a_file_that_is_gone_for_good_is_stored_anew(office: Office, raw: httpx.Client) -> None:
    """Somebody tidied up Storage and the recycle bin; the next save must get through."""
    gone = office.store("a.dxf", drawing(1))
    assert raw.delete(f"/storage/files/{gone}").status_code == 204
    assert raw.delete(f"/storage/recyclebin/files/{gone}").status_code == 204

    again = office.store("a.dxf", b"again")

    assert again != gone
    assert content(raw, again) == b"again"


def test_a_connection_of_many_files_is_read_whole(office: Office) -> None:
    """More source files than fit on a page must all be seen, or they would be added twice."""
    for number in range(101):
        office.store(f"{number}.dxf", b"x")
    first = office.prepare()

    second = office.prepare()

    assert len(first.in_connection) == len(second.in_connection) == 101
    assert second.refused == ()


def test_check_says_that_all_is_well(cloud: Cloud, office: Office) -> None:
    """A first user runs check before anything else."""
    place = examine_place(cloud, itwin_id=office.itwin_id, imodel_id=office.imodel_id)
    findings = [examine_sign_in(cloud), *place]

    assert [(each.step, each.fix) for each in findings if not each.good] == []
    assert len(findings) == 4


def test_check_finds_scope_permissions_and_connection(cloud: Cloud, office: Office) -> None:
    """Each is asked for in the platform's own words, before anything is uploaded."""
    name = "Bridge 12"
    before = examine_connection(
        cloud.platform, name=name, imodel_id=office.imodel_id, connection_id=""
    )
    office.store("a.dxf", b"x")
    remote_id = office.prepare().remote_id

    found = [
        *examine_scope(cloud),
        *examine_permissions(cloud, office.itwin_id, deletes=True),
        *examine_imodel_permissions(cloud, office.itwin_id, office.imodel_id),
        examine_connection(
            cloud.platform, name=name, imodel_id=office.imodel_id, connection_id=remote_id
        ),
    ]

    assert "the first sync creates it" in before.found
    assert [each.level for each in found] == ["ok", "ok", "ok", "ok"]
    assert found[3].found == f'"{name}"'


def test_check_names_what_is_wrong(cloud: Cloud, office: Office) -> None:
    """A wrong id must be told from a missing role or a broken network."""
    nowhere = "11111111-1111-4111-8111-111111111111"

    findings = list(examine_place(cloud, itwin_id=nowhere, imodel_id=office.imodel_id))

    assert [each.good for each in findings] == [False, False, False]
    assert "do not go together" in findings[2].fix


def test_a_wrong_secret_is_refused_and_not_shown(local: Ready) -> None:
    """The commonest mistake of a first start."""
    settings = CloudSettings(
        local.client_id,
        lambda: "wrong-secret-value",
        api_url=local.api_url,
        issuer_url=local.issuer_url,
    )

    with open_cloud(settings) as cloud, pytest.raises(CloudError) as told:
        cloud.login.token()

    assert told.value.failure.fault is Fault.UNAUTHORISED
    assert "wrong-secret-value" not in str(told.value)
