"""A small design office's shared drive, made on the spot with the libraries that read it.

It is for trying things out: real IFC, DXF, GeoJSON and CSV files, the same bytes every time, and an
edit such as a designer makes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from localtwin.sample_drive import buildings, drawings, tables

STEEL = "structure/Bridge 12 - steel.ifc"


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit that was made: `path` is relative to the drive, counts are in elements."""

    path: str
    sentence: str
    inserted: int
    updated: int
    deleted: int


def make_sample_drive(folder: Path) -> None:
    """Write the sample files below `folder`, which is made if need be; the same every time."""
    for path, make in {
        STEEL: buildings.steel,
        "structure/Bridge 12 - foundations.ifc": buildings.foundations,
        "architecture/Control building.ifc": buildings.control_building,
        "services/Control building - ventilation.ifc": buildings.ventilation,
        "cad/site plan.dxf": drawings.site_plan,
        "cad/sections/section A-A.dxf": drawings.section,
        "cad/sections/section B-B.dxf": drawings.section,
        "cad/details/bearing.dxf": drawings.bearing,
        "gis/plots and pipes.geojson": tables.plots_and_pipes,
        "schedules/bearings.csv": tables.bearings,
    }.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        _replace(file, partial(make, file.stem))


def edit_sample(folder: Path) -> Edit:
    """Edit the steel model as a designer would, and save it as most programs do: by renaming.

    Each further call is a further edit, as long as there are deck plates to remove: eight. Raises
    FileNotFoundError without the sample drive.
    """
    file = folder / STEEL
    _replace(file, lambda draft: buildings.edit_steel(file, draft))
    sentence = "a column added, two beams renamed, a deck plate removed"
    return Edit(STEEL, sentence, inserted=1, updated=2, deleted=1)


def _replace(file: Path, write: Callable[[Path], None]) -> None:
    draft = file.with_name(f"~{file.name}.tmp")
    write(draft)
    draft.replace(file)
