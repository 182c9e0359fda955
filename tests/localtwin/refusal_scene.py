"""Tables of requests that must be refused, and things there for them to be refused about."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from platform_scene import Platform, expect

STORAGE = "/synchronization/imodels/storageconnections"
MANIFEST = "/synchronization/imodels/manifestconnections"
NOBODY = "6d2f0a94-0d5c-4a2e-9c55-0c0c6c1b7a11"
"""A GUID that nothing has."""

Details = Sequence[tuple[str, str, str | None]]
INCOMPLETE = "A property required to create or update a connection is missing."


@dataclass(frozen=True, slots=True)
class Refused:
    """A request, with the names of `Things` in braces, and the one right answer to it."""

    request: str
    body: dict[str, Any] | None
    status: int
    code: str
    message: str
    details: Details = field(default_factory=list)
    target: str | None = None

    def __str__(self) -> str:
        """Return what pytest shows."""
        detail = " ".join(str(part) for part in self.details[0][::2]) if self.details else ""
        return f"{self.request} {self.status} {self.code} {detail}".strip()

    def asked(self, platform: Platform, things: dict[str, str]) -> httpx.Response:
        """Return the answer."""
        method, _, path = self.request.partition(" ")
        body = None if self.body is None else _filled(self.body, things)
        return platform.request(method, path.format_map(things), json=body)

    @property
    def answer(self) -> dict[str, Any]:
        """The whole body of the right answer."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error["target"] = self.target
        if self.details:
            error["details"] = [_detail(*detail) for detail in self.details]
        return {"error": error}


def things_for(platform: Platform) -> dict[str, str]:
    """Return the names of what there is: connections of both kinds and files."""
    imodel = platform.new_imodel()
    file, other = platform.upload("wall.ifc", b"wall"), platform.upload("roof.ifc", b"roof")
    mapped = platform.upload("door.ifc", b"door")
    storage = platform.connect(imodel, file)
    platform.connect(imodel, mapped)
    return {
        "itwin": platform.itwin_id,
        "imodel": imodel,
        "root": platform.root,
        "file": file,
        "other": other,
        "mapped": mapped,
        "storage": storage,
        "storage_source": _first_source(platform, f"{STORAGE}/{storage}"),
        "none": NOBODY,
        "lost": platform.begin_file("never.ifc")[0],
    } | _manifest(platform, imodel)


def _manifest(platform: Platform, imodel: str) -> dict[str, str]:
    body = {"iModelId": imodel, "sourceFiles": [{"sourceFileId": "W"}]}
    manifest = expect(platform.post(MANIFEST, json=body), 201)["connection"]["id"]
    source = _first_source(platform, f"{MANIFEST}/{manifest}")
    expect(platform.post(MANIFEST, json=body | {"sourceFiles": [{"sourceFileId": "V"}]}), 201)
    return {"manifest": manifest, "manifest_source": source}


def _first_source(platform: Platform, url: str) -> str:
    (source,) = expect(platform.get(f"{url}/sourcefiles"), 200)["sourceFiles"]
    return str(uuid.UUID(source["id"]))


def _filled(value: Any, things: dict[str, str]) -> Any:
    match value:
        case str():
            return value.format_map(things)
        case dict():
            return {key: _filled(inner, things) for key, inner in value.items()}
        case list():
            return [_filled(inner, things) for inner in value]
        case _:
            return value


def _detail(code: str, message: str, target: str | None) -> dict[str, str]:
    return {"code": code, "message": message} | ({} if target is None else {"target": target})
