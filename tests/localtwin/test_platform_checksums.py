"""Headers of a content: checksums and conditions are checked, others are stored and returned."""

from __future__ import annotations

import base64
import hashlib
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobBlock, BlobClient, ContentSettings
from platform_scene import Platform, expect, signing_key

from localtwin.ids import pair_id
from localtwin.serve import Settings, serving
from localtwin.world.blobs.contents import Contents, sums_of
from localtwin.world.storage.items import FILE
from localtwin.world.world import write_private

pytest_plugins = ["platform_fixtures"]

HELLO = b"Hello World!"
HELLO_CRC64 = "peH8Xsgc5QI="  # as the service itself computed it
WRONG_CRC64 = "AQIDBAUGBwg="
HELLO_MD5 = base64.b64encode(hashlib.md5(HELLO).digest()).decode()  # noqa: S324 (the protocol's)
BLOCK = base64.b64encode(b"000001").decode()
LIST = f"<BlockList><Latest>{BLOCK}</Latest></BlockList>".encode()


@pytest.fixture
def url(platform: Platform) -> str:
    """An upload URL."""
    return platform.begin_file("wall.ifc")[1]


@pytest.fixture(scope="module")
def blob(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlobClient]:
    """The Azure client on the upload URL of a new file."""
    data: Path = tmp_path_factory.mktemp("checksums")
    write_private(data / "token.pem", signing_key())
    settings = Settings(data, job_module="platform_jobs", workers=1)
    with serving(settings) as local, httpx.Client(base_url=local.api_url) as http:
        form = {"grant_type": "client_credentials", "scope": "itwin-platform"}
        login = (local.client_id, local.client_secret)
        token = http.post("/connect/token", data=form, auth=login).json()["access_token"]
        root = pair_id(local.itwin_id, local.itwin_id)
        made = http.post(
            f"/storage/folders/{root}/files",
            json={"displayName": "bridge.dgn"},
            headers={"Authorization": f"Bearer {token}"},
        )
        with BlobClient.from_blob_url(
            expect(made, 202)["_links"]["uploadUrl"]["href"],
            max_single_put_size=1024,
            max_block_size=1024,
        ) as client:
            yield client


def send(platform: Platform, method: str, url: str, **options: object) -> httpx.Response:
    request = platform.build_request(method, url, **options)  # type: ignore[arg-type]  # passed on
    del request.headers["Authorization"]
    return platform.send(request)


def write(platform: Platform, url: str, way: str, **headers: str) -> httpx.Response:
    """Send HELLO or the list that names it, in one of the three ways of writing."""
    dashed = {name.replace("_", "-"): value for name, value in headers.items()}
    match way:
        case "blob":
            dashed = {"x-ms-blob-type": "BlockBlob"} | dashed
            return send(platform, "PUT", url, content=HELLO, headers=dashed)
        case "block":
            quoted = httpx.QueryParams({"comp": "block", "blockid": BLOCK})
            return send(platform, "PUT", f"{url}&{quoted}", content=HELLO, headers=dashed)
        case _:
            return send(platform, "PUT", f"{url}&comp=blocklist", content=LIST, headers=dashed)


def facts(answer: httpx.Response) -> dict[str, str | None]:
    """Return every element of an error but the message."""
    root = ET.fromstring(answer.content)  # noqa: S314 (our own server's)
    return {element.tag: element.text for element in root if element.tag != "Message"}


@pytest.mark.parametrize("way", ["blob", "block", "list"])
def test_a_right_crc64_is_believed_and_a_wrong_one_refused(
    platform: Platform, url: str, way: str
) -> None:
    """Polynomial and byte order are the service's own, or no client's checksum would fit."""
    write(platform, url, "block")
    right = HELLO_CRC64 if way != "list" else str(sums_of(LIST).crc64)

    wrong = write(platform, url, way, x_ms_content_crc64=WRONG_CRC64)
    taken = write(platform, url, way, x_ms_content_crc64=right)

    assert (wrong.status_code, facts(wrong)) == (
        400,
        {"Code": "Crc64Mismatch", "UserSpecifiedCrc": WRONG_CRC64, "ServerCalculatedCrc": right},
    )
    assert taken.status_code == 201
    assert taken.headers.get("x-ms-content-crc64", right) == right


