"""The blob endpoint: contents whole or not at all, in the real service's words."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest
from platform_scene import Clock, Platform, opened

from localtwin.api.blobs.bodies import size_limit
from localtwin.ids import pair_id, split_pair
from localtwin.world.blobs.block_blobs import Blobs, Headers
from localtwin.world.blobs.conditions import Conditions
from localtwin.world.blobs.contents import Contents
from localtwin.world.database import Database

pytest_plugins = ["platform_fixtures"]


@pytest.fixture
def url(platform: Platform) -> str:
    """An upload URL."""
    return platform.begin_file("wall.ifc")[1]


def send(platform: Platform, method: str, url: str, **options: object) -> httpx.Response:
    request = platform.build_request(method, url, **options)  # type: ignore[arg-type]  # passed on
    del request.headers["Authorization"]
    return platform.send(request)


def block_id(number: int) -> str:
    return base64.b64encode(f"{number:06}".encode()).decode()


def put_block(platform: Platform, url: str, block: str, content: bytes) -> httpx.Response:
    quoted = httpx.QueryParams({"comp": "block", "blockid": block})
    return send(platform, "PUT", f"{url}&{quoted}", content=content)


def put_list(platform: Platform, url: str, *entries: tuple[str, str]) -> httpx.Response:
    listed = "".join(f"<{kind}>{block}</{kind}>" for kind, block in entries)
    body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'
    return send(platform, "PUT", f"{url}&comp=blocklist", content=body)


def parsed(answer: httpx.Response) -> ET.Element:
    return ET.fromstring(answer.content)  # noqa: S314 (our own server's)


def url_again(platform: Platform, url: str) -> str:
    """Return a fresh URL of the same blob: the first one has expired."""
    path = httpx.URL(url).path
    now = platform.world.clock()
    query = platform.world.signer.query(path, permissions="rw", now=now)
    return f"{url.partition('?')[0]}?{query}"


def blob_error(answer: httpx.Response) -> tuple[int, str | None]:
    code = parsed(answer).findtext("Code")
    assert code == answer.headers["x-ms-error-code"]
    return answer.status_code, code


def test_put_blob_answers_with_what_it_has(platform: Platform, url: str) -> None:
    """The MD5 lets a client check without asking again."""
    answer = platform.put_blob(url, b"content", Content_Type="application/x-ifc")

    md5 = base64.b64encode(hashlib.md5(b"content").digest()).decode()  # noqa: S324 (the protocol's)
    read = send(platform, "GET", url)
    assert (answer.status_code, answer.headers["content-md5"]) == (201, md5)
    assert (read.content, read.headers["etag"]) == (b"content", answer.headers["etag"])
    assert read.headers["content-type"] == "application/x-ifc"


def test_blocks_become_a_content_by_their_list_alone(platform: Platform, url: str) -> None:
    """Staging while a run reads the old content relies on it."""
    platform.put_blob(url, b"old")
    put_block(platform, url, block_id(1), b"world")
    put_block(platform, url, block_id(0), b"hello ")
    before = send(platform, "GET", url).content

    committed = put_list(platform, url, ("Latest", block_id(0)), ("Uncommitted", block_id(1)))

    assert (before, committed.status_code) == (b"old", 201)
    assert send(platform, "GET", url).content == b"hello world"


def test_a_list_may_reuse_committed_blocks(platform: Platform, url: str) -> None:
    """An appended file needs only its last block."""
    for number, content in enumerate((b"one", b"two")):
        put_block(platform, url, block_id(number), content)
    put_list(platform, url, ("Latest", block_id(0)), ("Latest", block_id(1)))
    put_block(platform, url, block_id(2), b"three")

    put_list(platform, url, ("Committed", block_id(1)), ("Latest", block_id(2)))

    assert send(platform, "GET", url).content == b"twothree"


def test_the_block_list_shows_what_is_staged(platform: Platform, url: str) -> None:
    """An interrupted upload goes on from here."""
    put_block(platform, url, block_id(0), b"abc")

    answer = send(platform, "GET", f"{url}&comp=blocklist&blocklisttype=all")

    root = parsed(answer)
    assert root.findtext("UncommittedBlocks/Block/Name") == block_id(0)
    assert root.findtext("UncommittedBlocks/Block/Size") == "3"
    assert root.find("CommittedBlocks/Block") is None


def test_blocks_not_listed_and_blocks_before_a_put_are_forgotten(
    platform: Platform, url: str
) -> None:
    """Left-overs of one upload must never get into another."""
    put_block(platform, url, block_id(0), b"a")
    put_block(platform, url, block_id(1), b"b")
    put_list(platform, url, ("Latest", block_id(0)))
    after_list = put_list(platform, url, ("Uncommitted", block_id(1)))
    put_block(platform, url, block_id(2), b"c")
    platform.put_blob(url, b"whole")

    after_put = put_list(platform, url, ("Latest", block_id(2)))

    assert blob_error(after_list) == (400, "InvalidBlockList")
    assert blob_error(after_put) == (400, "InvalidBlockList")


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"Content-MD5": base64.b64encode(b"0" * 16).decode()}, (400, "Md5Mismatch")),
        ({"Content-MD5": "nonsense"}, (400, "InvalidMd5")),
        ({"If-None-Match": "*"}, (409, "BlobAlreadyExists")),
        ({"If-Match": '"0x1"'}, (412, "ConditionNotMet")),
        ({"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, (412, "ConditionNotMet")),
        ({"x-ms-blob-type": "PageBlob"}, (400, "InvalidHeaderValue")),
    ],
)
def test_a_refused_put_leaves_the_content_alone(
    platform: Platform, url: str, headers: dict[str, str], problem: tuple[int, str]
) -> None:
    """Whatever is wrong: the old content stays whole."""
    platform.put_blob(url, b"old")
    headers = {"x-ms-blob-type": "BlockBlob"} | headers

    answer = send(platform, "PUT", url, content=b"new", headers=headers)

    assert blob_error(answer) == problem
    assert send(platform, "GET", url).content == b"old"


def test_the_etag_makes_a_put_conditional(platform: Platform, url: str) -> None:
    """Two writers that both read the old version: the second is refused."""
    etag = platform.put_blob(url, b"old").headers["etag"]

    first = platform.put_blob(url, b"new", If_Match=etag)
    second = platform.put_blob(url, b"newer", If_Match=etag)

    assert (first.status_code, second.status_code) == (201, 412)


def test_the_blob_type_has_to_be_said(platform: Platform, url: str) -> None:
    """The header that every client forgets once."""
    answer = send(platform, "PUT", url, content=b"x")

    assert blob_error(answer) == (400, "MissingRequiredHeader")


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("%%%", "InvalidQueryParameterValue"),
        (base64.b64encode(b"x" * 65).decode(), "InvalidQueryParameterValue"),
        (base64.b64encode(b"long enough").decode(), "InvalidBlobOrBlock"),
    ],
)
def test_block_ids_have_rules(platform: Platform, url: str, block: str, code: str) -> None:
    """Base64, at most 64 bytes, and all of one blob of one length."""
    put_block(platform, url, block_id(0), b"x")

    assert blob_error(put_block(platform, url, block, b"x")) == (400, code)


def test_a_url_expires(platform: Platform, url: str, clock: Clock) -> None:
    """One hour, after which a client has to ask for another."""
    clock.advance(minutes=59)
    in_time = platform.put_blob(url, b"x").status_code
    clock.advance(minutes=2)

    late = platform.put_blob(url, b"y")

    detail = parsed(late).findtext("AuthenticationErrorDetail")
    assert (in_time, blob_error(late)) == (201, (403, "AuthenticationFailed"))
    assert detail is not None
    assert detail.startswith("Signature not valid in the specified time frame")


@pytest.mark.parametrize("part", ["sig", "se", "sp", "sv", "path"])
def test_a_signature_covers_everything_a_url_grants(
    platform: Platform, url: str, part: str
) -> None:
    """Nobody stretches an expiry or points a URL at another file."""
    if part == "path":
        other = platform.begin_file("other.ifc")[1]
        forged = other.partition("?")[0] + "?" + url.partition("?")[2]
    else:
        changed = {"sig": "AAAA", "se": "2999-01-01T00:00:00Z", "sp": "rwd", "sv": "2020-02-10"}
        forged = str(httpx.URL(url).copy_set_param(part, changed[part]))

    assert blob_error(platform.put_blob(forged, b"x")) == (403, "AuthenticationFailed")


def test_a_download_url_does_not_write(platform: Platform) -> None:
    """Who may read a file may not change it."""
    file_id = platform.upload("wall.ifc", b"x")
    url = platform.get(f"/storage/files/{file_id}/download").headers["location"]

    answer = platform.put_blob(url, b"y")

    assert blob_error(answer) == (403, "AuthorizationPermissionMismatch")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=2-4", (206, b"234", "bytes 2-4/10")),
        ("bytes=7-", (206, b"789", "bytes 7-9/10")),
        ("bytes=5-99", (206, b"56789", "bytes 5-9/10")),
        ("nonsense", (200, b"0123456789", None)),
    ],
)
def test_ranges(
    platform: Platform, url: str, asked: str, expected: tuple[int, bytes, str | None]
) -> None:
    """Blob clients download in pieces, by a header of their own or by the common one."""
    platform.put_blob(url, b"0123456789")

    for header in ("Range", "x-ms-range"):
        answer = send(platform, "GET", url, headers={header: asked})

        described = answer.headers.get("content-range")
        assert (answer.status_code, answer.content, described) == expected


def test_a_range_behind_the_end_is_refused(platform: Platform, url: str) -> None:
    """416, with the code that clients look for."""
    platform.put_blob(url, b"0123456789")

    answer = send(platform, "GET", url, headers={"Range": "bytes=10-"})

    assert blob_error(answer) == (416, "InvalidRange")


def test_what_was_never_put_is_not_found(platform: Platform, url: str) -> None:
    """HEAD has no body, so the header carries the code."""
    head = send(platform, "HEAD", url)

    assert blob_error(send(platform, "GET", url)) == (404, "BlobNotFound")
    assert (head.status_code, head.headers["x-ms-error-code"]) == (404, "BlobNotFound")


def test_an_unchanged_blob_is_not_sent_again(platform: Platform, url: str) -> None:
    """304 by the ETag."""
    etag = platform.put_blob(url, b"x").headers["etag"]

    answer = send(platform, "GET", url, headers={"If-None-Match": etag})

    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "body",
    [b"<BlockList><Latest>", b"<Other/>", b"<BlockList><Newest>QQ==</Newest></BlockList>",
     b'<!DOCTYPE x [<!ENTITY a "b">]><BlockList><Latest>&a;</Latest></BlockList>'],
)  # fmt: skip
def test_a_block_list_has_to_be_one(platform: Platform, url: str, body: bytes) -> None:
    """No entity of a hostile document is ever expanded."""
    answer = send(platform, "PUT", f"{url}&comp=blocklist", content=body)

    assert blob_error(answer) == (400, "InvalidXmlDocument")


@pytest.mark.parametrize(
    ("version", "blob_mib", "block_mib"),
    [("2015-12-11", 64, 4), ("2019-07-07", 256, 100), ("2020-02-10", 5000, 4000)],
)
def test_limits_go_by_the_signed_version(version: str, blob_mib: int, block_mib: int) -> None:
    """The version in the URL decides, whatever the client sends."""
    limits = [size_limit(version, block=block) >> 20 for block in (False, True)]

    assert limits == [blob_mib, block_mib]


def test_a_body_above_the_limit_is_refused_unread(platform: Platform, url: str) -> None:
    """The announced length is enough to say no."""
    headers = {"x-ms-blob-type": "BlockBlob", "Content-Length": str((256 << 20) + 1)}

    answer = send(platform, "PUT", url, content=b"", headers=headers)

    assert blob_error(answer) == (413, "RequestBodyTooLarge")


def test_a_body_that_breaks_off_changes_nothing(platform: Platform, url: str) -> None:
    """A torn upload must not be taken for a file, and leaves no bytes behind."""
    platform.put_blob(url, b"old")
    folder = platform.world.folder / "blobs"
    before = [file for file in folder.rglob("*") if file.is_file()]
    headers = {"x-ms-blob-type": "BlockBlob", "Content-Length": "9"}

    answer = send(platform, "PUT", url, content=b"half", headers=headers)

    after = [file for file in folder.rglob("*") if file.is_file()]
    assert blob_error(answer) == (400, "IncompleteBody")
    assert send(platform, "GET", url).content == b"old"
    assert before == after


def test_contents_that_a_crash_left_behind_are_swept(platform: Platform, url: str) -> None:
    """Or every kill would cost disk for ever."""
    platform.put_blob(url, b"kept")
    left = platform.world.folder / "blobs" / "a" / ("a" + "0" * 31)
    left.write_bytes(b"left behind")

    platform.world.blobs.sweep()

    assert not left.exists()
    assert send(platform, "GET", url).content == b"kept"


def test_blocks_that_nobody_went_on_with_are_forgotten_after_a_week(
    platform: Platform, url: str, clock: Clock
) -> None:
    """An upload may be resumed for that long; given up, it must not cost disk for ever."""
    root = platform.world.folder / "blobs"
    put_block(platform, url, block_id(0), b"first")
    clock.advance(days=6)
    put_block(platform, url_again(platform, url), block_id(1), b"second")
    clock.advance(days=6)
    platform.world.blobs.sweep()
    kept = {file.read_bytes() for file in root.rglob("*") if file.is_file()}
    clock.advance(days=2)

    platform.world.blobs.sweep()

    left = {file.read_bytes() for file in root.rglob("*") if file.is_file()}
    assert {b"first", b"second"} <= kept
    assert not {b"first", b"second"} & left


def test_a_content_that_is_replaced_while_it_is_looked_up_is_read_whole(tmp_path: Path) -> None:
    """A download that comes between two saves gets one of them."""
    with opened(tmp_path) as world:
        root, user = pair_id(world.credentials.itwin_id, world.credentials.itwin_id), "somebody"
        item = world.storage.create(root, kind="file", name="a.ifc", description=None, user=user)
    contents = Overtaken(tmp_path / "blobs")
    database = Database(tmp_path / "world.sqlite")
    blobs = Blobs(database, contents, Clock())
    _write(blobs, item.guid, b"old")
    contents.meanwhile = lambda: _write(blobs, item.guid, b"new")

    found, content = blobs.open(item.guid)

    with content:
        assert (content.read(), found.size_bytes) == (b"new", 3)
    database.close()


class Overtaken(Contents):
    """Contents that somebody changes just before one is found."""

    meanwhile: Callable[[], None] | None = None

    def file(self, name: str) -> Path:
        act, self.meanwhile = self.meanwhile, None
        if act is not None:
            act()
        return super().file(name)


def _write(blobs: Blobs, blob: str, content: bytes) -> None:
    with blobs.receive() as incoming:
        incoming.write([content])
        blobs.put(blob, incoming, Headers(), Conditions())


def test_the_content_is_stored_under_no_name_of_the_user(platform: Platform) -> None:
    """Hostile names can't reach the disk because no name does."""
    file_id = platform.upload("..ifc", b"x")
    pair = split_pair(file_id)
    assert pair is not None

    file = platform.world.blobs.file(platform.world.blobs.get(pair[1]))

    assert file.parent.parent == platform.world.folder / "blobs"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wall 3.ifc", 'attachment; filename="wall 3.ifc"'),
        (
            "план.ifc",
            "attachment; filename=\"____.ifc\"; filename*=UTF-8''%D0%BF%D0%BB%D0%B0%D0%BD.ifc",
        ),
        (
            "平 🏗.ifc",
            "attachment; filename=\"_ _.ifc\"; filename*=UTF-8''%E5%B9%B3%20%F0%9F%8F%97.ifc",
        ),
    ],
)
def test_a_name_in_any_script_survives_the_download(
    platform: Platform, name: str, said: str
) -> None:
    """Headers carry ASCII, names of drawings do not."""
    file_id = platform.upload(name, b"content")
    location = platform.get(f"/storage/files/{file_id}/download").headers["location"]

    answer = send(platform, "GET", location)

    assert (answer.content, answer.headers["content-disposition"]) == (b"content", said)


