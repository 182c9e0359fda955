# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Manifest connections: a real object store, a real localtwin that fetches from it, real runs."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from azure.storage.blob import BlobServiceClient
from azurite_host import AZURE, azurite  # noqa: F401 - a fixture
from contract_office import LOOKS_MAX, Whole
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.server import ThreadedMotoServer
from test_main_path import changesets, drawing

from localtwin.serve import Ready
from twinsyncd.cloud.session import Cloud
from twinsyncd.connectors import connectors_for
from twinsyncd.core import commands, facts
from twinsyncd.core.commands import NamedFile
from twinsyncd.core.model import Fault, FileKey, Fingerprint
from twinsyncd.core.results import Outcome
from twinsyncd.errors import CloudError, FileMoved
from twinsyncd.targets.manifest.connection import ManifestConnection
from twinsyncd.targets.manifest.object_store import ObjectStore, ObjectStoreSettings
from twinsyncd.targets.manifest.places import PIECE_BYTES, ObjectPath, Place
from twinsyncd.targets.manifest.served_folder import ServedFolder
from twinsyncd.targets.manifest.settings import Document, ManifestConnectionSettings

KEYS = {"access_key_id": "office", "secret_access_key": "hunter2", "region": "us-east-1"}


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an object store that speaks like S3, on a port of this machine."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, request: pytest.FixtureRequest) -> Callable[[str], ObjectStore]:
    """Create the test's own bucket; return how to open a folder in it."""
    name = f"b{abs(hash(request.node.nodeid))}"
    httpx.put(f"{s3}/{name}").raise_for_status()

    def opened(folder: str) -> ObjectStore:
        options = {**KEYS, "endpoint": s3}
        url = f"s3://{name}/{folder}"
        return ObjectStore(ObjectStoreSettings(url, options, timedelta(hours=1), allow_http=True))

    return opened


def in_azure(endpoint: str, container: str) -> ObjectStore:
    """Create a container; return a folder in it."""
    credential = {name: AZURE[name] for name in ("account_name", "account_key")}
    BlobServiceClient(endpoint, credential=credential).create_container(container)
    options = {**AZURE, "endpoint": endpoint}
    url = f"az://{container}/bridge12"
    return ObjectStore(ObjectStoreSettings(url, options, timedelta(hours=1), allow_http=True))


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder, as the office's web server does."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(params=["s3", "azure", "served folder"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, bucket: Callable[[str], ObjectStore]
) -> Iterator[Place]:
    """Both kinds of places, one after the other."""
    with ExitStack() as stack:
        if request.param == "s3":
            yield bucket("bridge12")
        elif request.param == "azure":
            yield in_azure(request.getfixturevalue("azurite"), f"c{os.urandom(6).hex()}")
        else:
            yield ServedFolder(tmp_path, stack.enter_context(serving(tmp_path)))


class Bridge:
    """One configured manifest connection, driven command by command as the engine would."""

    def __init__(self, cloud: Cloud, place: Place, imodel_id: str) -> None:
        self.files: dict[str, NamedFile] = {}
        self.remote_id = ""
        settings = ManifestConnectionSettings(
            connection="Bridge 12",
            display_name="Bridge 12",
            imodel_id=imodel_id,
            connector_of=lambda key: connectors_for(key.path)[0],
            is_reference=lambda key: key.path.startswith("xref/"),
            reference_connector_of=lambda key: connectors_for(key.path)[0],
            document_of=lambda key: Document("PW:Link", {"CodeValue": key.path}),
            schema_url="http://127.0.0.1/schema.ecschema.xml",
        )
        self.imodel_id = imodel_id
        self.target = ManifestConnection(cloud.manifests, place, settings)

    def store(self, path: str, data: bytes, digest: str) -> None:
        """Store content; its digest is as given."""
        key, known = FileKey("cad", path), self.files.get(path)
        stored_id = known.storage_id if known else ""
        look = Fingerprint(len(data), 1)
        command = commands.Store(key, "Bridge 12", digest, look, stored_id)
        done = self.target.store(command, Whole(data), lambda _: None)
        self.files[path] = NamedFile(key, done.storage_id, digest)

    def prepare(self) -> facts.Prepared:
        """Prepare the connection with all source files."""
        sources = [each for each in self.files.values() if not each.key.path.startswith("xref/")]
        expected = tuple(commands.ExpectedFile(each.key, each.storage_id) for each in sources)
        prepared = self.target.prepare(commands.Prepare("Bridge 12", self.remote_id, expected))
        self.remote_id = prepared.remote_id
        return prepared

    def start(self) -> facts.RunStarted | facts.RunRefused | facts.StartClashed:
        """Ask for a run over all files."""
        files = tuple(self.files.values())
        return self.target.start_run(commands.StartRun("Bridge 12", self.remote_id, files))

    def compare(self, version: str = "") -> facts.Compared:
        """Compare what is stored with the cloud; `version`: the service's mark, as remembered."""
        files = tuple(
            commands.StoredFile(
                each.key, each.storage_id, each.digest, None, version, in_connection=True
            )
            for each in self.files.values()
        )
        return self.target.compare(commands.Compare("Bridge 12", self.remote_id, files, ""))

    def run(self) -> facts.RunSeen:
        """Prepare, start, and wait for the end."""
        self.prepare()
        started = self.start()
        assert isinstance(started, facts.RunStarted), started
        found = self.target.find_run(commands.FindRun("Bridge 12", self.remote_id))
        assert found.run == started.run
        pause = threading.Event()
        for _ in range(LOOKS_MAX):
            seen = self.target.look_at_run(commands.LookAtRun("Bridge 12", started.run))
            if seen.outcome is not Outcome.ACTIVE:
                return seen
            pause.wait(0.05)
        raise AssertionError("the run does not end")

    def ended(self) -> None:
        """Note that all is as it was in the last run."""
        for path, each in self.files.items():
            self.files[path] = NamedFile(each.key, each.storage_id, each.digest, covered=False)


