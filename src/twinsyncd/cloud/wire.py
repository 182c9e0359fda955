"""Reads the platform's JSON into values, tolerating everything it is known to do.

Unknown members and enum values are kept or ignored; nulls and missing members are empty; dates of
the year 1 mean "not set". Only members that are indispensable are required.
Source: the pages of each API, and the 2022 exports in iTwin/demo-portal, read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from ..core.model import StorageId
from .values import (
    Authorization,
    Changeset,
    Grant,
    Named,
    Run,
    ServiceError,
    SourceFile,
    StorageConnectionInfo,
    StorageItem,
    Task,
    Upload,
)

T = TypeVar("T")
_NOTHING: Final[Mapping[str, Any]] = {}


class Unreadable(ValueError):
    """The answer lacks a member that is indispensable."""


def page(body: bytes, key: str, read: Callable[[Any], T]) -> tuple[tuple[T, ...], bool | None]:
    """Return the entries, and whether a next page is named (maybe wrongly); None: no links."""
    answer = _mapping(_json(body))
    more = bool(_href(answer, "next")) if "_links" in answer else None
    return tuple(map(read, _entries(answer, key))), more


def items(body: bytes) -> tuple[tuple[StorageItem, ...], bool | None]:
    """Read a page of a folder listing."""
    return page(body, "items", _item)


def root_folder(body: bytes) -> str:
    """Read the id of the top-level folder out of a Storage root listing."""
    link = _href(_mapping(_json(body)), "folder")
    return _needed(link.rstrip("/").rpartition("/")[2], "_links.folder")


def file(body: bytes) -> StorageItem:
    """Read a single file of Storage."""
    return _item(_mapping(_json(body)).get("file"))


def folder(body: bytes) -> StorageItem:
    """Read a single folder of Storage."""
    return _item(_mapping(_json(body)).get("folder"), folder=True)


def upload(body: bytes) -> Upload:
    """Read the two links of an upload; the file's id is in the second one only."""
    answer = _mapping(_json(body))
    complete = _needed(_href(answer, "completeUrl"), "_links.completeUrl")
    segments = complete.partition("?")[0].rstrip("/").split("/")
    if len(segments) < 2 or segments[-1].lower() != "complete":
        raise Unreadable("_links.completeUrl does not end with /complete")
    url = _needed(_href(answer, "uploadUrl"), "_links.uploadUrl")
    return Upload(StorageId(unquote(segments[-2])), url, complete)


def connection(body: bytes) -> StorageConnectionInfo:
    """Read a single connection."""
    return _connection(_mapping(_json(body)).get("connection"))


def connections(body: bytes) -> tuple[tuple[StorageConnectionInfo, ...], bool | None]:
    """Read a page of connections, minimal or full."""
    return page(body, "connections", _connection)


def source_files(body: bytes) -> tuple[tuple[SourceFile, ...], bool | None]:
    """Read a page of source files, minimal or full."""
    return page(body, "sourceFiles", _source_file)


def runs(body: bytes) -> tuple[tuple[Run, ...], bool | None]:
    """Read a page of runs, minimal or full."""
    return page(body, "runs", _run)


def run(body: bytes) -> Run:
    """Read a single run with its jobs' tasks."""
    return _run(_mapping(_json(body)).get("run"))


def named(body: bytes, key: str) -> Named:
    """Read an iModel or iTwin."""
    return named_entry(_mapping(_json(body)).get(key))


def named_entry(value: Any) -> Named:
    """Read an iModel or iTwin of a list."""
    entry = _mapping(value)
    name = _text(entry, "displayName") or _text(entry, "name")
    return Named(_needed(_text(entry, "id"), "id"), name, _text(entry, "iTwinId"))


def changesets(body: bytes) -> tuple[Changeset, ...]:
    """Read a page of an iModel's changesets."""
    return page(body, "changesets", _changeset)[0]


def service_error(body: bytes) -> ServiceError:
    """Read an error body; never raises, since errors come in every shape and in none.

    The older gateway answered 401 and 429 without the envelope.
    """
    try:
        answer = _mapping(_json(body))
    except Unreadable:
        return ServiceError()
    error = answer.get("error")
    if isinstance(error, str):  # OAuth: {"error": code, "error_description": text}
        return ServiceError(error, _text(answer, "error_description"))
    entry = _mapping(error) or answer
    details = [_mapping(each) for each in _entries(entry, "details")]
    return ServiceError(
        _text(entry, "code"),
        _text(entry, "message"),
        tuple(text for each in details if (text := _text(each, "message"))),
        tuple(target for each in [entry, *details] if (target := _text(each, "target"))),
    )


def token(body: bytes) -> tuple[str, float]:
    """Read an access token and the seconds it lives (an hour if that is not given)."""
    answer = grant(body)
    return answer.access_token, answer.lifetime_s


