"""What one reading of an IFC model leaves for the next: a fingerprint of each of its objects.

An object whose fingerprint is as before says what it said, so the next reading need not look at
it. That holds while all else is as before, too: relationships, units, contexts, materials. A
model of which that changed, or much of it, is read as if it were new.
"""

import base64
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localtwin.connectors.ifc_content import Content
from localtwin.connectors.ifc_hashes import Hashes, Places, mixed, sums_by_row
from localtwin.connectors.ifc_model import OBJECTS
from localtwin.connectors.ifc_text import ModelText

CHANGED_SHARE_MAX = 0.2  # of the objects; beyond, a whole reading costs hardly more
CHANGED_FEW = 20  # objects
EDITED_MAX = 100  # objects; beyond, looking for what names them takes as long as reading all
_FORMAT = 3

# What counts only where an object leads to it.
_INNER = (
    "IFCREPRESENTATIONITEM",
    "IFCREPRESENTATION",
    "IFCPRODUCTREPRESENTATION",
    "IFCREPRESENTATIONMAP",
    "IFCOBJECTPLACEMENT",
    "IFCPROFILEDEF",
    "IFCPROPERTY",
    "IFCPHYSICALQUANTITY",
    "IFCOWNERHISTORY",
)
_SETS = "IFCPROPERTYSETDEFINITION"
_FEATURES, _SHAPING = "IFCFEATUREELEMENT", ("IFCRELVOIDSELEMENT", "IFCRELPROJECTSELEMENT")
_ALWAYS_READ = ("IFCPROJECT", "IFCCONTEXT")  # the coordinate system of the source is theirs
_OF_ALL = ("IFCREPRESENTATIONCONTEXT", "IFCCOORDINATEOPERATION", "IFCUNITASSIGNMENT")
_OF_SETS = np.uint64(0x53455431)


@dataclass(frozen=True, slots=True)
class KnownText:
    """The text of a model, and what cannot be seen in a part of it.

    `of_all` are the numbers of what places and scales all objects, `notes` the keywords of what is
    laid on instances; `remarks` are about the whole file.
    """

    text: ModelText
    of_all: tuple[int, ...]
    notes: tuple[str, ...]
    remarks: tuple[str, ...]
    is_drawn: bool


@dataclass(frozen=True, slots=True)
class KnownObjects:
    """Fingerprints of objects by GlobalId, one of all else, and the resources by identifier."""

    rest: str
    objects: Mapping[str, int]
    resources: tuple[str, ...]
    text: KnownText | None = None

    def encoded(self) -> bytes:
        """Return it as bytes."""
        said: dict[str, Any] = {
            "format": _FORMAT,
            "rest": self.rest,
            "resources": self.resources,
            "objects": list(self.objects),
            "fingerprints": _packed(self.objects.values()),
        }
        if self.text is not None:
            text = self.text.text
            said["text"] = {
                "rest": text.rest,
                "numbers": _packed(text.numbers.get(each, 0) for each in self.objects),
                "lines": _packed(text.lines.get(each, 0) for each in self.objects),
                "of_all": self.text.of_all,
                "notes": self.text.notes,
                "remarks": self.text.remarks,
                "is_drawn": self.text.is_drawn,
            }
        return json.dumps(said).encode()

    @classmethod
    def decoded(cls, data: bytes) -> "KnownObjects | None":
        """Return what `encoded` made; None if another release wrote it."""
        said = json.loads(data) if data else {}
        if said.get("format") != _FORMAT:
            return None
        names = said["objects"]
        objects = dict(zip(names, _unpacked(said["fingerprints"]), strict=True))
        text = _text_of(names, said["text"]) if "text" in said else None
        return cls(said["rest"], objects, tuple(said["resources"]), text)

    def edited(self, text: ModelText | None, *, is_drawn: bool) -> set[int] | None:
        """Return the numbers of the objects to read, if nothing else changed; or else None."""
        known = self.text
        if known is None or text is None or known.is_drawn != is_drawn:
            return None
        if known.text.rest != text.rest:
            return None
        lines = known.text.lines
        wanted = {each for each, line in text.lines.items() if lines.get(each) != line}
        wanted |= {each for each, value in self.objects.items() if not value}
        if len(wanted) > EDITED_MAX or not wanted <= text.numbers.keys():
            return None
        return {text.numbers[each] for each in wanted}

    def renewed(self, objects: Mapping[str, int], text: ModelText) -> "KnownObjects":
        """Return it with other fingerprints for some objects and the text that has them."""
        known = None if self.text is None else replace(self.text, text=text)
        return replace(self, objects={**self.objects, **objects}, text=known)


def _text_of(names: Sequence[str], said: dict[str, Any]) -> KnownText:
    numbers, lines = _unpacked(said["numbers"]), _unpacked(said["lines"])
    rows = [row for row in zip(names, numbers, lines, strict=True) if row[1]]
    text = ModelText(
        said["rest"],
        {name: number for name, number, _ in rows},
        {name: line for name, _, line in rows},
    )
    return KnownText(
        text,
        tuple(said["of_all"]),
        tuple(said["notes"]),
        tuple(said["remarks"]),
        said["is_drawn"],
    )


def _packed(values: Iterable[int]) -> str:
    return base64.b64encode(np.array(list(values), "<u8").tobytes()).decode()


