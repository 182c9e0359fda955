"""The IFC connector: resources, objects and relationships of a model, by GlobalId."""

import gc
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from localtwin.connectors.archives import encrypted, is_encrypted, opened_archive
from localtwin.connectors.ifc_content import Content
from localtwin.connectors.ifc_extract import extract
from localtwin.connectors.ifc_geometry import Geometry
from localtwin.connectors.ifc_memory import Fingerprints, KnownObjects
from localtwin.connectors.ifc_model import OBJECTS, IfcModel
from localtwin.connectors.ifc_objects import Objects, remarks_on
from localtwin.connectors.ifc_properties import PropertySets
from localtwin.connectors.ifc_relations import Relation, merged_properties, read_relations
from localtwin.connectors.ifc_resources import Resources
from localtwin.connectors.ifc_schema import Schema, schema_of
from localtwin.connectors.ifc_step import StepText, parse_step, read_text
from localtwin.connectors.ifc_text import ModelText, one_a_line, text_of
from localtwin.connectors.parallel import Aside, cores
from localtwin.connectors.source import (
    Connector,
    ConnectorError,
    HeldShapes,
    Json,
    SourceItem,
    SourceRelationship,
    Unchanged,
    unreadable,
)

ASIDE_MIN = 10_000_000  # bytes; a smaller text is compared before a copy of the process is there


class IfcConnector(Connector):
    """Reads IFC2X3, IFC4 and IFC4X3 in the STEP encoding."""

    name = "IFC"
    version = "5"

    def __init__(self) -> None:
        self._remarks: Sequence[str] = ()
        self._held: HeldShapes | None = None
        self._before, self._memory = b"", b""

    def build_shapes(self, held: HeldShapes) -> None:
        """Have `read` build the shapes that `held` lacks, in other processes."""
        self._held = held

    def resume(self, memory: bytes) -> None:
        """Have `read` leave out the objects that are as they were."""
        self._before = memory

    def memory(self) -> bytes:
        """Return what `resume` needs."""
        return self._memory

    def read(self, file: Path) -> Iterator[SourceItem]:
        """Yield resources, objects and relationships; raises ConnectorError on a broken file."""
        self._remarks, self._memory = (), b""
        with _without_collection():
            yield from self._items(file)

    def _items(self, file: Path) -> Iterator[SourceItem]:
        reading = _Reading(file, self._before, is_drawn=self._held is not None)
        with closing(reading):
            yield from self._read(reading)

    def _read(self, reading: "_Reading") -> Iterator[SourceItem]:
        geometry = None if self._held is None else reading.geometry(self._held)
        try:
            yield from reading.items(geometry)
        finally:
            if geometry is not None:
                geometry.close()
        drawn = () if geometry is None else geometry.remarks()
        self._remarks = (*reading.remarks(), *drawn)
        self._memory = reading.memory(() if geometry is None else geometry.unfinished)

    def remarks(self) -> Sequence[str]:
        """Return what was left out."""
        return self._remarks


class IfcZipConnector(IfcConnector):
    """Reads the IFC file inside an .ifczip."""

    def read(self, file: Path) -> Iterator[SourceItem]:
        """Yield as IfcConnector does; raises ConnectorError if there is no IFC file inside."""
        with opened_archive(file) as archive, tempfile.TemporaryDirectory() as folder:
            yield from super().read(Path(archive.extract(_model_in(archive), folder)))


@contextmanager
def _without_collection() -> Iterator[None]:
    """Pause the search for cycles: a model is millions of objects without one."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _model_in(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the only model in an archive; raises ConnectorError if there is none or a choice."""
    found = [
        each
        for each in archive.infolist()
        if each.filename.lower().endswith(".ifc") and not each.filename.startswith("__MACOSX/")
    ]
    if not found:
        raise _without_model(archive)
    if len(found) > 1:
        names = ", ".join(each.filename for each in found[:3])
        raise unreadable(f"There are {len(found)} models in the archive ({names}); keep one in it.")
    (model,) = found
    if is_encrypted(model):
        raise encrypted()
    return model


def _without_model(archive: zipfile.ZipFile) -> ConnectorError:
    """Return the error of an archive without a model that is read here."""
    if any(name.lower().endswith(".ifcxml") for name in archive.namelist()):
        error = unreadable(
            "The model in the archive is ifcXML, which is not read.",
            code="FormatVersionUnsupported",
        )
        error.description = "Export the model as IFC (STEP) or as an .ifczip with an .ifc in it."
        return error
    return unreadable("There is no .ifc file in the archive.")


def _text_aside(text: StepText, schema: Schema, *, is_first: bool) -> Aside[ModelText | None]:
    """Return what becomes the model's text; a large model's first reading needs it late."""
    is_long = is_first and len(text.data) >= ASIDE_MIN
    return Aside(lambda: text_of(one_a_line(text).data, schema), cores() if is_long else 1)


