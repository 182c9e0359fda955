"""Uploads: whole or not at all, resumable, and safe from requests that come too late."""

from __future__ import annotations

import httpx
import pytest
from cloud_script import BLOB, BlobHost, Bytes, caught
from hypothesis import given
from hypothesis import strategies as st

from twinsyncd.cloud.blobs import Blobs
from twinsyncd.cloud.block_names import block_id
from twinsyncd.cloud.session import CloudSettings, open_cloud
from twinsyncd.cloud.upload_budget import BLOCKS_FIRST
from twinsyncd.cloud.upload_hosts import UploadHosts
from twinsyncd.cloud.upload_limits import (
    BLOCK_BYTES,
    BLOCK_LEAST_BYTES,
    BLOCKS_MAX,
    Limits,
    block_bytes,
)
from twinsyncd.cloud.whole_content import WholeContent
from twinsyncd.core.model import Fault
from twinsyncd.errors import FileMoved

PATH = "/container/one"
SMALL = b"a small drawing"
LARGE = b"".join(bytes([number]) * BLOCK_BYTES for number in range(3)) + b"tail"


def send(
    host: BlobHost, content: Bytes, *, first: bool = True, fresh: tuple[str, ...] = ()
) -> None:
    """Upload to the blob; `fresh` are the URLs given out on request, in order."""
    urls = iter(fresh)
    host.client().upload(content, BLOB, lambda: next(urls), first=first)


def methods(host: BlobHost) -> list[str]:
    """What was asked of the host, in order."""
    return [f"{r.method} {r.url.params.get('comp', '')}".strip() for r in host.requests]


@pytest.mark.parametrize("data", [b"", b"x", SMALL, bytes(BLOCK_BYTES)])
def test_a_small_new_file_costs_one_request(data: bytes) -> None:
    """A first delivery of thousands of drawings is bound by round trips."""
    host = BlobHost()

    send(host, Bytes(data))

    assert host.blobs[PATH][1] == data
    assert methods(host) == ["PUT"]
    assert host.requests[0].headers["content-length"] == str(len(data))


def test_a_large_file_arrives_whole_in_blocks() -> None:
    """Memory must not grow with the file, and one request may not carry it all."""
    host = BlobHost()

    send(host, Bytes(LARGE))

    assert host.blobs[PATH][1] == LARGE
    assert methods(host) == [*["PUT block"] * 4, "PUT blocklist"]  # a new blob holds nothing
    assert max(len(r.content) for r in host.requests) == BLOCK_BYTES


@pytest.mark.parametrize("data", [SMALL, LARGE])
def test_a_torn_read_leaves_the_blob_as_it_was(data: bytes) -> None:
    """A half-written save must never become content that a run can see."""
    host = BlobHost(blobs={PATH: ('"0"', b"before")})

    with pytest.raises(FileMoved):
        send(host, Bytes(data, torn=True), first=False)

    assert host.blobs[PATH] == ('"0"', b"before")


def test_a_broken_upload_resumes_where_it_stopped() -> None:
    """A slow line that breaks each night must still get a large file through."""
    host = BlobHost()
    done = {block_id(0, [LARGE[:BLOCK_BYTES]]): LARGE[:BLOCK_BYTES]}
    host.blocks[PATH] = dict(done)

    send(host, Bytes(LARGE), first=False)

    assert host.blobs[PATH][1] == LARGE
    assert methods(host).count("PUT block") == 3


def test_blocks_left_by_a_torn_read_are_never_taken_for_the_content() -> None:
    """The bytes of an abandoned read lie around for a week; only equal bytes may be reused."""
    host = BlobHost()
    torn = LARGE[:BLOCK_BYTES] + b"\xff" * (len(LARGE) - BLOCK_BYTES)
    with pytest.raises(FileMoved):
        send(host, Bytes(torn, torn=True))

    send(host, Bytes(LARGE), first=False)

    assert host.blobs[PATH][1] == LARGE


def test_a_url_that_may_not_list_blocks_still_uploads() -> None:
    """Listing needs a permission that the service may take away."""
    host = BlobHost(may_read=False)

    send(host, Bytes(LARGE), first=False)

    assert host.blobs[PATH][1] == LARGE


