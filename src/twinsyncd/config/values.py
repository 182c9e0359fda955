"""The types of single values: ids, addresses, names, choices, connectors, paths."""

from __future__ import annotations

import difflib
import re
import ssl
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from ..connectors import KNOWN_CONNECTORS, RETIRED
from .default_globs import AUTO
from .folders import find_unreachable
from .units import mistake
from .windows_paths import advice_for, misread

UNREACHED: Final = "unreached"
"""In the context of a validation: folders that cannot be reached are left to `contradictions`."""

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OPAQUE: Final = re.compile(r"[A-Za-z0-9_-]{20,128}")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_NOT_IN_NAMES: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
RUN_SETTINGS: Final = ("reclassifyDgnElements", "ignoreDgnAttachments", "enableSheetsAndDrawings")
EXAMPLE_ID: Final = "MWplZe9Uf0iR1IDMqyOMLqBN0_wHEVBGg_CzJmXdmE4"
_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}


def _guid(text: str) -> str:
    lowered = text.strip().strip("{}").lower()
    if not _GUID.fullmatch(lowered):
        raise mistake(
            f'"{text}" is not an id',
            "copy the id from the portal, like 0a1b2c3d-1111-2222-3333-444455556666",
        )
    return lowered


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as exc:
        fix = "write it like https://api.example.com or https://api.example.com:8443"
        raise mistake(f'"{text}" is not a web address ({exc})', fix) from exc
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise mistake(f'"{text}" is not a web address', "write it with https:// in front")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise mistake(
            "the client secret would be sent unencrypted", "write https:// instead of http://"
        )
    return text.rstrip("/")


def _proxy_url(text: str) -> str:
    """Check the address of an HTTP proxy; user and password may stand before the host."""
    parts = urlsplit(text if "://" in text else f"http://{text}")
    shown = parts.netloc.rpartition("@")[2] or text.rpartition("@")[2]
    fix = "write it like http://proxy.example.com:3128"
    if parts.scheme.startswith("socks"):
        raise mistake("it names a SOCKS proxy, which is not supported", f"{fix}: an HTTP proxy")
    try:
        usable = bool(parts.hostname) and parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise mistake(f'"{shown}" is not the address of a proxy', fix)
    return parts.geturl()


def _run_settings(given: dict[str, bool | int | float]) -> dict[str, bool | int | float]:
    """Check names of the platform's own settings for the runs of one connection.

    Source: Synchronization API, "Configurations", scope connection (technical preview), 2026-11.
    """
    for name, value in given.items():
        if name not in RUN_SETTINGS:
            near = difflib.get_close_matches(name, RUN_SETTINGS, n=1)
            hint = f'did you mean "{near[0]}"? ' if near else ""
            listed = ", ".join(RUN_SETTINGS)
            raise mistake(f'"{name}" is no setting of a connection', f"{hint}known are {listed}")
        if not isinstance(value, bool):
            raise mistake(f'"{name}" is switched on or off', "write true or false")
    return given


