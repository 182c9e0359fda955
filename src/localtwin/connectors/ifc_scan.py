"""Finds the instances in the data of a STEP file: where each is, and a hash of what it says.

Works on arrays, some million bytes at a time, because an object of Python for each instance takes
as long as a parser takes for the whole file. What a hash leaves open are the references and the
real numbers: what they mean is only known when all is read.
"""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from localtwin.connectors.ifc_hashes import (
    Bytes,
    Hashes,
    PartHashes,
    Places,
    Powers,
    sums_by_row,
)
from localtwin.connectors.ifc_numbers import floats_in
from localtwin.connectors.ifc_statements import Statements
from localtwin.connectors.parallel import cores, in_threads

PIECE = 1 << 20  # bytes scanned together: what they need fits into the processor's cache
_ID_DIGITS_MAX = 18  # what fits into 64 bits
_KEYWORD = re.compile(rb"[A-Z]\w*")
_ALL_NUMBERS = "IFCCARTESIANPOINT"  # of classes named so, a whole number is a coordinate, too
_TEXT_FACTORS, _VALUE_FACTORS = Powers(0xD1342543DE82EF95), Powers(0xAF251AF3B0F025B5)

_QUOTE, _BLANK, _HASH, _OPEN, _CLOSE, _COMMA, _END, _EQUALS, _DOT = b"' #(),;=."
_PARTS: NDArray[np.bool_] = np.isin(np.arange(256), list(b"(),;"))
_NUMERIC: NDArray[np.bool_] = np.isin(np.arange(256), list(b"0123456789+-"))
_DIGIT: NDArray[np.bool_] = np.isin(np.arange(256), list(b"0123456789"))
_NO_PLACES: Places = np.zeros(0, np.int64)
_CODED: NDArray[np.bool_] = (np.arange(256) > 127) | (np.arange(256) == ord("\\"))