@pytest.fixture
def bridge(cloud: Cloud, place: Place, new_imodel: Callable[[str], str], local: Ready) -> Bridge:
    """A manifest connection on an iModel of its own."""
    name = f"{os.urandom(4).hex()} of {type(place).__name__}"
    return Bridge(cloud, place, new_imodel(name))


def paths(place: Place) -> set[str]:
    """Return what the place holds: names and digests."""
    return {f"{path.name}@{path.digest}" for path in place.held()}


def test_a_file_goes_from_the_object_store_into_the_imodel(
    bridge: Bridge, place: Place, raw: httpx.Client
) -> None:
    """The whole way: stored, signed, fetched by the platform, processed, and proven per file."""
    bridge.store("a plan.dxf", drawing(1), "d1")
    bridge.store("b.dxf", drawing(2), "d1")

    seen = bridge.run()

    assert seen.outcome is Outcome.SUCCEEDED, seen
    ids = {each.storage_id for each in bridge.files.values()}
    assert {each.storage_id for each in seen.files} == ids
    assert all(each.changeset for each in seen.files)
    assert bridge.compare().differences == ()
    different = bridge.compare(version="read it back").differences  # its digest is not the real one
    assert {each.differs for each in different} == {facts.Differs.OVERWRITTEN}
    assert len(changesets(raw, bridge.imodel_id)) == 2


def test_only_what_changed_is_named_and_what_it_replaced_is_deleted_after_the_run(
    bridge: Bridge, place: Place
) -> None:
    """A bucket that only grows is somebody's bill; one that shrinks too early is a failed run."""
    bridge.store("a.dxf", drawing(1), "d1")
    bridge.store("b.dxf", drawing(2), "d1")
    bridge.run()
    bridge.ended()
    bridge.store("a.dxf", drawing(3), "d2")
    before = paths(place)

    seen = bridge.run()

    assert [each.storage_id for each in seen.files] == [bridge.files["a.dxf"].storage_id]
    assert before == {"a.dxf@d1", "a.dxf@d2", "b.dxf@d1"}
    assert paths(place) == {"a.dxf@d2", "b.dxf@d1"}


def test_a_reference_goes_beside_each_file_and_a_changed_one_makes_them_due(
    bridge: Bridge,
) -> None:
    """A drawing whose border changed is another drawing."""
    bridge.store("a.dxf", drawing(1), "d1")
    bridge.store("xref/border.dxf", drawing(1), "d1")
    assert bridge.run().outcome is Outcome.SUCCEEDED
    bridge.ended()

    bridge.store("xref/border.dxf", drawing(5), "d2")
    seen = bridge.run()

    assert seen.outcome is Outcome.SUCCEEDED
    assert [each.storage_id for each in seen.files] == [bridge.files["a.dxf"].storage_id]


def test_an_unmapped_file_leaves_the_imodel_and_the_store(bridge: Bridge, place: Place) -> None:
    """Removal is an action of the run, not of the connection."""
    bridge.store("a.dxf", drawing(1), "d1")
    bridge.store("b.dxf", drawing(2), "d1")
    bridge.run()
    bridge.ended()
    gone = bridge.files["b.dxf"]
    bridge.files["b.dxf"] = NamedFile(gone.key, gone.storage_id, gone.digest, unmap=True)

    seen = bridge.run()

    assert seen.outcome is Outcome.SUCCEEDED
    assert paths(place) == {"a.dxf@d1"}


def test_a_content_that_the_store_lost_is_left_out_and_found_missing(
    bridge: Bridge, place: Place
) -> None:
    """Somebody emptied the bucket; a run would fail in the cloud with "403"."""
    bridge.store("a.dxf", drawing(1), "d1")
    bridge.store("b.dxf", drawing(2), "d1")
    lost = bridge.files["b.dxf"]
    place.delete([path for path in place.held() if path.name == "b.dxf"])

    prepared = bridge.prepare()
    compared = bridge.compare()

    assert prepared.in_connection == (bridge.files["a.dxf"].key,)
    assert [key for key, _ in prepared.refused] == [lost.key]
    assert not prepared.storage_as_expected
    assert [(each.key, each.differs) for each in compared.differences] == [
        (lost.key, facts.Differs.MISSING)
    ]
    with pytest.raises(CloudError, match=r"no longer holds b\.dxf"):
        bridge.start()


