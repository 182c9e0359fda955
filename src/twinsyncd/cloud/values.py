"""The platform's answers as values; only the members that are used here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..core.model import StorageId


@dataclass(frozen=True, slots=True)
class StorageItem:
    """A file or folder in Storage; times are seconds since the epoch, 0 if not given.

    size_bytes is None if not given. `parent_id` is the id of its folder.
    """

    id: str
    name: str
    is_folder: bool = False
    size_bytes: int | None = None
    created_s: float = 0.0
    modified_s: float = 0.0
    parent_id: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """Where a file's content goes; the URL is a secret that lives for an hour."""

    storage_id: StorageId
    url: str = field(repr=False)
    complete_link: str


@dataclass(frozen=True, slots=True)
class StorageConnectionInfo:
    """A connection; last_run_link is None if the answer has no such member.

    `authentication`: "User" or "Service", "" if the answer has none. `error`: what the service has
    to say about the connection itself, like that its user's authorisation ended.
    """

    id: str
    name: str
    imodel_id: str = ""
    last_run_link: str | None = None
    authentication: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source file of a connection; `connector` and `name` are "" if the answer has none."""

    id: str
    storage_id: StorageId
    connector: str = ""
    name: str = ""  # as of the last run; empty until the first one


@dataclass(frozen=True, slots=True)
class Task:
    """The result of one file in a run; can_user_fix is None if the service does not tell."""

    storage_id: StorageId
    state: str
    result: str
    message: str = ""
    article: str = ""  # link to an explanation, "" if none
    can_user_fix: bool | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run; started_s: since the epoch, 0 while not set."""

    id: str
    state: str
    result: str
    started_s: float = 0.0
    error_key: str = ""
    error_text: str = ""
    error_article: str = ""  # link to an explanation, "" if none
    error_can_user_fix: bool | None = None  # None if the service does not tell
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportLink:
    """Where the diagnostic report of a task is; the URL is a secret. `task`: "" if not told."""

    task: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Named:
    """Something with a name and the iTwin it belongs to."""

    id: str
    name: str
    itwin_id: str = ""


@dataclass(frozen=True, slots=True)
class ServiceError:
    """The error envelope of an answer, as far as it could be read."""

    code: str = ""
    message: str = ""
    details: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """What the sign-in service grants; `refresh_token` is "" if it gave none."""

    access_token: str = field(repr=False)
    lifetime_s: float
    refresh_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Authorization:
    """Whether runs may act for the calling user; if not, the page at `url` lets them agree."""

    authorised: bool
    url: str = ""


class Start(StrEnum):
    """The answer to a request to start a run."""

    ACCEPTED = "accepted"  # 202: a new run
    ACTIVE = "active"  # 303: this run is active on the iModel; nothing was started
    CLASHED = "clashed"  # 409: several requests came at once; ours was not accepted


@dataclass(frozen=True, slots=True)
class StartAnswer:
    """The answer to a start request; `location` names the new or the active run.

    `reason`: why it clashed.
    """

    start: Start
    location: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Changeset:
    """One changeset of an iModel; `changed_files` are the names of the sources it came from.

    `task`: the id of the synchronization task that wrote it, "" if the service does not tell.
    `pushed_s`: since the epoch, 0 if not given.
    """

    id: str
    index: int
    description: str
    changed_files: tuple[str, ...]
    task: str = ""
    pushed_s: float = 0.0