class StrayStatement(Exception):
    """A statement that is no instance; `text` is all of it."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = text


def scan(data: bytes, *, piece_bytes: int = PIECE, threads: int | None = None) -> Statements:
    """Return the instances of a data section, scanned so many bytes at a time.

    Raises StrayStatement for a statement that is none, of which section marks are skipped.
    """
    threads = min(threads or cores(), len(data) // piece_bytes + 1)
    pieces = _pieces(data, piece_bytes)
    if threads > 1:
        return Statements.joined(list(in_threads(_statements, pieces, threads)))
    return Statements.joined([_statements(*each) for each in pieces])


def _statements(text: Bytes, inside: NDArray[np.bool_]) -> Statements:
    return _Piece(text, inside).statements()


def _pieces(data: bytes, size: int) -> Iterator[tuple[Bytes, NDArray[np.bool_]]]:
    """Yield whole statements without blanks, with which bytes are inside of texts.

    At least one piece, even if it is empty. Raises StrayStatement if the last has no end.
    """
    parity = np.uint8(0)
    rest: Bytes = np.zeros(0, np.uint8)
    rest_inside: NDArray[np.bool_] = np.zeros(0, np.bool_)
    for at in range(0, max(len(data), 1), size):
        letters = np.frombuffer(data, np.uint8, min(size, len(data) - at), at)
        turns = np.cumsum((letters == _QUOTE).view(np.uint8), dtype=np.uint8)
        turns += parity
        turns &= 1
        inside = turns.view(np.bool_)
        parity = turns[-1] if len(turns) else parity
        kept = inside | (letters > _BLANK)
        text = np.concatenate([rest, letters[kept]])
        inside = np.concatenate([rest_inside, inside[kept]])
        ends = np.flatnonzero((text == _END) & ~inside)
        cut = int(ends[-1]) + 1 if len(ends) else 0
        yield text[:cut], inside[:cut]
        rest, rest_inside = text[cut:], inside[cut:]
    if len(rest):
        raise StrayStatement(rest.tobytes())


class _Piece:
    """Some whole statements."""

    def __init__(self, text: Bytes, inside: NDArray[np.bool_]) -> None:
        self._text = np.concatenate([text, np.zeros(_ID_DIGITS_MAX + 2, np.uint8)])
        self._length = len(text)
        self._names: dict[int, tuple[int, str]] = {}
        outside = ~inside
        self._marks = np.flatnonzero((text == _HASH) & outside)
        self._parts = np.flatnonzero(_PARTS[text] & outside)
        self._part_letters = text[self._parts]
        self._all_ends = self._parts[self._part_letters == _END]
        self._coded = np.flatnonzero(_CODED[text]) if _is_coded(text) else _NO_PLACES
        self._ids, self._after_ids = self._numbers()
        self._choose_rows()
        self._hashes = PartHashes(text)

    def statements(self) -> Statements:
        """Return what is found."""
        keywords = self._keywords()
        places, kinds, values, after = self._tokens(keywords)
        rows = np.searchsorted(self._ends, places)
        firsts_of_rows = np.searchsorted(places, self._begins)
        orders = np.arange(len(places)) - firsts_of_rows[rows]
        until = np.append(places[1:], 0)
        is_last = np.append(rows[1:] != rows[:-1], True) if len(rows) else np.zeros(0, np.bool_)
        until[is_last] = self._ends[rows[is_last]]
        most = int(orders.max(initial=0)) + 1
        texts = self._hashes.of(after, until) * _TEXT_FACTORS.upto(most)[orders]
        factors = _VALUE_FACTORS.upto(most)[orders]
        is_reference, is_real = kinds == 1, kinds == 2
        coded = np.unique(np.searchsorted(self._ends, self._coded))
        return Statements(
            text=self._text[: self._length].tobytes(),
            names=[name for _, name in self._names.values()],
            ids=self._row_ids,
            keywords=keywords,
            begins=self._opens + 1,
            ends=self._ends,
            firsts=self._first_arguments(),
            own=sums_by_row(rows, texts, len(self._ends)),
            reference_rows=rows[is_reference],
            references=values[is_reference],
            reference_factors=factors[is_reference],
            real_rows=rows[is_real],
            reals=values[is_real].view(np.float64),
            real_factors=factors[is_real],
            coded=coded[coded < len(self._ends)],
        )

    def _numbers(self) -> tuple[Places, Places]:
        """Return the number after each "#", and where it ends."""
        numbers: Places = np.zeros(len(self._marks), np.int64)
        at = self._marks + 1
        going = np.arange(len(at))
        for _ in range(_ID_DIGITS_MAX):
            letters = self._text[at[going]]
            is_digit = _DIGIT[letters]
            going, letters = going[is_digit], letters[is_digit]
            if not len(going):
                break
            numbers[going] = numbers[going] * 10 + (letters - np.uint8(48))
            at[going] += 1
        return numbers, at

    def _choose_rows(self) -> None:
        """Find the statements that are instances; raises StrayStatement for any other."""
        text, ends = self._text, self._all_ends
        begins = np.append(0, ends[:-1] + 1)[: len(ends)]
        marks = np.minimum(np.searchsorted(self._marks, begins), max(len(self._marks) - 1, 0))
        opens_at = self._parts[self._part_letters == _OPEN]
        opens = np.searchsorted(opens_at, begins)
        if not len(self._marks) or not len(opens_at):
            self._refuse(begins, ends, np.zeros(len(ends), np.bool_))
            opens = marks = np.zeros(0, np.int64)
            begins, ends = begins[:0], ends[:0]
        else:
            opens = opens_at[np.minimum(opens, len(opens_at) - 1)]
            after = self._after_ids[marks]
            is_row = (text[begins] == _HASH) & (after > begins + 1) & (text[after] == _EQUALS)
            is_row &= (opens > after + 1) & (opens < ends) & (text[ends - 1] == _CLOSE)
            self._refuse(begins, ends, is_row)
            begins, ends, opens, marks = (x[is_row] for x in (begins, ends, opens, marks))
        self._begins, self._ends, self._opens = begins, ends, opens
        self._row_ids = self._ids[marks]
        self._row_marks, self._after_row_ids = marks, self._after_ids[marks]

    def _refuse(self, begins: Places, ends: Places, is_row: NDArray[np.bool_]) -> None:
        for place in np.flatnonzero(~is_row).tolist():
            statement = self._text[int(begins[place]) : int(ends[place])].tobytes()
            if not _is_section_mark(statement):
                raise StrayStatement(statement)

    def _keywords(self) -> Places:
        """Return the place in the list of names of each row's keyword."""
        begins = self._after_row_ids + 1
        hashes, firsts, places = np.unique(
            self._hashes.of(begins, self._opens),
            return_index=True,
            return_inverse=True,
        )
        codes = np.zeros(len(hashes), np.int64)
        for place in np.argsort(firsts).tolist():
            found, row = int(hashes[place]), int(firsts[place])
            if found not in self._names:
                keyword = self._text[int(begins[row]) : int(self._opens[row])].tobytes()
                if not _KEYWORD.fullmatch(keyword):
                    begin, end = int(self._begins[row]), int(self._ends[row])
                    raise StrayStatement(self._text[begin:end].tobytes())
                self._names[found] = len(self._names), keyword.decode("ascii", "replace")
            codes[place] = self._names[found][0]
        return codes[places] if len(codes) else codes

    def _first_arguments(self) -> Hashes:
        begins = self._opens + 1
        return self._hashes.of(begins, self._parts[np.searchsorted(self._parts, begins)])

    def _tokens(self, keywords: Places) -> tuple[Places, NDArray[np.int8], Places, Places]:
        """Return place, kind, value and end of all that a row's hash leaves open, in order.

        Kinds are 0 for the row's own number, 1 for a reference, 2 for a real: its value is the
        bits of a float.
        """
        places, ends, values = self._reals(keywords)
        kinds: NDArray[np.int8] = np.ones(len(self._marks), np.int8)
        kinds[self._row_marks] = 0
        numbers = np.where(kinds == 0, 0, self._ids)
        everything = np.concatenate([self._marks, places])
        order = np.argsort(everything, kind="stable")
        return (
            everything[order],
            np.concatenate([kinds, np.full(len(places), 2, np.int8)])[order],
            np.concatenate([numbers, values.view(np.int64)])[order],
            np.concatenate([self._after_ids, ends])[order],
        )

    def _reals(self, keywords: Places) -> tuple[Places, Places, NDArray[np.float64]]:
        text, parts = self._text, self._parts
        chosen = np.flatnonzero(_NUMERIC[text[parts + 1]])
        begins, ends = parts[chosen] + 1, parts[np.minimum(chosen + 1, len(parts) - 1)]
        dots = np.append(np.flatnonzero(text == _DOT), len(text))
        is_real = dots[np.searchsorted(dots, begins)] < ends
        wide = [place for place, name in self._names.values() if name.startswith(_ALL_NUMBERS)]
        rows = np.searchsorted(self._ends, begins)
        is_row = rows < len(self._ends)
        is_wide = np.isin(keywords, wide)
        is_real[is_row] |= is_wide[rows[is_row]]
        begins, ends = begins[is_real & is_row], ends[is_real & is_row]
        values = floats_in(text, begins, ends)
        is_number = np.isfinite(values)
        return begins[is_number], ends[is_number], values[is_number]


_MARK = re.compile(rb"(?:ENDSEC|DATA(?:\(.*\))?)?", re.DOTALL)


def _is_coded(text: Bytes) -> bool:
    return bool(text.max(initial=0) > 127 or (text == ord("\\")).any())


def _is_section_mark(statement: bytes) -> bool:
    return _MARK.fullmatch(statement) is not None
