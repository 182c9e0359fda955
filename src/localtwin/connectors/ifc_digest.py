"""Digests of what IFC instances say, independent of numbering, order of lines and writer.

Two exports of one model rarely number their lines alike, so a reference counts as the digest of
what it refers to. Lengths count in steps of the file's own precision, other numbers without the
noise of arithmetic. What points at an instance from outside, such as a colour, counts with it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from localtwin.connectors.ifc_closures import Links, closures
from localtwin.connectors.ifc_hashes import Hashes, Places, mixed
from localtwin.connectors.ifc_notes import Notes
from localtwin.connectors.ifc_numbers import RATIO_DECIMALS, number_hashes
from localtwin.connectors.ifc_scan import scan
from localtwin.connectors.ifc_schema import Schema
from localtwin.connectors.ifc_statements import Statements
from localtwin.connectors.ifc_step import StepFile
from localtwin.connectors.ifc_values import decoded, tidy

DIGEST_BYTES = 16

_TOKEN = re.compile(r"'((?:[^']|'')*+)'|(#\d+)|((?<![\w.'])[-+]?\d+\.\d*+(?:[eE][-+]?\d+)?)|\s++")
_TEXT = re.compile(r"'((?:[^']|'')*+)'")
_CONTEXT = "IFCREPRESENTATIONCONTEXT"
_OWNER = "IFCOWNERHISTORY"
_NOTHING, _NOTE = np.uint64(0), np.uint64(0x6E6F7465 | 1)


class Digests:
    """Digests of the instances of one file, all computed when the first is asked for.

    `precision` is a length in the file's units, below which two positions are one.
    """

    def __init__(self, step: StepFile, schema: Schema, notes: Notes, precision: float) -> None:
        self._step = step
        self._schema = schema
        self._notes = notes
        self._precision = precision

    def of(self, number: str) -> str:
        """Return the digest of an instance, all it refers to, and what is laid on any of it.

        Objects, contexts and what was never edited count by what identifies them.
        """
        row = self._step.rows.of(number)
        return "missing" if row < 0 else f"{self._values[row]:016x}"

    def of_all(self, numbers: Iterable[str]) -> str:
        """Return one digest for several instances, whatever their order; "" for none."""
        return hashed(";".join(found)) if (found := sorted(map(self.of, numbers))) else ""

    def of_text(self, text: str) -> str:
        """Return the digest of arguments that are no instance of their own."""
        return hashed(_TOKEN.sub(self._replaced, text))

    @cached_property
    def links(self) -> Links:
        """What refers to what, and what each instance says beside that."""
        found = _read_links(self._step, self._schema, self._notes, self._precision)
        self._step.statements.forget_details()
        return found

    @cached_property
    def closures(self) -> Hashes:
        """The digest of each row with all that it refers to."""
        return closures(self.links)

    @cached_property
    def _values(self) -> memoryview:
        return self.closures.data

    def _replaced(self, token: re.Match[str]) -> str:
        match token.lastindex:
            case 1:
                return f"'{decoded(token[1])}'"
            case 2:
                return self.of(token[2])
            case 3:
                return _ratio(float(token[3]))
            case _:
                return ""


def _read_links(step: StepFile, schema: Schema, notes: Notes, precision: float) -> Links:
    found = step.statements
    count = len(found.ids)
    own, parts = found.own.copy(), [(found, np.arange(count))]
    again, rows_again = _said_otherwise(step, schema, notes)
    if again is not None:
        is_again: NDArray[np.bool_] = np.zeros(count, np.bool_)
        is_again[rows_again] = True
        own[rows_again] = again.own
        found = _without(found, is_again)
        parts = [(found, np.arange(count)), (again, rows_again)]
    links: list[tuple[Places, Places, Hashes]] = []
    for part, rows in parts:
        has_lengths = _by_keyword(part, lambda name: _has_only_lengths(schema, name))
        values = number_hashes(part.reals, has_lengths[part.real_rows], precision)
        np.add.at(own, rows[part.real_rows], mixed(values) * part.real_factors)
        targets = step.rows.of_all(part.references)
        links.append((rows[part.reference_rows], targets, part.reference_factors))
    links.append(_note_links(step, notes))
    joined = [np.concatenate(each) for each in zip(*links, strict=True)]
    rows, targets, factors = joined
    if len(links[-1][0]) or again is not None:
        order = np.argsort(rows, kind="stable")
        rows, targets, factors = rows[order], targets[order], factors[order]
    cut, identities = _identities(step, schema)
    return Links(own, rows, np.where(targets < 0, count, targets), factors, cut, identities)


def _identities(step: StepFile, schema: Schema) -> tuple[NDArray[np.bool_], Hashes]:
    """Return which rows count by what identifies them, and that."""
    found = step.statements
    is_root = _by_keyword(found, lambda name: schema.is_a(name, "IFCROOT"))
    is_fixed = _by_keyword(found, lambda name: schema.is_a(name, _CONTEXT, _OWNER))
    return is_root | is_fixed, np.where(is_root, mixed(found.firsts), _NOTHING)


def _by_keyword(found: Statements, is_so: Callable[[str], bool]) -> NDArray[np.bool_]:
    """Return for each row whether something is true of its keyword."""
    of_names = np.array([is_so(name) for name in found.names], np.bool_)
    rows: NDArray[np.bool_] = of_names[found.keywords]
    return rows


def _has_only_lengths(schema: Schema, keyword: str) -> bool:
    found = schema.of(keyword)
    return found is not None and found.has_only_lengths


def _without(found: Statements, left_out: NDArray[np.bool_]) -> Statements:
    """Return statements without the references and reals of some rows."""
    references, reals = ~left_out[found.reference_rows], ~left_out[found.real_rows]
    return replace(
        found,
        reference_rows=found.reference_rows[references],
        references=found.references[references],
        reference_factors=found.reference_factors[references],
        real_rows=found.real_rows[reals],
        reals=found.reals[reals],
        real_factors=found.real_factors[reals],
    )


def _said_otherwise(
    step: StepFile, schema: Schema, notes: Notes
) -> tuple[Statements | None, Places]:
    """Return statements whose text is not what they say, as they should be, and their rows.

    Such are notes without what they are laid on, and texts with escapes.
    """
    found = step.statements
    texts: dict[int, str] = {}
    for number, arguments in notes.all_arguments.items():
        texts[step.rows.of(number)] = f"{number}={step.keywords[number]}({arguments})"
    for row in found.coded.tolist():
        number, name = f"#{found.ids[row]}", found.names[int(found.keywords[row])]
        if not schema.is_a(name, "IFCROOT"):
            text = texts.get(row, f"{number}={name}({step.arguments[number]}")
            texts[row] = _TEXT.sub(_without_escapes, text)
    if not texts:
        return None, np.zeros(0, np.int64)
    again = scan("".join(f"{text};" for text in texts.values()).encode("utf-8", "replace"))
    return again, np.array(list(texts), np.int64)


def _without_escapes(text: re.Match[str]) -> str:
    words = decoded(text[1]).replace("'", "''")
    return f"'{words}'"


def _note_links(step: StepFile, notes: Notes) -> tuple[Places, Places, Hashes]:
    """Return links from what notes are laid on to the notes."""
    pairs = [
        (row, step.rows.of(note))
        for target in notes.targets
        if (row := step.rows.of(target)) >= 0
        for note in notes.on(target)
    ]
    rows, targets = np.array(pairs, np.int64).reshape(-1, 2).T
    return rows, targets, np.full(len(rows), _NOTE, np.uint64)


def hashed(text: str) -> str:
    """Return the digest of a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()


def _ratio(value: float) -> str:
    near = round(value, RATIO_DECIMALS) if -10 < value < 10 else tidy(value)
    return repr(near + 0.0)