@pytest.mark.parametrize("way", ["blob", "block", "list"])
def test_a_wrong_md5_is_refused_with_both_values(platform: Platform, url: str, way: str) -> None:
    """Whoever reads the error sees which side is wrong."""
    write(platform, url, "block")
    right = HELLO_MD5 if way != "list" else str(sums_of(LIST).md5)
    claimed = base64.b64encode(b"0" * 16).decode()

    wrong = write(platform, url, way, Content_MD5=claimed)

    assert facts(wrong) == {
        "Code": "Md5Mismatch",
        "UserSpecifiedMd5": claimed,
        "ServerCalculatedMd5": right,
    }
    assert write(platform, url, way, Content_MD5=right).status_code == 201


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x_ms_content_crc64": "AQID"}, "InvalidCrc64"),
        ({"x_ms_content_crc64": "%"}, "InvalidCrc64"),
        ({"Content_MD5": HELLO_MD5, "x_ms_content_crc64": HELLO_CRC64}, "InvalidHeaderValue"),
        ({"x_ms_structured_body": "XSM/1.0; properties=crc64"}, "UnsupportedHeader"),
        ({"If_Match": "*", "If_None_Match": '"0x1"'}, "MultipleConditionHeadersNotSupported"),
    ],
)
def test_headers_that_make_no_sense_are_refused_before_the_body(
    platform: Platform, url: str, headers: dict[str, str], code: str
) -> None:
    """Above all a framed body: taken for content it would be stored with its frames."""
    answer = write(platform, url, "blob", **headers)

    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (400, code)
    assert send(platform, "GET", url).status_code == 404


def test_the_md5_to_keep_is_checked_against_the_content(platform: Platform, url: str) -> None:
    """Kept wrong it would fail every later download."""
    claimed = base64.b64encode(b"0" * 16).decode()

    wrong = write(platform, url, "blob", x_ms_blob_content_md5=claimed)
    no_md5 = write(platform, url, "blob", x_ms_blob_content_md5="nonsense")

    assert facts(wrong)["Code"] == "Md5Mismatch"
    assert facts(no_md5)["Code"] == "InvalidMd5"


def test_a_checksum_computed_in_pieces_is_that_of_the_whole(tmp_path: Path) -> None:
    """A large body never comes at once."""
    with Contents(tmp_path).receive(summed=True) as incoming:
        incoming.write([b"", HELLO[:5]])
        incoming.write([b"", HELLO[5:]])

        assert incoming.sums == sums_of(HELLO)
    assert sums_of(HELLO).crc64 == HELLO_CRC64


def test_a_body_of_very_many_pieces_is_written_whole(tmp_path: Path) -> None:
    """No system takes any number of them in one call."""
    pieces = [f"{number} ".encode() for number in range(3000)]

    with Contents(tmp_path).receive() as incoming:
        incoming.write(pieces)

        assert incoming.file.read_bytes() == b"".join(pieces)
        assert incoming.size_bytes == sum(map(len, pieces))


def test_a_write_that_the_disk_takes_in_part_is_no_whole_one(tmp_path: Path) -> None:
    """A nearly full disk does that; the rest is written too, and its failure is reported."""
    with file_size_limit(8), Contents(tmp_path).receive() as incoming:
        with pytest.raises(OSError, match="File too large"):
            incoming.write([HELLO[:5], HELLO[5:]])

        assert incoming.file.read_bytes() == HELLO[:8]


@contextmanager
def file_size_limit(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond that, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("name", "answered"),
    [
        ("x-ms-range-get-content-md5", ("Content-MD5", HELLO_MD5)),
        ("x-ms-range-get-content-crc64", ("x-ms-content-crc64", HELLO_CRC64)),
    ],
)
def test_a_range_comes_with_the_checksum_that_was_asked_for(
    platform: Platform, url: str, name: str, answered: tuple[str, str]
) -> None:
    """A client that downloads in pieces checks each by itself."""
    platform.put_blob(url, b"--" + HELLO + b"--")

    answer = send(platform, "GET", url, headers={"Range": "bytes=2-13", name: "true"})

    assert (answer.status_code, answer.content) == (206, HELLO)
    assert answer.headers[answered[0]] == answered[1]


