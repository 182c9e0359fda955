"""Clients that were written for the real platform, unchanged."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient, ContentSettings
from platform_scene import signing_key

from localtwin.ids import pair_id
from localtwin.serve import Ready, Settings, serving
from localtwin.world.world import write_private

pytestmark = pytest.mark.xdist_group("localtwin-clients")

HERE = Path(__file__).parent
NODE_MODULES = HERE.parents[1] / ".cache" / "npm" / "node_modules"
MIB = 1 << 20


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """A server on a loopback port, for programs of others."""
    data: Path = tmp_path_factory.mktemp("clients")
    write_private(data / "token.pem", signing_key())
    with serving(Settings(data, job_module="platform_jobs", workers=1)) as ready:
        yield ready


@pytest.fixture(scope="module")
def http(local: Ready) -> Iterator[httpx.Client]:
    """A signed-in client."""
    form = {"grant_type": "client_credentials", "scope": "itwin-platform"}
    with httpx.Client(base_url=local.api_url) as client:
        login = (local.client_id, local.client_secret)
        token = client.post("/connect/token", data=form, auth=login).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture
def upload_url(http: httpx.Client, local: Ready) -> str:
    """Where the content of a new file goes."""
    root = pair_id(local.itwin_id, local.itwin_id)
    made = http.post(f"/storage/folders/{root}/files", json={"displayName": "bridge.dgn"})
    url: str = made.json()["_links"]["uploadUrl"]["href"]
    return url


@pytest.fixture
def blob(upload_url: str) -> Iterator[BlobClient]:
    """The Azure client on that address; it sends in blocks what is above 256 KiB."""
    with BlobClient.from_blob_url(
        upload_url, max_single_put_size=MIB // 4, max_block_size=MIB // 4
    ) as client:
        yield client


def test_azure_uploads_a_small_file_and_reads_what_it_is(blob: BlobClient) -> None:
    """A connector's usual file is one request, and its properties come back as they were set."""
    settings = ContentSettings(content_type="image/vnd.dgn")

    written = blob.upload_blob(b"drawing", overwrite=True, content_settings=settings)
    found = blob.get_blob_properties()

    assert (found.size, found.etag) == (7, written["etag"])
    assert found.content_settings.content_type == "image/vnd.dgn"
    assert blob.download_blob().readall() == b"drawing"


def test_azure_uploads_in_blocks_and_downloads_in_ranges(blob: BlobClient) -> None:
    """Large files go up in parallel blocks; every byte has to come back where it was."""
    content = bytes(range(256)) * (MIB // 256) + b"end"

    blob.upload_blob(content, overwrite=True, max_concurrency=2)
    committed, staged = blob.get_block_list("all")

    assert (len(committed), staged) == (5, [])
    assert blob.download_blob(max_concurrency=2).readall() == content
    assert blob.download_blob(offset=MIB - 2, length=4).readall() == content[MIB - 2 : MIB + 2]


def test_azure_resumes_where_an_upload_broke_off(blob: BlobClient) -> None:
    """After a broken line only the missing blocks are sent again."""
    blob.stage_block("block-1", b"one")

    _, staged = blob.get_block_list("uncommitted")
    blob.stage_block("block-2", b"two")
    blob.commit_block_list([BlobBlock(block.id) for block in staged] + [BlobBlock("block-2")])

    assert blob.download_blob().readall() == b"onetwo"


def test_azure_lets_the_service_check_what_arrived(blob: BlobClient) -> None:
    """Its hashes go along with every request, and a right one is believed."""
    blob.upload_blob(b"drawing", overwrite=True, validate_content=True)

    assert blob.download_blob(validate_content=True).readall() == b"drawing"


def test_azure_understands_the_refusals(blob: BlobClient, upload_url: str) -> None:
    """An error it can't name would be retried for ever."""
    forged = upload_url.replace("sp=rw", "sp=rwd")

    with pytest.raises(ResourceNotFoundError) as missing:
        blob.download_blob()
    with (
        BlobClient.from_blob_url(forged) as stranger,
        pytest.raises(ClientAuthenticationError) as refused,
    ):
        stranger.upload_blob(b"x", overwrite=True)

    assert getattr(missing.value, "error_code", "") == "BlobNotFound"
    assert getattr(refused.value, "error_code", "") == "AuthenticationFailed"


npm_clients = pytest.mark.skipif(
    not NODE_MODULES.is_dir() or shutil.which("node") is None,
    reason="the npm clients are not installed; .ci/run does that",
)


def seen_by(script: str, local: Ready, *more: str) -> Any:
    """Run a script of `clients` and return what it printed."""
    answers = (str(NODE_MODULES), local.api_url, local.client_id, local.client_secret, *more)
    ended = subprocess.run(
        ["node", str(HERE / "clients" / script), *answers],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@npm_clients
def test_the_npm_clients_find_their_way(local: Ready) -> None:
    """They carry the assumptions of everybody who builds on them."""
    assert seen_by("office.mjs", local) == {
        "token": "Bearer",
        "created": 201,
        "itwin": True,
        "found": [True],
        "missing": "iTwinNotFound",
        "imodel": ["Bridge 12", True],
        "imodels": ["Bridge 12"],
        "changesets": [],
        "version": "Start",
        "twice": "iModelExists",
        "deleted": 204,
    }


@npm_clients
def test_the_npm_clients_read_what_a_run_wrote(
    local: Ready, http: httpx.Client, tmp_path: Path
) -> None:
    """Changesets through the backend's storage client, and whoever the links lead to."""
    root = pair_id(local.itwin_id, local.itwin_id)
    links = http.post(f"/storage/folders/{root}/files", json={"displayName": "a.ifc"}).json()
    upload, complete = (links["_links"][name]["href"] for name in ("uploadUrl", "completeUrl"))
    httpx.put(upload, content=b"wall", headers={"x-ms-blob-type": "BlockBlob"})
    file = http.post(complete).json()["file"]["id"]
    named = {"iTwinId": local.itwin_id, "name": "Read by others"}
    imodel = http.post("/imodels", json=named).json()["iModel"]["id"]
    source = {"storageFileId": file, "connectorType": "IFC"}
    body = {"iModelId": imodel, "authenticationType": "Service", "sourceFiles": [source]}
    connections = "/synchronization/imodels/storageconnections"
    connection = http.post(connections, json=body).json()["connection"]["id"]
    run = http.post(f"{connections}/{connection}/run").headers["location"]
    while http.get(run).json()["run"]["state"] != "Completed":
        pass

    assert seen_by("reader.mjs", local, imodel, str(tmp_path)) == {
        "downloaded": [True],
        "tasks": ["string"],
        "creator": [True, 1],
        "users": 2,
        "permissions": 4,
        "marked": [1, 1],
        "unmarked": 0,
        "account": True,
    }
