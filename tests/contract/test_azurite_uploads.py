"""Uploads against Microsoft's own emulator: blocks, resume, changed tails, refused URLs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from azure.storage.blob import BlobClient, BlobSasPermissions, BlobServiceClient, generate_blob_sas
from azurite_host import AZURE, azurite  # noqa: F401 - a fixture
from contract_office import Whole

from twinsyncd.cloud.blobs import Blobs
from twinsyncd.cloud.upload_limits import BLOCK_BYTES
from twinsyncd.core.model import Fault
from twinsyncd.errors import CloudError, FileMoved

LARGE = b"".join(bytes([number]) * BLOCK_BYTES for number in range(1, 6)) + b"tail"


class Torn(Whole):
    """Content that changed while it was read."""

    def verify(self) -> None:
        """Say so."""
        raise FileMoved("changed")


class Blob:
    """One blob of Azurite, and what was asked of it."""

    def __init__(self, endpoint: str) -> None:
        credential = {name: AZURE[name] for name in ("account_name", "account_key")}
        self._service = BlobServiceClient(endpoint, credential=credential)
        self._container = f"c{uuid4().hex}"
        self._service.create_container(self._container)
        self._endpoint = endpoint
        self.asked: list[httpx.Request] = []
        self._http = httpx.Client(
            event_hooks={"request": [self.asked.append]}, trust_env=False, timeout=60
        )

    def url(self, *, valid: bool = True) -> str:
        """Return a signed URL, expired unless `valid`."""
        ends = datetime.now(UTC) + timedelta(hours=1 if valid else -1)
        query = generate_blob_sas(
            account_name=AZURE["account_name"],
            account_key=AZURE["account_key"],
            container_name=self._container,
            blob_name="one",
            permission=BlobSasPermissions(read=True, write=True),
            expiry=ends,
        )
        return f"{self._endpoint}/{self._container}/one?{query}"

    def send(self, data: bytes, *, first: bool = False, torn: bool = False) -> None:
        """Upload it as the daemon does."""
        content = Torn(data) if torn else Whole(data)
        self.blobs().upload(content, self.url(), self.url, first=first)

    def blobs(self) -> Blobs:
        return Blobs(self._http)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._service.close()

    def client(self) -> BlobClient:
        """Return Microsoft's own client of the blob."""
        return self._service.get_blob_client(self._container, "one")

    def content(self) -> bytes:
        """Return what the blob holds."""
        return self.client().download_blob().readall()

    def blocks_sent(self) -> int:
        """Return how many blocks were sent since this was last asked."""
        count = sum("comp=block&" in str(request.url) for request in self.asked)
        self.asked.clear()
        return count


@pytest.fixture
def blob(azurite: str) -> Iterator[Blob]:  # noqa: F811 - the fixture
    with closing(Blob(azurite)) as opened:
        yield opened


@pytest.mark.parametrize("data", [b"", b"a small drawing", LARGE], ids=["empty", "small", "large"])
def test_a_content_arrives_whole(blob: Blob, data: bytes) -> None:
    """The real protocol is stricter than any fake of ours."""
    blob.send(data, first=True)

    assert blob.content() == data


def test_a_changed_tail_sends_the_tail_alone(blob: Blob) -> None:
    """A list may name blocks of the content that it replaces."""
    blob.send(LARGE, first=True)
    before = blob.blocks_sent()

    blob.send(LARGE + b" and more")

    assert (before, blob.blocks_sent()) == (6, 1)
    assert blob.content() == LARGE + b" and more"


def test_what_a_torn_upload_left_is_used_and_never_shown(blob: Blob) -> None:
    """Uncommitted blocks stay for a week; the content stays as it was."""
    blob.send(b"before", first=True)
    with pytest.raises(FileMoved):
        blob.send(LARGE, torn=True)
    held, _ = blob.content(), blob.blocks_sent()

    blob.send(LARGE)

    assert held == b"before"
    assert blob.blocks_sent() == 0
    assert blob.content() == LARGE


def test_staged_blocks_change_nothing_before_they_are_committed(blob: Blob) -> None:
    """A run reads the file meanwhile; afterwards a list of names is all that is sent."""
    blob.send(b"before", first=True)
    names = blob.blobs().stage(Whole(LARGE), blob.url(), blob.url)
    held, sent = blob.content(), blob.blocks_sent()

    committed = blob.blobs().commit_staged(Whole(LARGE), names, blob.url())

    assert (held, sent, committed, blob.blocks_sent()) == (b"before", 6, True, 0)
    assert blob.content() == LARGE


def test_an_expired_url_is_renewed_once_for_all_blocks(blob: Blob) -> None:
    """Azurite says AuthorizationFailure where the cloud says AuthenticationFailed."""
    asked: list[int] = []

    def fresh() -> str:
        asked.append(1)
        return blob.url()

    blob.blobs().upload(Whole(LARGE), blob.url(valid=False), fresh, first=True)

    assert asked == [1]
    assert blob.content() == LARGE


def test_a_url_that_stays_refused_is_the_files_own_failure(blob: Blob) -> None:
    """Other files go on, and the signature is in no message."""
    expired = blob.url(valid=False)

    with pytest.raises(CloudError) as caught:
        blob.blobs().upload(Whole(LARGE), expired, lambda: expired, first=True)

    assert (caught.value.failure.fault, caught.value.status) == (Fault.FILE, 403)
    assert "sig=" not in f"{caught.value} {caught.value.__cause__!r}"


def test_somebody_elses_blocks_do_not_hold_it_up(blob: Blob) -> None:
    """Ids of another length: the cloud refuses ours beside them, Azurite takes both."""
    options: dict[str, Any] = {"block_id": "MDAwMQ==", "data": b"left by a portal"}
    blob.client().stage_block(**options)

    blob.send(LARGE)

    assert blob.content() == LARGE