@pytest.mark.parametrize("asked", [None, "bytes=0-4194304"], ids=["whole", "long"])
def test_no_checksum_of_a_whole_or_of_a_long_range(
    platform: Platform, url: str, asked: str | None
) -> None:
    """The service says no rather than read gigabytes before the first byte."""
    platform.put_blob(url, b"x" * ((4 << 20) + 1))
    headers = {"x-ms-range-get-content-md5": "true"} | ({"Range": asked} if asked else {})

    answer = send(platform, "GET", url, headers=headers)

    assert facts(answer) == {
        "Code": "InvalidHeaderValue",
        "HeaderName": "x-ms-range-get-content-md5",
        "HeaderValue": "true",
    }


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"If-None-Match": "*"}, 400),
        ({"If-None-Match": '"0x1"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200),
        ({"If-Match": "*", "If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 200),
        ({"If-Match": "*", "If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 400),
        ({"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00"}, 200),
        ({"If-Modified-Since": "yesterday"}, 400),
    ],
    ids=["never true", "etag before date", "etag before date 2", "bad pair", "no zone", "no date"],
)
def test_conditions_of_a_read(
    platform: Platform, url: str, conditions: dict[str, str], status: int
) -> None:
    """Each as the service documents it; none of them may fail the server."""
    platform.put_blob(url, HELLO)

    assert send(platform, "GET", url, headers=conditions).status_code == status


def test_azure_has_its_crc64_checked(blob: BlobClient) -> None:
    """Microsoft's own code computes it; of one request and of blocks."""
    for size in (12, 5000):
        content = bytes(range(250)) * 20 if size == 5000 else HELLO

        blob.upload_blob(content, overwrite=True, validate_content="crc64")

        assert blob.download_blob().readall() == content


def test_azure_understands_that_its_checksum_did_not_fit(blob: BlobClient) -> None:
    """It must see an error, not a success, when a line damages what it sends."""
    with pytest.raises(HttpResponseError) as refused:
        blob.stage_block("block-1", HELLO, headers={"x-ms-content-crc64": WRONG_CRC64})
    blob.stage_block("block-1", HELLO, validate_content="crc64")
    blob.commit_block_list([BlobBlock("block-1")])

    assert getattr(refused.value, "error_code", "") == "Crc64Mismatch"


def test_azure_checks_each_range_that_it_downloads(blob: BlobClient) -> None:
    """With its older check it asks for the MD5 of every range."""
    blob.upload_blob(HELLO * 100, overwrite=True, validate_content=True)

    assert (
        blob.download_blob(validate_content=True, offset=5, length=9).readall()
        == ((HELLO * 100)[5:14])
    )


@pytest.mark.parametrize("content", [HELLO, HELLO * 200], ids=["whole", "in blocks"])
def test_azure_reads_the_metadata_and_settings_that_it_wrote(
    blob: BlobClient, content: bytes
) -> None:
    """Programs mark their files with them: an author, a version, how long to cache."""
    settings = ContentSettings(
        content_type="image/x-dgn", cache_control="no-store", content_language="de-CH, en"
    )
    blob.upload_blob(
        content, overwrite=True, metadata={"author": "B", "rev": "7 a"}, content_settings=settings
    )

    answers = blob.get_blob_properties()
    read = blob.download_blob().properties

    for found in (answers, read):
        assert found.metadata == {"author": "B", "rev": "7 a"}
        assert found.content_settings.content_type == "image/x-dgn"
        assert found.content_settings.cache_control == "no-store"
        assert found.content_settings.content_language == "de-CH, en"


def test_stored_headers_go_with_their_content(blob: BlobClient) -> None:
    """The author of an old content must not be taken for that of the new one."""
    blob.upload_blob(HELLO, overwrite=True, metadata={"author": "A"})
    blob.upload_blob(HELLO, overwrite=True)

    assert blob.get_blob_properties().metadata == {}


def test_a_put_may_name_headers_as_they_are_read(platform: Platform, url: str) -> None:
    """Clients without a library send them so; the URL's own disposition goes before the stored."""
    headers = {"Content-Encoding": "identity", "Cache-Control": "max-age=60"}
    headers["x-ms-blob-cache-control"] = "no-cache"
    headers["x-ms-blob-content-disposition"] = "inline"

    platform.put_blob(url, HELLO, **headers)

    read = send(platform, "GET", url)
    assert read.headers["content-encoding"] == "identity"
    assert read.headers["cache-control"] == "no-cache"
    assert read.headers["content-disposition"] == 'attachment; filename="wall.ifc"'


def test_metadata_have_a_size(platform: Platform, url: str) -> None:
    """Eight KiB of names and values, as the service takes."""
    fits, too_large = "v" * ((8 << 10) - 1), "v" * (8 << 10)

    taken = platform.put_blob(url, HELLO, x_ms_meta_n=fits)
    refused = platform.put_blob(url, b"other", x_ms_meta_n=too_large)

    assert taken.status_code == 201
    assert facts(refused)["Code"] == "MetadataTooLarge"
    assert send(platform, "GET", url).content == HELLO


def test_stored_headers_are_deleted_with_their_blob(platform: Platform) -> None:
    """Nothing of a deleted file stays in the database."""
    before = told_rows(platform)
    file_id, url = platform.begin_file("marked.ifc")
    platform.put_blob(url, HELLO, x_ms_meta_author="A")
    platform.put_blob(url, HELLO, x_ms_meta_author="B")
    expect(platform.post(f"/storage/files/{file_id}/complete"), 200)
    kept = told_rows(platform)

    expect(platform.delete(f"/storage/files/{file_id}"), 204)
    platform.world.recycle_bin.purge(file_id, kind=FILE)

    assert (kept, told_rows(platform)) == (before + 1, before)


def told_rows(platform: Platform) -> int:
    """Count the contents with stored headers."""
    with closing(sqlite3.connect(platform.world.folder / "world.sqlite")) as database:
        return int(database.execute("SELECT count(*) FROM stored_headers").fetchone()[0])
