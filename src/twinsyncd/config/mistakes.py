"""Turns invalid values of the file into mistakes that a person can correct."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from ..errors import ConfigMistake
from .schema import SECTIONS
from .toml_lines import KeyPath, TomlLines

ENVIRONMENT: Final = "environment"
PREFIX: Final = "TWINSYNCD_"

EXAMPLES: Final = {
    "client_id": 'client_id = "service-abc"',
    "name": 'name = "Bridge 12"',
    "itwin_id": 'itwin_id = "0a1b2c3d-1111-2222-3333-444455556666"',
    "imodel_id": 'imodel_id = "0a1b2c3d-1111-2222-3333-444455556666"',
    "folder": 'folder = "//fileserver/projects/bridge12/cad"',
    "auth": "[auth] with client_id and client_secret_file",
    "connection": "[[connection]] with name, itwin_id and imodel_id",
    "source": "[[connection.source]] with folder below the connection",
}

WRONG_TYPE: Final[Mapping[str, tuple[str, str]]] = {
    "string_type": ("must be text", "put it in quotes"),
    "path_type": ("must be text", "put the path in quotes"),
    "int_type": ("must be a whole number", "write it without quotes, like 4"),
    "int_parsing": ("must be a whole number", "write it without quotes, like 4"),
    "int_from_float": ("must be a whole number", "write it without a fraction, like 4"),
    "greater_than_equal": ("is too small", "write at least {ge}"),
    "less_than_equal": ("is too large", "write at most {le}"),
    "dict_type": ("must be a table", 'write it like {{ dgn = "30s", dwg = "5s" }}'),
    "too_short": ("is empty", "add at least one"),
}


class MistakeLocator:
    """Makes mistakes that name the file and line, or the environment variable, of a key."""

    def __init__(self, file: Path, lines: TomlLines, from_env: frozenset[tuple[str, ...]]) -> None:
        """Keep all three; `from_env` holds the keys that the environment set."""
        self.file = file
        self._lines = lines
        self._from_env = from_env

    def __call__(self, path: KeyPath, message: str, fix: str) -> ConfigMistake:
        """Return a mistake about the key, at its line or at its environment variable."""
        names = tuple(part for part in path if isinstance(part, str))
        if names in self._from_env and not self._lines.holds(path):
            return ConfigMistake(ENVIRONMENT, 0, PREFIX + "__".join(names).upper(), message, fix)
        return ConfigMistake(
            str(self.file), self._lines.line_of(path), _written(path), message, fix
        )

    def line_of(self, path: KeyPath) -> int:
        """Return the line of the key, to be named in another's mistake."""
        return self._lines.line_of(path)

    def all_in(self, error: ValidationError) -> list[ConfigMistake]:
        """Return one mistake for each thing that is wrong, in the order of the file."""
        errors = error.errors(include_url=False)
        meant = {_meant(each["loc"]) for each in errors if each["type"] == "extra_forbidden"}
        found = [
            self._one(dict(each))
            for each in errors
            if (each["type"] != "too_short" or not each["input"])  # else its items are bad
            and not (each["loc"] in meant and _is_lacking(dict(each)))  # it is there, misspelt
        ]
        return sorted(found, key=lambda mistake: (mistake.file, mistake.line))

    def _one(self, details: dict[str, Any]) -> ConfigMistake:
        path, kind, context = details["loc"], details["type"], details.get("ctx", {})
        key = next((part for part in reversed(path) if isinstance(part, str)), "")
        if kind == "config":
            return self(path, details["msg"], context["fix"])
        if kind == "extra_forbidden":
            return self(path, "this key is not known", _nearest(path))
        if kind == "missing":
            fix = f"add {EXAMPLES.get(key, key)}"
            return self(path, "this is missing", fix)
        if kind in {"tuple_type", "model_type", "model_attributes_type"}:
            return self(path, *_wrong_shape(path, key, kind))
        message, fix = WRONG_TYPE.get(kind, (details["msg"], "see config.example.toml"))
        return self(path, message, fix.format_map(context))


def _written(path: KeyPath) -> str:
    return ".".join(part for part in path if isinstance(part, str))


def _wrong_shape(path: KeyPath, key: str, kind: str) -> tuple[str, str]:
    names = tuple(part for part in path if isinstance(part, str))
    if names in SECTIONS:
        return "must be a table of its own", f"write it as {_heading(names)}"
    if kind == "tuple_type":
        return "must be a list", f'put it in brackets, like {key} = ["**/*.dgn", "**/*.dwg"]'
    return "must be a table", "see config.example.toml"


def _heading(section: tuple[str, ...]) -> str:
    name = ".".join(section)
    many = section in {("connection",), ("connection", "source")}
    return f"[[{name}]]" if many else f"[{name}]"


def _is_lacking(details: dict[str, Any]) -> bool:
    """Return whether a key is missing, or is a heading of which only those below it are there."""
    names = tuple(part for part in details["loc"] if isinstance(part, str))
    return details["type"] == "missing" or (details["type"] == "tuple_type" and names in SECTIONS)


def _meant(path: KeyPath) -> tuple[str | int, ...]:
    """Return the known key that one like it was probably meant to be; () if there is none."""
    *section, key = (part for part in path if isinstance(part, str))
    known = _keys(tuple(section))
    near = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1)
    return (*path[:-1], *near) if near else ()


def _nearest(path: KeyPath) -> str:
    *section, key = (part for part in path if isinstance(part, str))
    known = _keys(tuple(section))
    if near := _meant(path):
        return f'did you mean "{near[-1]}"?'
    homes = [name for name in SECTIONS if name and key in _keys(name)]
    if homes:
        where = " or ".join(_heading(name) for name in homes)
        return f"it belongs to {where}, directly below that heading and above the next one"
    return f"delete it; possible here are: {', '.join(known)}"


def _keys(section: tuple[str, ...]) -> list[str]:
    return list(SECTIONS[section].model_fields) if section in SECTIONS else []