def _certificates(file: Path) -> Path:
    """Check that a file holds certificates in PEM form."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except (OSError, ssl.SSLError) as exc:
        reason = exc.strerror if type(exc) is not ssl.SSLError and exc.strerror else str(exc)
        fix = "name a file of certificates in PEM form that this account may read"
        raise mistake(f"the certificates in {file} cannot be read ({reason})", fix) from exc
    return file


def _redirect_url(text: str) -> str:
    """Check where the browser comes back to: a port of this machine, and nothing encrypted."""
    fix = "write it like http://localhost:3000/signin-callback, as it is in the portal"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as exc:
        raise mistake(f'"{text}" is not a web address ({exc})', fix) from exc
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or parts.query or parts.fragment:
        raise mistake(f'"{text}" is not an address of this machine', fix)
    if port is None:
        raise mistake(f'"{text}" names no port', fix)
    return text


def _objects_url(text: str) -> str:
    """Check the address of an object store, or of a folder that a web server serves."""
    parts = urlsplit(text)
    if parts.scheme in {"s3", "gs", "az"} and parts.netloc and not parts.query:
        return text.rstrip("/")
    if parts.scheme in {"http", "https"}:
        return _url(text)
    fix = "write it like s3://bucket/folder, gs://bucket/folder, az://container/folder or https://"
    raise mistake(f'"{text}" is not the address of an object store', fix)


def _connection_id(text: str) -> str:
    """Check an id that the service made: opaque, 43 characters in all examples, one path segment.

    Source: Synchronization API, "Create storage connection", read 2026-11.
    """
    clean = text.strip()
    if not _OPAQUE.fullmatch(clean):
        fix = f"copy the connection's id (43 characters), like {EXAMPLE_ID}"
        raise mistake(f'"{text}" is not an id', fix)
    return clean


def _host(text: str) -> str:
    host = text.strip().lower().rstrip(".")
    if not _HOST.fullmatch(host):
        fix = "write the name alone, like storage.example.com"
        raise mistake(f'"{text}" is not the name of a host', fix)
    return host


def _name(text: str) -> str:
    if not text.strip() or text != text.strip() or len(text) > 255 or _NOT_IN_NAMES.search(text):
        raise mistake(
            f'"{text}" cannot be the name of a folder in Storage',
            'use 1 to 255 characters without \\ / : * ? " < > | and without spaces at the ends',
        )
    return text


def _storage_folder(text: str) -> str:
    for part in text.split("/"):
        _name(part)
    return text


def choice(*allowed: str) -> BeforeValidator:
    """Return a check for one of a few words."""

    def check(value: object) -> object:
        listed = ", ".join(f'"{word}"' for word in allowed)
        if value not in allowed:
            raise mistake(f"{value!r} is not a possible value", f"write {listed}")
        return value

    return BeforeValidator(check)


def _connector(value: object) -> object:
    known = [AUTO, *sorted(KNOWN_CONNECTORS)]
    name = value.upper() if isinstance(value, str) and value != AUTO else value
    if name in known:
        return name
    if name in RETIRED:
        fix = "choose another of: twinsyncd connectors"
        raise mistake(f"the service no longer accepts the connector {name}", fix)
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f'did you mean "{near[0]}"? ' if near else ""
    raise mistake(f"{value!r} is not a connector", f"{hint}write one of: {', '.join(known)}")


def absolute(value: object, info: ValidationInfo) -> object:
    """Make a path absolute: `~` is the home folder, a relative path counts from the file's."""
    if not isinstance(value, str):
        return value
    if meant := misread(value.strip()):
        message = "in double quotes TOML reads a backslash otherwise than Windows does"
        raise mistake(message, advice_for(meant))
    base: Path = (info.context or {}).get("base", Path())
    try:
        path = Path(value.strip().replace("\\", "/")).expanduser()
    except RuntimeError as exc:
        raise mistake(f'"{value}" names an unknown home folder', "write the whole path") from exc
    if not value.strip():
        raise mistake("the path is empty", "write the path of a folder or file")
    return base / path


def _reachable(folder: Path, info: ValidationInfo) -> Path:
    """Raise for a folder that cannot be listed, unless `contradictions` decides about that."""
    if (info.context or {}).get(UNREACHED):
        return folder
    for reason in find_unreachable([folder]).values():
        raise mistake(*reason)
    return folder


Guid = Annotated[str, AfterValidator(_guid)]
Url = Annotated[str, AfterValidator(_url)]
RunSettings = Annotated[dict[str, bool | int | float], AfterValidator(_run_settings)]
ProxyUrl = Annotated[str, AfterValidator(_proxy_url)]
Certificates = Annotated[Path, BeforeValidator(absolute), AfterValidator(_certificates)]
FilePath = Annotated[Path, BeforeValidator(absolute)]
Folder = Annotated[Path, BeforeValidator(absolute), AfterValidator(_reachable)]
ConnectionId = Annotated[str, AfterValidator(_connection_id)]
RedirectUrl = Annotated[str, AfterValidator(_redirect_url)]
ObjectsUrl = Annotated[str, AfterValidator(_objects_url)]
Hosts = tuple[Annotated[str, AfterValidator(_host)], ...]
Name = Annotated[str, AfterValidator(_name)]
StorageFolder = Annotated[str, AfterValidator(_storage_folder)]
Connector = Annotated[str, BeforeValidator(_connector)]
