"""Compares what goes over the wire with an OpenAPI document."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml
from jsonschema import Draft202012Validator, FormatChecker

Operation = tuple[re.Pattern[str], dict[str, Any]]
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    body: bytes
    status: int
    content_type: str
    answer: bytes

    @classmethod
    def of(cls, answer: httpx.Response) -> Exchange:
        """Return what httpx sent and received."""
        return cls(
            answer.request.method,
            answer.request.url.path,
            answer.request.content,
            answer.status_code,
            answer.headers.get("content-type", ""),
            answer.content,
        )


class Witness:
    """Tells what of an exchange a document does not know."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._operations: dict[str, list[Operation]] = {}
        self._validators: dict[int, Draft202012Validator] = {}
        # Fixed words before parameters: /connections/x before /connections/{id}.
        for path in sorted(document["paths"], key=lambda path: (path.count("{"), path)):
            pattern = _pattern(path)
            for method in METHODS:
                if method in document["paths"][path]:
                    known = self._operations.setdefault(method.upper(), [])
                    known.append((pattern, document["paths"][path][method]))

    def operation(self, exchange: Exchange) -> dict[str, Any] | None:
        """Return the operation that was called, None when the document has no such one."""
        for pattern, operation in self._operations.get(exchange.method, []):
            if pattern.fullmatch(exchange.path.rstrip("/")):
                return operation
        return None

    def paths(self) -> dict[str, dict[str, Any]]:
        """Return the operations of the document by path and method."""
        paths: dict[str, dict[str, Any]] = self._document["paths"]
        return paths

    def path(self, exchange: Exchange) -> str | None:
        """Return the path of the operation that was called, as the document writes it."""
        called, method = self.operation(exchange), exchange.method.lower()
        found = (path for path, each in self.paths().items() if each.get(method) is called)
        return None if called is None else next(found)

    def objections(self, exchange: Exchange, *, to_request: bool = False) -> list[str]:
        """Return what is wrong with an exchange of a known operation; [] when all is well."""
        operation = self.operation(exchange)
        if operation is None:
            return []
        found = []
        if to_request and exchange.status < 400:
            schema = _json_schema(self._resolved(operation.get("requestBody", {})))
            if schema is not None and exchange.body:
                found += self._check("request", schema, exchange.body)
        told = operation["responses"].get(str(exchange.status))
        if told is None:
            return [*found, f"status {exchange.status} is not described"]
        schema = _json_schema(self._resolved(told))
        if schema is not None:
            found += self._check("answer", schema, exchange.answer)
        elif exchange.content_type.startswith("application/json"):
            found.append("a body is not described")
        return found

    def _resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in part:
            found: Any = self._document
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            part = found
        return part

    def _check(self, what: str, schema: dict[str, Any], body: bytes) -> list[str]:
        validator = self._validators.get(id(schema))
        if validator is None:
            rooted = {"components": self._document["components"]} | schema
            validator = Draft202012Validator(rooted, format_checker=FormatChecker())
            self._validators[id(schema)] = validator
        return [
            f"{what} at {'/'.join(map(str, error.absolute_path))}: {error.message}"
            for error in validator.iter_errors(json.loads(body))
        ]


@cache
def contract() -> Witness:
    """Return the witness of what clients of the real platform rely on."""
    file = Path(__file__).parent / "contract_openapi.yaml"
    return Witness(yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader))


def _json_schema(part: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = part.get("content", {}).get("application/json", {}).get("schema")
    return found


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]+\}", path.rstrip("/"))
    return re.compile("[^/]+".join(map(re.escape, parts)), re.IGNORECASE)