def test_a_file_keeps_its_id_when_the_answer_was_lost(bridge: Bridge) -> None:
    """A second id for a file is the file twice in the iModel."""
    data = drawing(1)  # another one is a byte longer at times, by the time of day in it
    bridge.store("a.dxf", data, "d1")
    first = bridge.files.pop("a.dxf")

    bridge.store("a.dxf", data, "d1")

    assert bridge.files["a.dxf"].storage_id == first.storage_id


# ---- places -------------------------------------------------------------------------------


class Torn(Whole):
    """Content that changed while it was read."""

    def verify(self) -> None:
        """Say so."""
        raise FileMoved("changed")


@pytest.mark.parametrize("size", [5, PIECE_BYTES + 5])
def test_what_changed_while_it_was_read_is_never_stored(place: Place, size: int) -> None:
    """Half an old and half a new drawing is nobody's (P1)."""
    path = ObjectPath("id", "d1", "a.dgn")

    with pytest.raises(FileMoved):
        place.put(path, Torn(b"x" * size))

    assert place.held() == {}


@pytest.mark.parametrize("size", [0, 5, 2 * PIECE_BYTES + 5])
def test_what_is_stored_can_be_fetched_at_its_address_by_anybody(place: Place, size: int) -> None:
    """The platform has no account there."""
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    path = ObjectPath.of("id", "d1", "cad/a plan & more.dgn")

    place.put(path, Whole(data))
    place.put(path, Whole(data))

    (url,) = place.urls([path])
    assert httpx.get(url).content == data
    assert b"".join(place.read(path)) == data
    place.delete([path, path])
    assert httpx.get(url).status_code == 404
    assert place.urls([]) == []


def test_a_bucket_that_is_not_there_halts_with_its_name(s3: str) -> None:
    """The commonest mistake of a first start; no secret is shown."""
    options = {**KEYS, "endpoint": s3}
    store = ObjectStore(ObjectStoreSettings("s3://nowhere/x", options, allow_http=True))

    with pytest.raises(CloudError) as failed:
        store.put(ObjectPath("id", "d1", "a.dgn"), Whole(b"x"))

    assert failed.value.failure.fault is Fault.UNAUTHORISED
    assert "s3://nowhere/x" in failed.value.failure.message
    assert "hunter2" not in str(failed.value)
    assert "hunter2" not in repr(ObjectStoreSettings("s3://x", options))


@pytest.mark.parametrize(
    ("endpoint", "allow_http", "cause"),
    [
        ("http://127.0.0.1:9", True, "127.0.0.1 refuses connections"),
        ("http://127.0.0.1:9", False, "127.0.0.1 is not asked without encryption"),
    ],
)
def test_a_store_that_does_not_answer_passes_by_itself_and_is_named(
    endpoint: str, allow_http: bool, cause: str
) -> None:
    """A line that is down is nobody's mistake; a misspelt region looks the same at first."""
    options = {**KEYS, "endpoint": endpoint}
    store = ObjectStore(ObjectStoreSettings("s3://b/x", options, allow_http=allow_http))

    with pytest.raises(CloudError) as failed:
        store.held()

    message = failed.value.failure.message
    assert failed.value.failure.fault is Fault.TRANSIENT
    assert f"the object store s3://b/x cannot be reached: {cause}" in message
    assert "region and endpoint below [connection.objects]" in message
    assert "retries" not in message


def test_addresses_of_google_are_signed_with_the_service_account(tmp_path: Path) -> None:
    """No Google store runs on this machine, but its signature needs none."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "private_key": key.decode(),
        "private_key_id": "k1",
        "client_email": "sync@office.example.com",
        "client_id": "1",
        "gcs_base_url": "http://127.0.0.1:9",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account), "utf-8")
    options = {"service_account": str(file)}
    store = ObjectStore(ObjectStoreSettings("gs://office/bridge12", options, allow_http=True))

    (url,) = store.urls([ObjectPath.of("id", "d1", "cad/a plan.dgn")])

    assert url.startswith("http://127.0.0.1:9/office/bridge12/id/d1/a_plan.dgn?")
    assert "X-Goog-Signature=" in url
    assert "X-Goog-Expires=86400" in url


def test_an_option_that_the_store_does_not_know_is_named() -> None:
    """Options are named as the store's maker does, and nobody remembers all of them."""
    with pytest.raises(CloudError) as failed:
        ObjectStore(ObjectStoreSettings("s3://office/x", {"access_key": "hunter2"}))

    assert failed.value.failure.fault is Fault.UNAUTHORISED
    assert "'access_key'" in failed.value.failure.message
    assert "Debug" not in failed.value.failure.message
    assert "hunter2" not in failed.value.failure.message