def _unpacked(text: str) -> list[int]:
    values: list[int] = np.frombuffer(base64.b64decode(text), "<u8").tolist()
    return values


class Fingerprints:
    """The fingerprints of one model; `is_drawn` is whether this reading builds shapes."""

    def __init__(self, content: Content, *, is_drawn: bool) -> None:
        self._content = content
        self._is_drawn = is_drawn
        self._model = content.model
        self._step = content.model.step
        self._links = content.digests.links
        self._said = self._links.content(content.digests.closures)
        self.numbers = [str(each) for each in self._model.of_kind(*OBJECTS)]
        self._rows = np.array([self._step.rows.of(each) for each in self.numbers], np.int64)

    @property
    def is_usable(self) -> bool:
        """Whether every object has a GlobalId and an instance number of its own."""
        identifiers = {self._model.global_id(each) for each in self.numbers}
        return self._step.rows.is_unique and len(identifiers) == len(self.numbers)

    def memory(self, resources: Collection[str], unfinished: Collection[str]) -> KnownObjects:
        """Return what the next reading needs; `unfinished` objects must be read again."""
        return KnownObjects(self._rest(), self.objects(unfinished), tuple(resources))

    def objects(self, unfinished: Collection[str]) -> dict[str, int]:
        """Return the fingerprints of all objects, 0 for those that must be read again."""
        left_out = {*unfinished, *self._model.of_kind(*_ALWAYS_READ)}
        values = self._of_objects().tolist()
        return {
            self._model.global_id(number): 0 if number in left_out else value
            for number, value in zip(self.numbers, values, strict=True)
        }

    def known_text(self, text: ModelText | None, remarks: Sequence[str]) -> KnownText | None:
        """Return what the next reading needs of the file's text and what the report says of it."""
        if text is None:
            return None
        of_all = tuple(int(each[1:]) for each in self._model.of_kind(*_OF_ALL))
        notes = tuple(self._content.notes.keywords)
        return KnownText(text, of_all, notes, tuple(remarks), self._is_drawn)

    def changed(self, before: KnownObjects) -> list[str] | None:
        """Return the objects to read, by number; None if all of the model is to be read."""
        if not self.is_usable or len(before.objects) != len(self.numbers):
            return None
        if before.rest != self._rest():
            return None
        values = self._of_objects().tolist()
        found = []
        for number, value in zip(self.numbers, values, strict=True):
            known = before.objects.get(self._model.global_id(number))
            if known is None:
                return None
            if known != value:
                found.append(number)
        few = len(found) <= max(CHANGED_FEW, CHANGED_SHARE_MAX * len(self.numbers))
        return found if few else None

    def relationships_of(self, numbers: Collection[str]) -> frozenset[str]:
        """Return the relationships that name one of these objects, all by number."""
        links, count = self._links, len(self._links.own)
        wanted = np.zeros(count + 1, np.bool_)
        wanted[[self._step.rows.of(each) for each in numbers]] = True
        rows = links.rows[wanted[links.targets] & self._flags("IFCRELATIONSHIP", count)[links.rows]]
        return frozenset(f"#{each}" for each in self._step.statements.ids[rows].tolist())

    def _of_objects(self) -> Hashes:
        """Return what each object says, with the content of its property sets and openings."""
        links = self._links
        count = len(links.own)
        is_set = self._flags(_SETS, count)
        of_sets = is_set[links.targets]
        rows, sets = links.rows[of_sets], links.targets[of_sets]
        assigns = self._flags("IFCRELATIONSHIP", count)[rows]
        direct = sums_by_row(rows, self._of_set(sets), count)
        direct[rows[assigns]] = 0
        given = self._given(rows[assigns], sets[assigns], count)
        shapes = self._flags(_FEATURES, count)[links.targets]
        shapes &= self._flags(_SHAPING, count)[links.rows]
        given += self._given(links.rows[shapes], links.targets[shapes], count)
        values: Hashes = mixed(self._said + direct + given)[self._rows]
        return values

    def _given(self, relationships: Places, sets: Places, count: int) -> Hashes:
        """Return for each row the sum of the sets that relationships give it."""
        links = self._links
        by_relationship = sums_by_row(relationships, self._of_set(sets), count)
        gives = by_relationship[links.rows] != 0
        rows, targets = links.rows[gives], links.targets[gives]
        given: Hashes = np.zeros(count + 1, np.uint64)
        np.add.at(given, targets, by_relationship[rows])
        return given[:count]

    def _of_set(self, rows: Places) -> Hashes:
        return mixed(self._said[rows] ^ _OF_SETS)

    def _rest(self) -> str:
        """Return one digest for all that no object leads to, whatever its order."""
        counts = ~self._flags((*OBJECTS, *_INNER, _SETS), len(self._links.own))[:-1]
        total = int(mixed(self._said[counts]).sum(dtype=np.uint64))
        schema = self._model.schema.name
        said = schema, int(counts.sum()), total, self._content.precision, self._is_drawn
        return repr(said)

    def _flags(self, kinds: str | tuple[str, ...], count: int) -> NDArray[np.bool_]:
        wanted = (kinds,) if isinstance(kinds, str) else kinds
        found = self._step.statements
        is_so = [self._model.schema.is_a(name, *wanted) for name in found.names]
        flags = np.zeros(count + 1, np.bool_)
        flags[:count] = np.array(is_so, np.bool_)[found.keywords]
        return flags