def grant(body: bytes) -> Grant:
    """Read the answer to a request for tokens."""
    answer = _mapping(_json(body))
    lifetime = str(answer.get("expires_in"))  # a number; some gateways send it as text
    is_known = re.fullmatch(r"\d{1,9}(\.\d*)?", lifetime) is not None
    return Grant(
        _needed(_text(answer, "access_token"), "access_token"),
        float(lifetime) if is_known else 3600.0,
        _text(answer, "refresh_token"),
    )


def endpoint(body: bytes, name: str) -> str:
    """Read an endpoint out of a discovery document."""
    return _needed(_text(_mapping(_json(body)), name), name)


def authorization(body: bytes) -> Authorization:
    """Read whether runs may act for the calling user."""
    entry = _mapping(_mapping(_json(body)).get("authorizationInformation"))
    authorised = entry.get("isUserAuthorized")
    if not isinstance(authorised, bool):
        raise Unreadable("the answer has no isUserAuthorized")
    return Authorization(authorised, _href(entry, "authorizationUrl"))


def _item(value: Any, *, folder: bool = False) -> StorageItem:
    entry = _mapping(value)
    return StorageItem(
        _needed(_text(entry, "id"), "id"),
        _text(entry, "displayName"),
        folder or _text(entry, "type").lower() == "folder",
        _number(entry.get("size")),
        _date(entry, "createdDateTime"),
        _date(entry, "lastModifiedDateTime"),
        _text(entry, "parentFolderId"),
    )


def _connection(value: Any) -> StorageConnectionInfo:
    entry = _mapping(value)
    named = "lastRun" in _mapping(entry.get("_links"))
    return StorageConnectionInfo(
        _needed(_text(entry, "id"), "id"),
        _text(entry, "displayName"),
        _text(entry, "iModelId"),
        _href(entry, "lastRun") if named else None,
        _text(entry, "authenticationType"),
        _text(_mapping(entry.get("error")), "description"),
    )


def _source_file(value: Any) -> SourceFile:
    entry = _mapping(value)
    return SourceFile(
        _needed(_text(entry, "id"), "id"),
        StorageId(_text(entry, "storageFileId") or _text(entry, "sourceFileId")),
        _text(entry, "connectorType"),
        _text(entry, "lastKnownFileName"),
    )


def _run(value: Any) -> Run:
    entry = _mapping(value)
    error = _mapping(entry.get("error"))
    jobs = [_mapping(job) for job in _entries(entry, "jobs")]
    return Run(
        _needed(_text(entry, "id"), "id"),
        _text(entry, "state"),
        _text(entry, "result"),
        _date(entry, "startDateTime"),
        _text(error, "errorKey"),
        _text(error, "description") or _text(error, "message"),
        _text(error, "kbArticleLink"),
        tuple(_task(task) for job in jobs for task in _entries(job, "tasks")),
    )


def _task(value: Any) -> Task:
    entry = _mapping(value)
    error = _mapping(entry.get("error"))
    report = _mapping(_mapping(entry.get("details")).get("synchronizationReport"))
    can_user_fix = error.get("canUserFix")
    texts = (_text(error, "message"), _text(error, "description"))  # what, and what to do
    message = " ".join(dict.fromkeys(text for text in texts if text)) or _text(report, "message")
    return Task(
        StorageId(_text(entry, "storageFileId") or _text(entry, "sourceFileId")),
        _text(entry, "state"),
        _text(entry, "result"),
        message,
        _text(error, "kbArticleLink"),
        can_user_fix if isinstance(can_user_fix, bool) else None,
        _text(entry, "id"),
    )


def _changeset(value: Any) -> Changeset:
    entry = _mapping(value)
    about = _mapping(entry.get("synchronizationInfo"))
    return Changeset(
        id=_needed(_text(entry, "id"), "id"),
        index=_number(entry.get("index")) or 0,
        description=_text(entry, "description"),
        changed_files=tuple(str(name) for name in _entries(about, "changedFiles")),
        task=_text(about, "taskId"),
        pushed_s=_date(entry, "pushDateTime"),
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Unreadable("the answer is not JSON") from exc


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _NOTHING


def _entries(entry: Mapping[str, Any], key: str) -> list[Any]:
    value = entry.get(key)
    return value if isinstance(value, list) else []


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    plain = isinstance(value, int) and not isinstance(value, bool)
    return value if plain and 0 <= value < 2**63 else None


def _date(entry: Mapping[str, Any], key: str) -> float:
    """Return seconds since the epoch; 0 for a date of the year 1, which means "not set"."""
    try:
        moment = datetime.fromisoformat(_text(entry, key))
    except ValueError:
        return 0.0
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def _href(entry: Mapping[str, Any], key: str) -> str:
    return _text(_mapping(_mapping(entry.get("_links")).get(key)), "href")


def _needed(text: str, what: str) -> str:
    if not text:
        raise Unreadable(f"the answer has no {what}")
    return text
