"""Every key of the configuration file as Markdown, in the words of the example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from ..config.descriptions import descriptions
from ..config.json_schema import json_schema
from ..config.schema import SECTIONS


def keys_table() -> str:
    """Return one part for each table of the file, with each key's meaning and default."""
    return "\n".join(_lines(json_schema()))


def _lines(schema: dict[str, Any]) -> Iterator[str]:
    for section, keys in groupby(descriptions().items(), lambda item: item[0][0]):
        many = section in {("connection",), ("connection", "source")}
        name = ".".join(section)
        yield f"## {'[[' if many else '['}{name}{']]' if many else ']'}\n"
        table = schema["$defs"][SECTIONS[section].__name__]
        for (_, key), described in keys:
            word = _word(table, key, described.example)
            yield f"**{key}**  \n{described.text}  \n{word}: `{key} = {described.example}`\n"


def _word(table: dict[str, Any], key: str, example: str) -> str:
    """Return what the example's line is: the default, or what could be written."""
    if key in table.get("required", ()):
        return "required"
    default = table["properties"][key].get("default")
    if default in (None, "", [], {}, False):
        return "example"
    shown = json.dumps(default)
    return "default" if shown == example else f"default `{shown}`; example"
