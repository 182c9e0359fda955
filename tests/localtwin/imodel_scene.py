"""A local iModel with a few source files, for tests to act on."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import ezdxf.filemanagement
import ifcopenshell
from ezdxf.document import Drawing

from localtwin.imodel.changeset import apply_changeset, revert_changeset
from localtwin.imodel.database import create_imodel, opened
from localtwin.imodel.report import JobOrder, JobReport, SourceOrder
from localtwin.imodel.tables import RECORDED
from localtwin.world.synchronization.worker.job import run_job

CONNECTORS = {".ifc": "IFC", ".ifczip": "IFC", ".dxf": "DWG"}
CONNECTORS |= {".csv": "PSEXCEL", ".geojson": "GEOSPATIAL"}
EMPTY = "0" * 16
Row = tuple[object, ...]


@dataclass
class Scene:
    """An iModel in `folder`, and the changesets written so far."""

    folder: Path
    changesets: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        create_imodel(self.imodel)

    @property
    def imodel(self) -> Path:
        return self.folder / "model.bim"

    def order(self, *sources: SourceOrder) -> JobOrder:
        return JobOrder(self.imodel, self.folder / "changesets", sources)

    def run(self, *sources: SourceOrder) -> JobReport:
        return self.run_in("", *sources)

    def run_in(self, coordinate_system: str, *sources: SourceOrder) -> JobReport:
        """Run a job on the iModel, which the platform knows to lie in that system."""
        order = replace(self.order(*sources), coordinate_system=coordinate_system)
        report = run_job(order)
        self.changesets += [order.changesets / changeset.id for changeset in report.changesets]
        return report

    def rows(self, query: str, *values: str) -> list[Row]:
        with opened(self.imodel) as database:
            return list(database.execute(query, values))

    def element(self, identifier: str) -> dict[str, object]:
        names = [
            "Id",
            "ParentId",
            "CategoryId",
            "TypeDefinitionId",
            "CodeValue",
            "UserLabel",
            "JsonProperties",
        ]
        names += ["JsonProperties", "MinX", "MinY", "MinZ", "MaxX", "MaxY", "MaxZ"]
        (row,) = self.rows(
            f"SELECT {', '.join(names)} FROM bis_Element"  # noqa: S608 - names from above
            " JOIN bis_ExternalSourceAspect ON ElementId = Id WHERE Identifier = ?",
            identifier,
        )
        return dict(zip(names, row, strict=True))


def source(file: Path, *, name: str = "", action: str = "bridge", as_type: str = "") -> SourceOrder:
    """Return the order for `file`, under its own name unless another is given."""
    name = name or file.name
    connector = as_type or CONNECTORS.get(Path(name).suffix, "DWG")
    return SourceOrder(f"id of {file.name}", name, file, connector, action)


def tables(imodel: Path) -> dict[str, list[Row]]:
    """Return every row of every table that changesets carry."""
    with opened(imodel) as database:
        return {
            name: list(database.execute(f"SELECT * FROM {name} ORDER BY 1, 2"))  # noqa: S608
            for name in RECORDED
        }


def replayed(copy: Path, changesets: list[Path]) -> dict[str, list[Row]]:
    """Return the tables of an empty iModel after `changesets`."""
    create_imodel(copy)
    for changeset in changesets:
        apply_changeset(copy, changeset)
    return tables(copy)


def reverted(copy: Path, changesets: list[Path]) -> dict[str, list[Row]]:
    """Return the tables of `copy` after taking `changesets` back, the last first."""
    for changeset in reversed(changesets):
        revert_changeset(copy, changeset)
    return tables(copy)


def plan(file: Path) -> Drawing:
    """Write a small drawing and return it: two lines, a circle and a text on two layers."""
    drawing = ezdxf.filemanagement.new("R2013")
    for layer in ("WALLS", "NOTES"):
        drawing.layers.add(layer)
    space = drawing.modelspace()
    space.add_line((0, 0), (4, 0), dxfattribs={"layer": "WALLS"})
    space.add_line((4, 0), (4, 3), dxfattribs={"layer": "WALLS"})
    space.add_circle((2, 1), 0.5, dxfattribs={"layer": "WALLS"})
    space.add_text("Office", dxfattribs={"layer": "NOTES", "insert": (1, 1)})
    drawing.saveas(file)
    return drawing


def renumbered(file: Path, target: Path) -> None:
    """Write the IFC model of `file` again, in another order and with other step numbers."""
    old = ifcopenshell.open(file, ".ifc")
    new = ifcopenshell.file(schema=old.schema)
    spares = [new.create_entity("IfcDirection", (0.0, float(turn), 1.0)) for turn in range(50)]
    for instance in reversed(list(old)):
        new.add(instance)
    for spare in spares:
        new.remove(spare)
    new.header.file_name.time_stamp = "2031-01-01T00:00:00"
    new.write(target, ".ifc")
