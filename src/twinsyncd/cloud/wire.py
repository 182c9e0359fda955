"""Reads the platform's JSON into values, tolerating everything it is known to do.

Unknown members and enum values are kept or ignored; nulls and missing members are empty; dates of
the year 1 mean "not set". Only members that are indispensable are required.
Source: the pages of each API, and the 2022 exports in iTwin/demo-portal, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote

from ..core.model import StorageId
from .members import Unreadable, date, entries, href, mapping, needed, number, parsed, text
from .values import (
    Authorization,
    Changeset,
    Grant,
    Named,
    ServiceError,
    SourceFile,
    StorageConnectionInfo,
    StorageItem,
    Upload,
)

T = TypeVar("T")


def page(body: bytes, key: str, read: Callable[[Any], T]) -> tuple[tuple[T, ...], bool | None]:
    """Return the entries, and whether a next page is named (maybe wrongly); None: no links."""
    answer = mapping(parsed(body))
    more = bool(href(answer, "next")) if "_links" in answer else None
    return tuple(map(read, entries(answer, key))), more


def items(body: bytes) -> tuple[tuple[StorageItem, ...], bool | None]:
    """Read a page of a folder listing."""
    return page(body, "items", _item)


def root_folder(body: bytes) -> str:
    """Read the id of the top-level folder out of a Storage root listing."""
    link = href(mapping(parsed(body)), "folder")
    return needed(link.rstrip("/").rpartition("/")[2], "_links.folder")


def file(body: bytes) -> StorageItem:
    """Read a single file of Storage."""
    return _item(mapping(parsed(body)).get("file"))


def folder(body: bytes) -> StorageItem:
    """Read a single folder of Storage."""
    return _item(mapping(parsed(body)).get("folder"), folder=True)


def upload(body: bytes) -> Upload:
    """Read the two links of an upload; the file's id is in the second one only."""
    answer = mapping(parsed(body))
    complete = needed(href(answer, "completeUrl"), "_links.completeUrl")
    segments = complete.partition("?")[0].rstrip("/").split("/")
    if len(segments) < 2 or segments[-1].lower() != "complete":
        raise Unreadable("_links.completeUrl does not end with /complete")
    url = needed(href(answer, "uploadUrl"), "_links.uploadUrl")
    return Upload(StorageId(unquote(segments[-2])), url, complete)


def connection(body: bytes) -> StorageConnectionInfo:
    """Read a single connection."""
    return _connection(mapping(parsed(body)).get("connection"))


def connections(body: bytes) -> tuple[tuple[StorageConnectionInfo, ...], bool | None]:
    """Read a page of connections, minimal or full."""
    return page(body, "connections", _connection)


def source_files(body: bytes) -> tuple[tuple[SourceFile, ...], bool | None]:
    """Read a page of source files, minimal or full."""
    return page(body, "sourceFiles", _source_file)


def named(body: bytes, key: str) -> Named:
    """Read an iModel or iTwin."""
    return named_entry(mapping(parsed(body)).get(key))


def named_entry(value: Any) -> Named:
    """Read an iModel or iTwin of a list."""
    entry = mapping(value)
    name = text(entry, "displayName") or text(entry, "name")
    return Named(needed(text(entry, "id"), "id"), name, text(entry, "iTwinId"))


def changesets(body: bytes) -> tuple[Changeset, ...]:
    """Read a page of an iModel's changesets."""
    return page(body, "changesets", _changeset)[0]


def service_error(body: bytes) -> ServiceError:
    """Read an error body; never raises, since errors come in every shape and in none.

    The older gateway answered 401 and 429 without the envelope.
    """
    try:
        answer = mapping(parsed(body))
    except Unreadable:
        return ServiceError()
    error = answer.get("error")
    if isinstance(error, str):  # OAuth: {"error": code, "error_description": text}
        return ServiceError(error, text(answer, "error_description"))
    entry = mapping(error) or answer
    details = [mapping(each) for each in entries(entry, "details")]
    return ServiceError(
        text(entry, "code"),
        text(entry, "message"),
        tuple(said for each in details if (said := text(each, "message"))),
        tuple(target for each in [entry, *details] if (target := text(each, "target"))),
    )


def token(body: bytes) -> tuple[str, float]:
    """Read an access token and the seconds it lives (an hour if that is not given)."""
    answer = grant(body)
    return answer.access_token, answer.lifetime_s


def grant(body: bytes) -> Grant:
    """Read the answer to a request for tokens."""
    answer = mapping(parsed(body))
    lifetime = str(answer.get("expires_in"))  # a number; some gateways send it as text
    is_known = re.fullmatch(r"\d{1,9}(\.\d*)?", lifetime) is not None
    return Grant(
        needed(text(answer, "access_token"), "access_token"),
        float(lifetime) if is_known else 3600.0,
        text(answer, "refresh_token"),
    )


def endpoint(body: bytes, name: str) -> str:
    """Read an endpoint out of a discovery document."""
    return needed(text(mapping(parsed(body)), name), name)


def authorization(body: bytes) -> Authorization:
    """Read whether runs may act for the calling user."""
    entry = mapping(mapping(parsed(body)).get("authorizationInformation"))
    authorised = entry.get("isUserAuthorized")
    if not isinstance(authorised, bool):
        raise Unreadable("the answer has no isUserAuthorized")
    return Authorization(authorised, href(entry, "authorizationUrl"))


def _item(value: Any, *, folder: bool = False) -> StorageItem:
    entry = mapping(value)
    return StorageItem(
        needed(text(entry, "id"), "id"),
        text(entry, "displayName"),
        folder or text(entry, "type").lower() == "folder",
        number(entry.get("size")),
        date(entry, "createdDateTime"),
        date(entry, "lastModifiedDateTime"),
        text(entry, "parentFolderId"),
    )


def _connection(value: Any) -> StorageConnectionInfo:
    entry = mapping(value)
    named = "lastRun" in mapping(entry.get("_links"))
    return StorageConnectionInfo(
        needed(text(entry, "id"), "id"),
        text(entry, "displayName"),
        text(entry, "iModelId"),
        href(entry, "lastRun") if named else None,
        text(entry, "authenticationType"),
        text(mapping(entry.get("error")), "description"),
    )


def _source_file(value: Any) -> SourceFile:
    entry = mapping(value)
    return SourceFile(
        needed(text(entry, "id"), "id"),
        StorageId(text(entry, "storageFileId") or text(entry, "sourceFileId")),
        text(entry, "connectorType"),
        text(entry, "lastKnownFileName"),
    )


def _changeset(value: Any) -> Changeset:
    entry = mapping(value)
    about = mapping(entry.get("synchronizationInfo"))
    return Changeset(
        id=needed(text(entry, "id"), "id"),
        index=number(entry.get("index")) or 0,
        description=text(entry, "description"),
        changed_files=tuple(str(name) for name in entries(about, "changedFiles")),
        task=text(about, "taskId"),
        pushed_s=date(entry, "pushDateTime"),
    )
