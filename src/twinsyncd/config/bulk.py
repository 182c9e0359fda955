"""The sections of a bulk connection: where its API is, and how rows become records."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field, model_validator

from ..bulk_entities import ENTITIES, PARENT_OF
from .secret_file import SecretFile
from .sections import Section
from .units import mistake
from .values import Guid, Url, choice

Constant = str | bool | int | float
_PLACEHOLDER = "no connection of this file signs in at the platform"


class Bulk(Section):
    """The bulk API of a connection, and who sends: whoever has a key, or an account."""

    url: Url | None = None
    company_guid: Guid | None = None
    api_key_file: SecretFile | None = None
    api_key_env: str = ""
    email: str = ""
    password_file: SecretFile | None = None
    password_env: str = ""
    mode: Annotated[Literal["upsert", "snapshot"], choice("upsert", "snapshot")] = "upsert"

    def check(self) -> None:
        """Raise a mistake unless it is complete."""
        if self.url is None or self.company_guid is None:
            fix = "add url and company_guid below [connection.bulk]"
            raise mistake("a bulk connection needs the address of its API", fix)
        self._check_secret()

    def _check_secret(self) -> None:
        keys = (self.api_key_file is not None) + bool(self.api_key_env)
        passwords = (self.password_file is not None) + bool(self.password_env)
        if keys and (passwords or self.email):
            message = "both an API key and an account are given"
            raise mistake(message, "keep either the key, or email and password_file")
        if keys + passwords != 1:
            message = "the API key is missing, or is there twice"
            fix = "set either api_key_file or api_key_env (the name of an environment variable)"
            raise mistake(message, f"{fix}, or email and password_file")
        if bool(passwords) != bool(self.email):
            message = "an account needs its address and its password"
            raise mistake(message, "set email and password_file (or password_env)")

    def api_key(self) -> str:
        """Return the key, read again each time. Raises OSError."""
        return _read(self.api_key_file, self.api_key_env)

    def password(self) -> str:
        """Return the account's password, read again each time. Raises OSError."""
        return _read(self.password_file, self.password_env)


def _read(file: Path | None, variable: str) -> str:
    if file is not None:
        return file.read_text("utf-8-sig").strip()
    try:
        return os.environ[variable].strip()
    except KeyError:
        message = f"the environment variable {variable} is not set"
        raise OSError(message) from None


class Rows(Section):
    """How the rows of a source's files become records of one kind."""

    entity: (
        Annotated[
            Literal["projects", "components", "assemblies", "pieces", "articles"],
            choice(*ENTITIES),
        ]
        | None
    ) = None
    columns: dict[str, str] = Field(default={})
    keys: dict[str, tuple[str, ...]] = Field(default={})
    constants: dict[str, Constant] = Field(default={})
    sheet: str = ""
    encoding: str = "utf-8"
    decimal: Annotated[Literal[".", ","], choice(".", ",")] = "."

    @model_validator(mode="after")
    def _makes_records(self) -> Rows:
        if self.entity is None:
            if self.columns or self.keys or self.constants:
                raise mistake("it is not said what the rows are", 'add entity = "pieces"')
            return self
        entity, given = ENTITIES[self.entity], self._fields()
        unknown = [name for name in given if name not in entity.fields and not entity.is_open]
        if unknown:
            message = f"{self.entity} have no field {unknown[0]}"
            raise mistake(message, f"possible are: {', '.join(entity.fields)}")
        if wrong := [name for name in self.keys if name not in {"guid", *PARENT_OF}]:
            message = f"keys make GUIDs, and {wrong[0]} is none"
            raise mistake(message, f"write {wrong[0]} under columns or constants")
        if "guid" not in {*self.columns, *self.keys}:
            message = "without a GUID every sync would make all records again"
            fix = 'name the columns that identify a record, like keys = { guid = ["Part no"] }'
            raise mistake(message, fix)
        if missing := sorted(entity.required - given.keys() - {"company_guid"}):
            message = f"{self.entity} need {', '.join(missing)}"
            raise mistake(message, f'name the column, like columns = {{ {missing[0]} = "..." }}')
        if twice := [name for name, times in given.items() if times > 1]:
            message = f"{twice[0]} is set twice"
            raise mistake(message, "keep it under one of columns, keys and constants")
        _check_encoding(self.encoding)
        return self

    def _fields(self) -> dict[str, int]:
        counted: dict[str, int] = {}
        for name in (*self.columns, *self.keys, *self.constants):
            counted[name] = counted.get(name, 0) + 1
        return counted


def _check_encoding(name: str) -> None:
    try:
        "x".encode(name)
    except (LookupError, UnicodeError):
        fix = 'write "utf-8", "cp1252" (Windows, Western Europe) or another that Python knows'
        raise mistake(f'there is no text encoding "{name}"', fix) from None


class _Source(Protocol):
    """What of a source says which set it is."""

    @property
    def include(self) -> tuple[str, ...]:
        """Its patterns."""

    @property
    def rows(self) -> Rows:
        """What its rows are."""


def check_snapshot(sources: Iterable[_Source]) -> None:
    """Raise a mistake unless each kind of records comes whole from one file."""
    seen: set[str] = set()
    for source in sources:
        entity = source.rows.entity or ""
        if len(source.include) != 1 or set("*?[]{}()|!") & set(source.include[0]):
            message = f"a snapshot of {entity} deletes what the file leaves out, so it is one file"
            raise mistake(message, f'name that file, like include = ["{entity}.csv"]')
        if entity in seen:
            message = f"two sources hold {entity}: the snapshot of each would delete the other's"
            raise mistake(message, "let one file hold all of them, and delete the other source")
        seen.add(entity)


class _Connection(Protocol):
    """What of a connection says whose sets it sends."""

    @property
    def bulk(self) -> Bulk:
        """Where it sends."""

    @property
    def source(self) -> Sequence[_Source]:
        """What it sends."""


def check_one_sender(connections: Iterable[_Connection]) -> None:
    """Raise a mistake where a snapshot would delete what another connection sends."""
    modes: dict[tuple[str, str | None, str | None], list[str]] = {}
    for connection in connections:
        bulk = connection.bulk
        for entity in {source.rows.entity for source in connection.source} if bulk.url else ():
            modes.setdefault((bulk.url or "", bulk.company_guid, entity), []).append(bulk.mode)
    for (_, _, kind), senders in modes.items():
        if len(senders) > 1 and "snapshot" in senders:
            message = f"two connections send {kind} of one company, one of them as a snapshot"
            raise mistake(message, "let one connection send them all")


def without_imodel(connection: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bulk connection's values with ids of its own in place of iTwin and iModel.

    It has neither, and each has a lane to itself. Raises a mistake where they are written.
    """
    written = [key for key in ("itwin_id", "imodel_id", "connection_id") if key in connection]
    if written:
        raise mistake(f"a bulk connection has no {written[0]}", "delete it, or choose a target")
    own = str(uuid.uuid5(uuid.NAMESPACE_OID, str(connection.get("name", ""))))
    return {**connection, "itwin_id": own, "imodel_id": own}


def with_auth(config: Any) -> Any:
    """Return the file's values; where all connections are bulk, nobody signs in at the platform."""
    connections = config.get("connection") if isinstance(config, dict) else None
    if "auth" in (config or ()) or not isinstance(connections, list) or not connections:
        return config
    if all(isinstance(each, dict) and each.get("target") == "bulk" for each in connections):
        return {**config, "auth": {"client_id": _PLACEHOLDER, "client_secret": _PLACEHOLDER}}
    return config
