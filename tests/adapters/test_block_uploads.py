"""Blocks of a large file: several at a time, and none that the host holds already."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field

import httpx
import pytest
from cloud_script import BLOB, BlobHost, Bytes, caught

from twinsyncd.cloud.blobs import Blobs
from twinsyncd.cloud.upload_budget import BLOCKS_FIRST, UploadBudget
from twinsyncd.cloud.upload_limits import BLOCK_BYTES, Limits, signed_block_bytes
from twinsyncd.core.model import Failure, Fault
from twinsyncd.errors import CloudError, FileMoved

PATH = "/container/one"
WAIT_S = 10.0
LARGE = b"".join(bytes([number]) * BLOCK_BYTES for number in range(7)) + b"tail"


def blocks_sent(host: BlobHost) -> list[bytes]:
    """Return the first byte and the length of each block that reached the host."""
    return [request.content[:1] for request in host.requests if "comp=block&" in str(request.url)]


@dataclass
class Gathering(BlobHost):
    """A host that answers no block before a number of them is there."""

    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(BLOCKS_FIRST))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if "comp=block&" in str(request.url):
            self.together.wait(WAIT_S)
        return super().__call__(request)


def test_several_blocks_are_under_way_at_a_time() -> None:
    """One block at a time leaves the line idle for a round trip after each."""
    host = Gathering()

    host.client().upload(Bytes(LARGE), BLOB, str, first=True)

    assert host.blobs[PATH][1] == LARGE


def test_a_changed_tail_sends_the_tail_alone() -> None:
    """A drawing of a gigabyte that somebody added a line to must not take an hour."""
    host = BlobHost()
    host.client().upload(Bytes(LARGE), BLOB, str, first=True)
    host.requests.clear()

    host.client().upload(Bytes(LARGE + b" and more"), BLOB, str, first=False)

    assert blocks_sent(host) == [b"t"]
    assert host.blobs[PATH][1] == LARGE + b" and more"


def test_a_change_in_the_middle_sends_one_block() -> None:
    """DGN is written in place: its head changes with every save, most of the rest does not."""
    host = BlobHost()
    host.client().upload(Bytes(LARGE), BLOB, str, first=True)
    host.requests.clear()
    changed = b"\xff" + LARGE[1:]

    host.client().upload(Bytes(changed), BLOB, str, first=False)

    assert blocks_sent(host) == [b"\xff"]
    assert host.blobs[PATH][1] == changed


def test_equal_blocks_at_other_places_are_told_apart() -> None:
    """The list is an order; a block that counts twice would shorten the file."""
    host = BlobHost()
    data = bytes(3 * BLOCK_BYTES) + b"x"

    host.client().upload(Bytes(data), BLOB, str, first=True)

    assert host.blobs[PATH][1] == data


def test_blocks_of_a_broken_upload_are_not_sent_again() -> None:
    """A crash at half of a point cloud costs what was on its way, not the half (P8)."""

    class Dying(BlobHost):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            if len(blocks_sent(self)) >= 5:
                raise httpx.ConnectError("the power went", request=request)
            return super().__call__(request)

    dying = Dying()
    caught(lambda: dying.client().upload(Bytes(LARGE), BLOB, str, first=True))
    host = BlobHost(blocks=dying.blocks)

    host.client().upload(Bytes(LARGE), BLOB, str, first=False)

    assert len(blocks_sent(host)) == 8 - 5
    assert host.blobs[PATH][1] == LARGE


def test_a_block_that_fails_ends_the_upload_with_its_reason() -> None:
    """The reader must not go on for an hour for nothing, and nothing may be committed."""

    class Refusing(BlobHost):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            if "comp=block&" in str(request.url) and request.content[:1] == b"\x01":
                self.requests.append(request)
                return httpx.Response(400, headers={"x-ms-error-code": "OutOfRangeInput"})
            return super().__call__(request)

    host, content = Refusing(), Bytes(LARGE * 5)

    error = caught(lambda: host.client().upload(content, BLOB, str, first=True))

    assert (error.failure.fault, error.code) == (Fault.FILE, "OutOfRangeInput")
    assert host.blobs == {}
    assert len(blocks_sent(host)) < 20


def test_a_torn_read_ends_what_is_under_way_before_it_is_reported() -> None:
    """The next attempt must not meet blocks of this one that are still being sent."""
    host = Gathering()

    with pytest.raises(FileMoved):
        host.client().upload(Bytes(LARGE, torn=True), BLOB, str, first=True)

    assert len(blocks_sent(host)) == 8
    assert host.blobs == {}


def test_one_fresh_url_serves_all_blocks_under_way() -> None:
    """Each call for a URL counts against the rate that the platform allows."""

    @dataclass
    class Expired(Gathering):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            if "sig=s1" in str(request.url) and "comp=block&" in str(request.url):
                self.together.wait(WAIT_S)
                return httpx.Response(403)
            return BlobHost.__call__(self, request)

    host, asked = Expired(signatures={"s1", "s2"}), []

    def fresh() -> str:
        asked.append(1)
        return BLOB.replace("s1", "s2")

    host.client().upload(Bytes(LARGE), BLOB, fresh, first=True)

    assert asked == [1]
    assert host.blobs[PATH][1] == LARGE


@pytest.mark.parametrize(("renew_s", "is_renewed"), [(3000.0, True), (math.inf, False)])
def test_an_old_url_is_renewed_before_it_is_refused_where_that_harms_nothing(
    renew_s: float, is_renewed: bool
) -> None:
    """A refused block has been sent for nothing, and on a slow line that takes minutes."""
    clock = [0.0]

    @dataclass
    class Slow(BlobHost):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            clock[0] += 1000.0
            return super().__call__(request)

    host = Slow(signatures={"s1", "s2"})
    blobs = Blobs(
        httpx.Client(transport=httpx.MockTransport(host)),
        limits=Limits(renew_s=renew_s),
        budget=UploadBudget(blocks_max=1, clock=lambda: clock[0]),
    )

    blobs.upload(Bytes(LARGE), BLOB, lambda: BLOB.replace("s1", "s2"), first=True)

    urls = [str(each.url) for each in host.requests]
    assert any("sig=s2" in url for url in urls) is is_renewed
    assert "sig=s1" in urls[0]
    assert host.blobs[PATH][1] == LARGE


def test_a_url_that_cannot_be_renewed_early_goes_on_being_used() -> None:
    """It is valid for some minutes yet, and these may be enough."""
    host, asked = BlobHost(), []

    def refuse() -> str:
        asked.append(1)
        raise CloudError("renew", Failure(Fault.TRANSIENT, "not now"))

    blobs = Blobs(httpx.Client(transport=httpx.MockTransport(host)), limits=Limits(renew_s=0.0))
    blobs.upload(Bytes(LARGE), BLOB, refuse, first=True)

    assert asked
    assert host.blobs[PATH][1] == LARGE


def test_files_of_several_threads_share_one_memory() -> None:
    """Five large files at once would otherwise take five times the memory."""
    host = BlobHost()
    budget = UploadBudget(memory_bytes=3 * BLOCK_BYTES)
    blobs = Blobs(httpx.Client(transport=httpx.MockTransport(host)), budget=budget)
    urls = [BLOB.replace("one", f"file{number}") for number in range(5)]

    threads = [
        threading.Thread(target=blobs.upload, args=(Bytes(LARGE), url, str), kwargs={"first": True})
        for url in urls
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)

    assert [data for _, data in host.blobs.values()] == [LARGE] * 5


@pytest.mark.parametrize(
    ("version", "mebibytes"),
    [("2015-04-05", 4), ("2017-04-17", 100), ("2019-07-07", 100), ("2020-10-02", 4000)],
)
def test_the_signed_version_limits_the_blocks(version: str, mebibytes: int) -> None:
    """The host judges a request by the version that its URL was signed for."""
    assert signed_block_bytes(f"https://h/c/b?sv={version}&sig=x") == mebibytes << 20


@pytest.mark.parametrize("data", [b"a small drawing", LARGE])
def test_what_went_out_is_counted_and_what_the_host_held_too(data: bytes) -> None:
    """People see how far an upload is; a resumed one must not seem to hang at half."""
    host, again = BlobHost(), Bytes(data)
    first = Bytes(data)

    host.client().upload(first, BLOB, str, first=True)
    host.client().upload(again, BLOB, str, first=False)

    # The requests' own XML counts as well; it is small beside any content worth watching.
    assert [each.sent // (len(data) - 4) for each in (first, again)] == [1, 1]