class _Reading:
    """One pass over a model, or over what changed in it."""

    def __init__(self, file: Path, before: bytes, *, is_drawn: bool) -> None:
        self._whole = [read_text(file)]  # until it is parsed: it is as long as the file
        self._schema = schema_of(self._whole[0].schema)
        self._before = KnownObjects.decoded(before)
        self._text = _text_aside(self._whole[0], self._schema, is_first=self._before is None)
        try:
            self._is_part = self._use_part(is_drawn=is_drawn)
            if not self._is_part:
                self._use_whole(is_drawn=is_drawn)
        except BaseException:
            self.close()
            raise
        sets = PropertySets(self.content)
        self._resources = Resources(self.content, self._relations, sets)
        self._objects = Objects(self.content, self._relations, sets, self._resources, self._changed)

    def _use_part(self, *, is_drawn: bool) -> bool:
        """Read the edited objects only; return whether that is all that changed."""
        known = None if self._before is None else self._before.text
        if self._before is None or known is None:
            return False
        edited = self._before.edited(self._text.result(), is_drawn=is_drawn)
        if edited is None:
            return False
        try:
            (text,) = self._whole
            lines = one_a_line(text).data
            part = extract(lines, self._schema, edited, known.of_all, known.notes)
            self._open([StepText(text.schema, part)], is_drawn=is_drawn)
        except ConnectorError:  # a line that is not as usual; a whole reading finds out which
            return False
        self._changed: frozenset[str] | None = frozenset(f"#{each}" for each in edited)
        self._relate(self._changed)
        return True

    def _use_whole(self, *, is_drawn: bool) -> None:
        self._open(self._whole, is_drawn=is_drawn)
        self._text.result()  # before another copy is made: this one has all of the text
        changed = None if self._before is None else self._fingerprints.changed(self._before)
        self._changed = None if changed is None else frozenset(changed)
        self._relate(self._changed)

    def _open(self, text: list[StepText], *, is_drawn: bool) -> None:
        """Parse the only text in a list, which is empty then."""
        self.content = Content(IfcModel(parse_step(text.pop()), self._schema))
        self._fingerprints = Fingerprints(self.content, is_drawn=is_drawn)

    def _relate(self, changed: Collection[str] | None) -> None:
        about = None if changed is None else self._fingerprints.relationships_of(changed)
        self._relations = read_relations(self.content, about)

    def remarks(self) -> Sequence[str]:
        """Return what the report has to say of the file itself."""
        known = self._before.text if self._is_part and self._before else None
        return tuple(remarks_on(self.content)) if known is None else known.remarks

    def geometry(self, held: HeldShapes) -> Geometry:
        """Return the shapes, which other processes begin to build."""
        return Geometry(self.content, self._objects.shaped(), held)

    def items(self, geometry: Geometry | None) -> Iterator[SourceItem]:
        """Yield resources, objects with parents first, then what relates them."""
        if self._before is not None and self._changed is not None:
            objects = self._before.objects.keys() - set(map(self.content.identifier, self._changed))
            yield Unchanged([*self._before.resources, *objects], and_relationships=True)
            yield from self._objects.elements(geometry)
            return
        yield from self._resources.elements()
        there: set[str] = set()
        for element in self._objects.elements(geometry):
            there.add(element.identifier)
            yield element
        yield from self._relationships(there)

    def close(self) -> None:
        """End what another process does for this reading."""
        self._text.close()

    def memory(self, unfinished: Collection[str]) -> bytes:
        """Return what the next reading needs; `unfinished` objects are to be read again."""
        text = self._text.result()
        if self._is_part and self._before and text and self._changed is not None:
            read = set(map(self.content.identifier, self._changed))
            values = self._fingerprints.objects(unfinished)
            renewed = {each: value for each, value in values.items() if each in read}
            return self._before.renewed(renewed, text).encoded()
        if not self._fingerprints.is_usable:
            return b""
        resources: Collection[str] = self._resources.identifiers
        if self._before is not None and self._changed is not None:
            resources = self._before.resources
        known = self._fingerprints.memory(resources, unfinished)
        known_text = self._fingerprints.known_text(text, self.remarks())
        return replace(known, text=known_text).encoded()

    def _relationships(self, there: set[str]) -> Iterator[SourceRelationship]:
        rows: dict[tuple[str, str, str], list[dict[str, Json]]] = {}
        for pair in self._relations.pairs:
            relating = self._object(pair.relating)
            if relating in there and self._object(pair.related) in there:
                self._add(rows, pair, relating, dict(pair.properties))
        for related, pairs in self._relations.associations.items():
            for pair in pairs if self._object(related) in there else ():
                usage = self._resources.usage(pair.relating)
                properties = {**pair.properties, "Usage": usage} if usage else pair.properties
                self._add(rows, pair, self._resources.identifier(pair.relating), dict(properties))
        for (name, relating, related), found in rows.items():
            yield SourceRelationship(name, relating, related, merged_properties(found))

    def _object(self, number: str) -> str:
        is_object = self.content.model.is_a(number, *OBJECTS)
        return self.content.identifier(number) if is_object else ""

    def _add(
        self,
        rows: dict[tuple[str, str, str], list[dict[str, Json]]],
        pair: Relation,
        relating: str,
        properties: dict[str, Json],
    ) -> None:
        name = f"{self._schema.name}:{self._schema.name_of(pair.keyword)}"
        key = name, relating, self.content.identifier(pair.related)
        rows.setdefault(key, []).append(properties)
