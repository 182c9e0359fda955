"""Which secrets a configuration has: those in files of their own, and those in the file itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import SecretStr

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
    for key, field in type(section).model_fields.items():
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
            kinds = (field.annotation, *get_args(field.annotation))
            marks = (mark for kind in kinds for mark in getattr(kind, "__metadata__", ()))
            yield value, SECRET in (*marks, *field.metadata)