@pytest.mark.parametrize(
    ("method", "query", "name"),
    [
        ("PUT", "", "x-ms-copy-source"),
        ("PUT", "&comp=block&blockid=MDAw", "x-ms-copy-source"),
        ("PUT", "", "x-ms-copy-source-authorization"),
        ("PUT", "", "x-ms-source-content-md5"),
        ("PUT", "&comp=blocklist", "x-ms-access-tier"),
        ("PUT", "", "x-ms-tags"),
        ("PUT", "", "x-ms-lease-id"),
        ("GET", "", "x-ms-encryption-key"),
    ],
)
def test_a_header_that_is_not_carried_out_is_refused(
    platform: Platform, url: str, method: str, query: str, name: str
) -> None:
    """An ignored copy source answered 201 and put an empty blob over the old one."""
    platform.put_blob(url, b"old")
    headers = {"x-ms-blob-type": "BlockBlob", name: "http://127.0.0.1/source"}

    answer = send(platform, method, url + query, headers=headers)

    assert blob_error(answer) == (400, "UnsupportedHeader")
    assert parsed(answer).findtext("HeaderName") == name
    assert send(platform, "GET", url).content == b"old"


@pytest.mark.parametrize("name", ["snapshot", "versionid", "restype"])
def test_a_query_parameter_that_is_not_carried_out_is_refused(
    platform: Platform, url: str, name: str
) -> None:
    """A client that asked for an older version would get the newest and not know it."""
    platform.put_blob(url, b"content")

    answer = send(platform, "GET", f"{url}&{name}=2026-03-01T12:00:00.0000000Z")

    assert blob_error(answer) == (400, "UnsupportedQueryParameter")


def test_the_id_of_a_request_comes_back_with_the_answer(platform: Platform, url: str) -> None:
    """Clients match their logs with the service's by it."""
    answer = platform.put_blob(url, b"content", x_ms_client_request_id="mine")

    assert answer.headers["x-ms-client-request-id"] == "mine"
