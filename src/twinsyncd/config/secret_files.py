"""Which secrets a configuration has: those in files of their own, and those in the file itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from .schema import Config
from .secret_file import SECRET
from .sections import Section

_USER_INFO: Final = re.compile(r"://[^/@\s]+:[^/@\s]*@")


def secret_files(config: Config) -> list[Path]:
    """Return the files that hold secrets, each once, in the order of the schema."""
    found = [value for value, is_secret in _values(config) if is_secret and isinstance(value, Path)]
    return list(dict.fromkeys(found))


def holds_secrets(config: Config) -> bool:
    """Return whether a value is a secret itself, or an address with a password in it."""
    return any(
        isinstance(value, SecretStr)
        or (isinstance(value, str) and _USER_INFO.search(value) is not None)
        for value, _ in _values(config)
    )


def _values(section: Section) -> Iterator[tuple[Any, bool]]:
    """Yield every value, and whether it is the file of a secret."""
    for key, is_secret in _keys(type(section)):
        value = getattr(section, key)
        if isinstance(value, Section):
            yield from _values(value)
        elif isinstance(value, tuple):
            for each in value:
                if isinstance(each, Section):
                    yield from _values(each)
                else:
                    yield each, False
        else:
            yield value, is_secret


@cache
def _keys(kind: type[Section]) -> tuple[tuple[str, bool], ...]:
    """Return the keys of a section, and whether each names the file of a secret."""

    def is_secret(field: FieldInfo) -> bool:
        kinds = (field.annotation, *get_args(field.annotation))
        marks = (mark for kind in kinds for mark in getattr(kind, "__metadata__", ()))
        return SECRET in (*marks, *field.metadata)

    return tuple((key, is_secret(field)) for key, field in kind.model_fields.items())