def test_replacing_is_bound_to_the_content_that_was_found() -> None:
    """A request that was given up may still arrive and overwrite what came after it."""
    host = BlobHost(blobs={PATH: ('"7"', b"before")})

    send(host, Bytes(SMALL), first=False)

    assert methods(host) == ["HEAD", "PUT"]
    assert host.requests[1].headers["if-match"] == '"7"'
    assert host.blobs[PATH][1] == SMALL


def test_a_first_upload_does_not_overwrite_unseen() -> None:
    """The late request of an earlier upload must find the door shut."""
    host = BlobHost()

    send(host, Bytes(SMALL))

    assert host.requests[0].headers["if-none-match"] == "*"


@pytest.mark.parametrize("first", [True, False])
def test_a_request_that_arrives_too_late_changes_nothing(first: bool) -> None:
    """A time-out is no proof of loss: the old bytes may come in after the new ones."""

    class Delaying(BlobHost):
        held: httpx.Request | None = None

        def __call__(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PUT" and self.held is None:
                self.held = request
                raise httpx.WriteTimeout("stuck in a queue", request=request)
            return super().__call__(request)

    host = Delaying() if first else Delaying(blobs={PATH: ('"0"', b"before")})
    send(host, Bytes(b"older"), first=first)
    send(host, Bytes(b"newer"), first=False)
    assert host.held is not None

    late = BlobHost.__call__(host, host.held)

    assert late.status_code in {409, 412}
    assert host.blobs[PATH][1] == b"newer"


def test_a_reserved_file_that_holds_nothing_yet_is_guarded_too() -> None:
    """A crash between reserving and sending leaves a known file without a blob."""
    host = BlobHost()

    send(host, Bytes(SMALL), first=False)

    assert host.requests[-1].headers["if-none-match"] == "*"
    assert host.blobs[PATH][1] == SMALL


def test_without_the_right_to_look_the_upload_is_unconditional() -> None:
    """A guard that cannot be had must not stop deliveries."""
    host = BlobHost(may_read=False, blobs={PATH: ('"7"', b"before")})

    send(host, Bytes(SMALL), first=False)

    assert host.blobs[PATH][1] == SMALL


@pytest.mark.parametrize("data", [SMALL, LARGE])
@pytest.mark.parametrize("first", [True, False])
def test_a_commit_whose_answer_was_lost_is_found_done(data: bytes, first: bool) -> None:
    """The repetition meets its own effect; that must look like success, with the same bytes."""
    host = BlobHost() if first else BlobHost(blobs={PATH: ('"0"', b"before")})
    looks = 0 if first else 1 if data is SMALL else 2  # at the blob, and at its blocks
    host.lose_answer_of = looks + (0 if data is SMALL else 4)

    send(host, Bytes(data), first=first)

    assert host.blobs[PATH][1] == data
    assert methods(host)[host.lose_answer_of] == methods(host)[host.lose_answer_of + 1]  # repeated


def test_a_commit_that_keeps_losing_the_race_is_tried_later() -> None:
    """Two writers that overtake each other for ever would hold a thread for ever."""

    class Rival(BlobHost):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            answer = super().__call__(request)
            if request.method == "HEAD":
                self.blobs[PATH] = (f'"rival {len(self.requests)}"', b"theirs")
            return answer

    host = Rival(blobs={PATH: ('"0"', b"before")})

    error = caught(lambda: send(host, Bytes(SMALL), first=False))

    assert (error.failure.fault, error.status) == (Fault.TRANSIENT, 412)
    assert methods(host) == ["HEAD", "PUT", "HEAD", "PUT"]
    assert host.blobs[PATH][1] == b"theirs"


def test_an_expired_url_is_renewed_once() -> None:
    """The URL lives an hour; a queue or a large file can outlive it."""
    host = BlobHost(signatures={"s2"})

    send(host, Bytes(SMALL), fresh=(BLOB.replace("sig=s1", "sig=s2"),))

    assert host.blobs[PATH][1] == SMALL


def test_a_url_that_is_refused_twice_is_a_failure_without_the_signature() -> None:
    """A firewall in the way must be named, and the URL must stay secret."""
    host = BlobHost(signatures=set())

    error = caught(lambda: send(host, Bytes(SMALL), fresh=(BLOB.replace("s1", "s2"),)))

    assert (error.failure.fault, error.status) == (Fault.FILE, 403)
    assert "firewall" in error.failure.message
    assert [text for text in ("sig", "s1", "s2") if text in f"{error} {error.__cause__!r}"] == []


class ExpiringHost(BlobHost):
    """A host whose first URL runs out after the first block."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = super().__call__(request)
        if request.url.params.get("comp") == "block":
            self.signatures = {"s2"}
        return answer


def test_a_url_that_runs_out_in_the_middle_goes_on_with_a_fresh_one() -> None:
    """A file that takes longer than an hour would otherwise never arrive."""
    host = ExpiringHost()

    send(host, Bytes(LARGE), fresh=(BLOB.replace("sig=s1", "sig=s2"),))

    assert host.blobs[PATH][1] == LARGE
    assert 4 <= methods(host).count("PUT block") <= 4 + BLOCKS_FIRST


def test_a_fresh_url_for_another_blob_starts_anew() -> None:
    """Blocks stay with their blob: a commit of the rest would lose the beginning."""
    host = ExpiringHost()
    elsewhere = BLOB.replace("one", "two").replace("sig=s1", "sig=s2")

    error = caught(lambda: send(host, Bytes(LARGE), fresh=(elsewhere,)))

    assert error.failure.fault is Fault.TRANSIENT
    assert host.blobs == {}
    assert "PUT blocklist" not in methods(host)


def test_the_signed_query_is_sent_letter_for_letter() -> None:
    """A re-encoded signature is a wrong signature."""
    heard: list[bytes] = []

    def host(request: httpx.Request) -> httpx.Response:
        heard.append(request.url.raw_path)
        return httpx.Response(201)

    url = "https://h.test/c/b?sv=2019-07-07&sig=a%2Bb%2F%3D&rscd=attachment%3B%20f%3D%22x%22"
    blobs = Blobs(httpx.Client(transport=httpx.MockTransport(host)))
    blobs.upload(Bytes(SMALL), url, str, first=True)
    blobs.upload(Bytes(LARGE), url, str, first=True)

    signed = url.removeprefix("https://h.test").encode()
    assert [path for path in heard if not path.startswith(signed)] == []


def test_a_client_with_a_token_is_not_accepted() -> None:
    """The token of the platform has no business at the storage host."""
    with httpx.Client(auth=httpx.BasicAuth("u", "p")) as http, pytest.raises(AssertionError):
        Blobs(http)


@given(st.integers(min_value=0, max_value=5 * 2**40))
def test_every_size_fits_into_the_blocks_allowed(size_bytes: int) -> None:
    """The host takes 50,000 blocks; a file beyond 195 GiB needs larger ones."""
    block = block_bytes(size_bytes)

    assert block >= BLOCK_BYTES
    assert -(-size_bytes // block) <= BLOCKS_MAX


def test_block_names_have_one_length() -> None:
    """The host refuses a name of another length than the first."""
    names = {len(block_id(index, [b"x" * index])) for index in (0, 9, 10, 49_999)}

    assert len(names) == 1


# ---- a proxy that limits the size of requests ------------------------------------------------


@pytest.mark.parametrize("data", [SMALL * 100_000, LARGE])
@pytest.mark.parametrize("largest", [BLOCK_BYTES - 1, 1_000_000, BLOCK_LEAST_BYTES])
def test_a_limit_on_requests_makes_the_blocks_smaller_until_they_pass(
    data: bytes, largest: int
) -> None:
    """413 of a proxy limits requests, not files; the file still gets there whole."""
    host = BlobHost(largest=largest)

    send(host, Bytes(data))

    assert host.blobs[PATH][1] == data


def test_a_limit_that_was_found_is_kept_for_the_next_files() -> None:
    """Every file would otherwise send megabytes that are refused."""
    host = BlobHost(largest=1_000_000)
    blobs = host.client()
    blobs.upload(Bytes(LARGE), BLOB, str, first=True)
    before = len(host.requests)

    blobs.upload(Bytes(LARGE), BLOB.replace("one", "two"), str, first=True)

    sizes = [len(request.content) for request in host.requests[before:]]
    assert max(sizes) <= 1_000_000
    assert host.blobs["/container/two"][1] == LARGE


def test_a_limit_below_the_least_block_is_the_files_own_failure() -> None:
    """No other file waits for it, and the message names the proxy."""
    host = BlobHost(largest=BLOCK_LEAST_BYTES - 1)

    error = caught(lambda: send(host, Bytes(LARGE)))

    assert (error.failure.fault, error.status) == (Fault.FILE, 413)
    assert "proxy" in error.failure.message


def test_a_file_that_would_need_too_many_small_blocks_is_refused_by_itself() -> None:
    """The host takes 50,000 blocks; with 64 KiB each that is 3 GiB."""
    host = BlobHost(largest=BLOCK_LEAST_BYTES)
    blobs = host.client(Limits(blocks_max=3))

    error = caught(lambda: blobs.upload(Bytes(SMALL * 100_000), BLOB, str, first=True))

    assert error.failure.fault is Fault.FILE
    assert "too large" in error.failure.message
    assert host.blobs == {}


# ---- blocks that another program left ----------------------------------------------------------

FOREIGN = {"MDAwMQ==": b"left by a portal"}


def committed(host: BlobHost, data: bytes) -> None:
    """Give the blob a content made of blocks."""
    send(host, Bytes(data))
    assert host.committed[PATH] != {}


@pytest.mark.parametrize("before", ["nothing", "blocks", "one request", "empty"])
def test_foreign_blocks_are_dropped_and_the_upload_goes_on(before: str) -> None:
    """As long as they are there the host takes no block of ours."""
    host = BlobHost()
    if before == "blocks":
        committed(host, LARGE[::-1])
    elif before != "nothing":
        send(host, Bytes(SMALL if before == "one request" else b""))
    held = [host.blobs.get(PATH, ("", b""))[1]]
    host.blocks[PATH] = dict(FOREIGN)

    class Watching(BlobHost):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            answer = host(request)
            held.append(host.blobs.get(PATH, ("", b""))[1])
            return answer

    Watching().client().upload(Bytes(LARGE), BLOB, str, first=False)

    assert host.blobs[PATH][1] == LARGE
    assert set(held) == {held[0], LARGE}


class Rival(BlobHost):
    """Another program leaves a block before each request."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Leave it, and answer."""
        self.blocks[PATH] = dict(FOREIGN)
        return super().__call__(request)


def test_beside_foreign_blocks_that_come_back_the_content_goes_out_in_one_request() -> None:
    """Two programs that clear each other's blocks would go on for ever; a whole one ends that."""
    host = Rival()

    send(host, Bytes(LARGE), first=False)

    assert host.blobs[PATH][1] == LARGE
    assert methods(host).count("GET blocklist") == 2  # it was cleared once
    assert methods(host).count("PUT block") <= BLOCKS_FIRST


@pytest.mark.parametrize("first", [True, False])
def test_foreign_blocks_that_nobody_may_list_end_with_a_whole_content(first: bool) -> None:
    """A link that may only write shows neither the blocks nor the content: 18 tries failed."""
    host = (
        BlobHost(may_read=False)
        if first
        else BlobHost(may_read=False, blobs={PATH: ('"0"', b"before")})
    )
    host.blocks[PATH] = dict(FOREIGN)

    send(host, Bytes(LARGE), first=first)

    assert host.blobs[PATH][1] == LARGE
    assert methods(host)[-1] == "PUT"


def test_a_content_too_long_to_rewrite_is_left_alone_until_the_new_one_is_there() -> None:
    """Reading gigabytes back into memory is no way out; an empty content between is none either."""
    held = []

    class Watched(BlobHost):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            answer = super().__call__(request)
            held.append(self.blobs[PATH][1])
            return answer

    host = Watched(blobs={PATH: ('"0"', b"before")})
    host.blocks[PATH] = dict(FOREIGN)
    blobs = host.client(Limits(rewrite_max_bytes=4))

    blobs.upload(Bytes(LARGE), BLOB, str, first=False)

    assert (held[-1], set(held[:-1])) == (LARGE, {b"before"})


def test_a_content_that_moves_while_it_goes_out_in_one_request_is_none() -> None:
    """The host would take half a save for the file, were its end sent before it is verified."""
    host = BlobHost(may_read=False, blobs={PATH: ('"0"', b"before")})
    host.blocks[PATH] = dict(FOREIGN)
    sent: list[bytes] = []

    with pytest.raises(FileMoved):
        send(host, Bytes(LARGE, torn=True), first=False)
    with pytest.raises(FileMoved):
        sent.extend(WholeContent(Bytes(LARGE, torn=True)))

    assert host.blobs[PATH] == ('"0"', b"before")
    assert b"".join(sent) == LARGE[: -len(b"tail")]


def test_foreign_blocks_that_no_request_is_long_enough_for_are_named() -> None:
    """Where a content fits into no request, only the other program can clear its blocks."""

    class Proxied(Rival):
        def _answer(self, request: httpx.Request) -> httpx.Response:
            if len(request.content) > BLOCK_BYTES:
                return httpx.Response(413, html="<h1>Request Entity Too Large</h1>")
            return super()._answer(request)

    host = Proxied()

    error = caught(lambda: send(host, Bytes(LARGE), first=False))

    assert (error.failure.fault, error.code) == (Fault.FILE, "InvalidBlobOrBlock")
    assert "another program left an unfinished upload" in error.failure.message
    assert host.blobs.get(PATH, ("", b""))[1] == b""


# ---- where the content may go -----------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_of_the_blob_host_is_not_followed(status: int) -> None:
    """It would take a file's content to a host that the service never named."""
    hosts = []

    def host(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(status, headers={"location": "https://evil.test/x"})

    settings = CloudSettings("id", lambda: "secret")
    with open_cloud(settings, transport=httpx.MockTransport(host)) as cloud:
        error = caught(lambda: cloud.blobs.upload(Bytes(SMALL), BLOB, lambda: BLOB, first=True))

    assert set(hosts) == {"store.example.net"}
    assert error.failure.fault is Fault.TRANSIENT


def test_a_cookie_of_an_answer_is_not_sent_back() -> None:
    """Requests depend on no earlier answer, and nothing of a proxy on the way stays with us."""
    sent: list[httpx.Headers] = []

    def host(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers)
        return httpx.Response(201, headers={"set-cookie": "affinity=1; Path=/"})

    settings = CloudSettings("id", lambda: "secret")
    with open_cloud(settings, transport=httpx.MockTransport(host)) as cloud:
        for _ in range(2):
            cloud.blobs.upload(Bytes(SMALL), BLOB, lambda: BLOB, first=True)

    assert ["cookie" in each for each in sent] == [False, False]


def test_a_blob_client_that_follows_redirects_is_not_accepted() -> None:
    """The rule must not depend on one caller."""
    with httpx.Client(follow_redirects=True) as http, pytest.raises(AssertionError):
        Blobs(http)


@pytest.mark.parametrize(
    ("first", "later", "fine"),
    [
        ("https://a1.blob.example.net/x", "https://a1.blob.example.net/y", True),
        ("https://a1.blob.example.net/x", "https://a2.blob.example.net/y", True),
        ("https://a1.blob.example.net/x", "https://a1.blob.example.net.evil.test/y", False),
        ("https://a1.blob.example.net/x", "https://evil.test/y", False),
        ("https://a.example/x", "https://b.example/y", False),
        ("https://a1.blob.example.net/x", "http://127.0.0.1:1/y", False),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:2/y", True),
        ("http://127.0.0.1:1/x", "https://evil.test/y", False),
        ("https://a1.blob.example.net/x", "http://a1.blob.example.net/y", False),
    ],
)
def test_the_first_upload_host_is_kept(first: str, later: str, fine: bool) -> None:
    """Whoever can forge an answer must not get the office's files."""
    hosts = UploadHosts()
    hosts.check(first)

    if fine:
        hosts.check(later)
    else:
        failure = caught(lambda: hosts.check(later)).failure
        assert failure.fault is Fault.UNAUTHORISED
        assert httpx.URL(later).host in failure.message


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://a.blob.example.net/x", True),
        ("https://store.example.com/x", True),
        ("https://evil.test/x", False),
    ],
)
def test_configured_upload_hosts_are_the_only_ones(url: str, fine: bool) -> None:
    """An office that knows its hosts need not trust the first answer."""
    hosts = UploadHosts(["blob.example.net", "store.example.com"])

    if fine:
        hosts.check(url)
    else:
        assert "upload_hosts" in caught(lambda: hosts.check(url)).failure.message


def test_a_fresh_url_on_a_strange_host_gets_no_byte() -> None:
    """The second answer can be forged as well as the first."""
    host = BlobHost(signatures={"s2"})

    error = caught(lambda: send(host, Bytes(SMALL), fresh=("https://evil.test/x?sig=s2",)))

    assert "evil.test" in error.failure.message
    assert {request.url.host for request in host.requests} == {"store.example.net"}
