"""Every key of the configuration file as Markdown, in the words of the example."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from ..config.descriptions import descriptions


def keys_table() -> str:
    """Return one part for each table of the file, with each key's meaning and default."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for section, keys in groupby(descriptions().items(), lambda item: item[0][0]):
        many = section in {("connection",), ("connection", "source")}
        name = ".".join(section)
        yield f"## {'[[' if many else '['}{name}{']]' if many else ']'}\n"
        for (_, key), described in keys:
            word = "default or example" if described.is_default else "example"
            yield f"**{key}**  \n{described.text}  \n{word}: `{key} = {described.example}`\n"
