"""What holds after all: the file, the environment and the defaults together, without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretStr

from .mistakes import PREFIX
from .schema import SECTIONS, Config
from .sections import Section

FROM_ENVIRONMENT: Final = ("platform", "auth", "daemon", "page", "notify")
REDACTED: Final = "[redacted]"
_MASKED: Final = str(SecretStr("x"))  # what a secret is written as
_USER_INFO: Final = re.compile(r"(?<=://)[^/@\s]*@")
_OF_NO_USE: Final[Mapping[str, tuple[str, ...]]] = {
    "storage": ("bulk", "objects"),
    "manifest": ("bulk",),
    "bulk": ("objects", "itwin_id", "imodel_id"),  # ids of its own that no service knows
}
"""What a connection of this target does not use."""


def effective(config: Config) -> dict[str, Any]:
    """Return every value that holds, as the file has it; unset keys are left out."""
    values = _cleaned(config.model_dump(mode="json", exclude_none=True))
    assert isinstance(values, dict)
    if all(connection.target == "bulk" for connection in config.connection):
        del values["auth"]  # nobody signs in
    for connection, shown in zip(config.connection, values["connection"], strict=True):
        shown.setdefault("scan_every", "auto")
        for key in _OF_NO_USE[connection.target]:
            shown.pop(key, None)
        for source, below in zip(connection.source, shown["source"], strict=True):
            below["include"] = list(source.wanted())
            if connection.target != "bulk":
                below.pop("rows", None)
    return values


def origins(config: Config, env: Mapping[str, str]) -> dict[tuple[str | int, ...], str]:
    """Return where values come from that the file does not have: "default", or a variable."""
    found: dict[tuple[str | int, ...], str] = {}
    _collect(config, (), found)
    given = {name.upper(): name for name in env}
    for section in FROM_ENVIRONMENT:
        for key in SECTIONS[section,].model_fields:
            variable = f"{PREFIX}{section}__{key}".upper()
            if variable in given:
                found[section, key] = f"from {given[variable]}"
    return found


def _collect(
    section: Section, path: tuple[str | int, ...], found: dict[tuple[str | int, ...], str]
) -> None:
    for key in type(section).model_fields:
        value = getattr(section, key)
        if isinstance(value, Section):
            _collect(value, (*path, key), found)
        elif isinstance(value, tuple) and value and isinstance(value[0], Section):
            for number, each in enumerate(value):
                _collect(each, (*path, key, number), found)
        elif key not in section.model_fields_set:
            found[(*path, key)] = "default"


def _cleaned(value: Any) -> Any:
    """Return the value without empty texts and lists, and without users and passwords in URLs."""
    match value:
        case dict():
            cleaned = {key: _cleaned(each) for key, each in value.items()}
            return {key: each for key, each in cleaned.items() if each not in ("", [], {})}
        case list():
            return [_cleaned(each) for each in value]
        case str() if value == _MASKED:
            return REDACTED
        case str():
            return _USER_INFO.sub(f"{REDACTED}@", value)
        case _:
            return value
