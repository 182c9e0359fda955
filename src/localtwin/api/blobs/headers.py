"""Headers of blob requests and answers: conditions, and what is stored with a content.

Source: Blob service REST API, "Put Blob", "Put Block List", "Get Blob Properties", "Specifying
conditional headers for Blob service operations".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Request

from localtwin.api.blobs.checksums import check_md5_form
from localtwin.errors import BlobRefusal
from localtwin.world.blobs.blob_records import Blob
from localtwin.world.blobs.block_blobs import Headers
from localtwin.world.blobs.conditions import Conditions

_METADATA = "x-ms-meta-"
_METADATA_BYTES = 8 << 10
# Source: Blob service REST API, "Put Blob": x-ms-blob-cache-control and the like, or without it.
_STORED = ("Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language")


_KNOWN_HEADERS = frozenset(
    {
        "x-ms-blob-cache-control",
        "x-ms-blob-content-disposition",
        "x-ms-blob-content-encoding",
        "x-ms-blob-content-language",
        "x-ms-blob-content-md5",
        "x-ms-blob-content-type",
        "x-ms-blob-type",
        "x-ms-client-request-id",
        "x-ms-content-crc64",
        "x-ms-date",
        "x-ms-range",
        "x-ms-range-get-content-crc64",
        "x-ms-range-get-content-md5",
        "x-ms-return-client-request-id",
        "x-ms-useragent",
        "x-ms-version",
    }
)
_KNOWN_QUERY = frozenset(
    {"blockid", "blocklisttype", "comp", "rscd", "se", "sig", "sp", "sr", "sv", "timeout"}
)


def refuse_unsupported(request: Request) -> None:
    """Raise BlobRefusal for a header or query parameter whose effect this endpoint does not have.

    A copy source that is ignored would replace the blob by an empty one; a snapshot, tier, tag or
    lease that is ignored would be reported as done.
    """
    for name in request.headers:
        known = name in _KNOWN_HEADERS or name.startswith(_METADATA)
        if name.startswith("x-ms-") and not known:
            raise BlobRefusal("UnsupportedHeader", HeaderName=name)
    for name in request.query_params:
        if name not in _KNOWN_QUERY:
            raise BlobRefusal("UnsupportedQueryParameter", QueryParameterName=name)


def conditions_of(request: Request, *, reading: bool = False) -> Conditions:
    """Return the conditions of the request."""
    headers = request.headers
    return Conditions(
        if_match=headers.get("if-match"),
        if_none_match=headers.get("if-none-match"),
        if_modified_since=_date(headers.get("if-modified-since")),
        if_unmodified_since=_date(headers.get("if-unmodified-since")),
        reading=reading,
    )


def kept_headers(request: Request) -> Headers:
    """Return the headers to store with the content."""
    headers = request.headers
    content_type = headers.get("x-ms-blob-content-type")
    if content_type is None and "comp" not in request.query_params:
        content_type = headers.get("content-type")
    md5 = headers.get("x-ms-blob-content-md5")
    if md5 is not None:
        check_md5_form(md5)
    return Headers(content_type or "application/octet-stream", md5, _stored_headers(request))


def written_headers(blob: Blob) -> dict[str, str]:
    """Return the headers of the answer to a writer."""
    headers = {
        "ETag": blob.etag,
        "Last-Modified": http_date(blob.modified),
        "x-ms-request-server-encrypted": "true",
    }
    return headers if blob.md5 is None else headers | {"Content-MD5": blob.md5}


def property_headers(
    blob: Blob, stored: Mapping[str, str], disposition: str | None
) -> dict[str, str]:
    """Return the headers for a reader; `disposition`, from the URL, overrides `stored`."""
    headers = written_headers(blob) | {
        "Accept-Ranges": "bytes",
        "Content-Type": blob.content_type,
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": http_date(blob.created),
        "x-ms-lease-state": "available",
        "x-ms-lease-status": "unlocked",
        **stored,
    }
    if disposition is not None:
        headers["Content-Disposition"] = disposition
    return headers


def http_date(moment: str) -> str:
    """Return a recorded moment as headers write it."""
    return format_datetime(datetime.fromisoformat(moment).astimezone(UTC), usegmt=True)


def _stored_headers(request: Request) -> dict[str, str]:
    """Return the metadata and the headers to keep, by the names that readers get them under."""
    headers = request.headers
    stored = {name: text for name, text in headers.items() if name.startswith(_METADATA)}
    if (
        sum(len(name) - len(_METADATA) + len(text) for name, text in stored.items())
        > _METADATA_BYTES
    ):
        raise BlobRefusal("MetadataTooLarge")
    whole = "comp" not in request.query_params
    for name in _STORED:
        text = headers.get(f"x-ms-blob-{name.lower()}", headers.get(name) if whole else None)
        if text is not None:
            stored[name] = text
    return stored


def _date(header: str | None) -> datetime | None:
    if header is None:
        return None
    try:
        moment = parsedate_to_datetime(header)
    except ValueError as invalid:
        raise BlobRefusal("InvalidHeaderValue", HeaderValue=header) from invalid
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
