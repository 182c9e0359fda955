"""Finds the records that a refused request was refused for, in what the service says.

A 422 names places; other answers are sentences. Those of the documented service name an index
("Piece at index 3 references a component that ..."), others a GUID. One request shows one wrong
parent, so the records that name the same parent are found along with it.
Source: Ra Factory, "Error Handling" and code of the sync service, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...bulk_entities import PARENT_OF
from ...cloud.bulk_api import BatchRefused
from ...core.model import Fault
from .mapping import CellMistake, RowMapping

_INDEX: Final = re.compile(r"\bindex (\d+)\b")
_GUID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_FIELD: Final = re.compile(
    r"\b(company_guid|project_guid|component_guid|assembly_guid"
    r"|references an? (?:project|component|assembly))\b"
)

Record = Mapping[str, Any]
Found = dict[int, list[CellMistake]]


def objections(refused: BatchRefused, mapping: RowMapping, records: Sequence[Record]) -> Found:
    """Return the mistakes by index into `records`; none if the service does not say which.

    Raises `refused` where it is about whoever sends, and no row is to blame.
    """
    is_sender = refused.failure.fault is Fault.UNAUTHORISED
    if is_sender and "company_guid" not in mapping.columns:
        raise refused
    found: Found = {}
    for index, name, message in refused.objections:
        if 0 <= index < len(records):
            column = mapping.column_of(name) if name else ""
            fix = f"correct the {name}" if name else "correct the row"
            found.setdefault(index, []).append(CellMistake(column, f"the service: {message}", fix))
    if found:
        return found
    fields = fields_named(refused.detail) or (("company_guid",) if is_sender else ())
    column = mapping.column_of(fields[0]) if fields else ""
    mistake = CellMistake(column, f"the service: {refused.detail}", _fix(fields))
    meant = _meant(refused.detail, fields, records)
    if is_sender and not meant:
        raise refused
    return {index: [mistake] for index in meant}


def fields_named(text: str) -> tuple[str, ...]:
    """Return the GUID fields that a sentence of the service is about, in its order."""
    names = (found.rpartition(" ")[2].removesuffix("_guid") for found in _FIELD.findall(text))
    return tuple(dict.fromkeys(f"{name}_guid" for name in names))


def _fix(fields: Sequence[str]) -> str:
    if any(name in PARENT_OF for name in fields):
        return "correct it, or send its parents first: they are tried again when these came"
    if "company_guid" in fields:
        return "give it the company of the API key"
    return "correct it in the file"


def _meant(text: str, fields: Sequence[str], records: Sequence[Record]) -> list[int]:
    """Return the indexes of the records that a sentence is about."""
    first = [int(number) for number in _INDEX.findall(text) if int(number) < len(records)]
    guids = {guid.lower() for guid in _GUID.findall(text)}
    named = first or [at for at, record in enumerate(records) if record["guid"] in guids]
    if named and fields:
        wrong = {tuple(records[at].get(name) for name in fields) for at in named}
        return [
            at
            for at, record in enumerate(records)
            if tuple(record.get(name) for name in fields) in wrong
        ]
    if named:
        return named
    places = ("company_guid", *PARENT_OF)
    return [at for at, record in enumerate(records) if guids & {record.get(p) for p in places}]
