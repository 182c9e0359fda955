"""The DXF drawings of the sample drive."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ezdxf import options  # type: ignore[attr-defined]  # public, re-exported without saying so
from ezdxf.document import Drawing
from ezdxf.filemanagement import new
from ezdxf.layouts.layout import Modelspace

RELEASE = "R2013"
METRES = 6  # of ezdxf.units.M
TITLE_LAYER = "A-ANNO-TTLB"


def site_plan(title: str, file: Path) -> None:
    """Write the plan of the site: road, plots, trees from a block, spot heights."""
    drawing = _drawing(title, {"C-ROAD": 8, "C-PROP": 3, "L-PLNT-TREE": 94, "C-TOPO": 30})
    space = drawing.modelspace()
    tree = drawing.blocks.new("TREE", base_point=(0, 0))
    tree.add_circle((0, 0), 1.5)
    tree.add_line((-0.4, 0), (0.4, 0))
    tree.add_attdef("SPECIES", (0, 2))
    for side in (-3.5, 3.5):
        points = [(x, side + 2 * math.sin(x / 20)) for x in range(-40, 81, 10)]
        space.add_lwpolyline(points, dxfattribs={"layer": "C-ROAD"})
    for number in range(6):
        x = -40.0 + 20 * number
        corners = [(x, 10), (x + 20, 10), (x + 20, 40), (x, 40)]
        space.add_lwpolyline(corners, close=True, dxfattribs={"layer": "C-PROP"})
        planted = space.add_blockref("TREE", (x + 10, 8), dxfattribs={"layer": "L-PLNT-TREE"})
        planted.add_auto_attribs({"SPECIES": ("Tilia cordata", "Alnus glutinosa")[number % 2]})
    for number, (x, y) in enumerate((x, y) for x in (-30, 0, 30, 60) for y in (-8, 8)):
        height = 1.2 + 0.05 * number
        space.add_point((x, y, height), dxfattribs={"layer": "C-TOPO"})
        space.add_text(f"{height:.2f}", height=0.5, dxfattribs={"layer": "C-TOPO"}).set_placement(
            (x + 0.5, y)
        )
    _save(drawing, file)


def section(title: str, file: Path) -> None:
    """Write a cross section of the bridge: girders, deck, hatch of the ground, dimensions."""
    drawing = _drawing(title, {"S-BEAM": 1, "S-SLAB": 4, "C-GRND": 34, "A-ANNO-DIMS": 2})
    space = drawing.modelspace()
    for axis in (0.0, 3.0, 6.0):
        flange = [(axis - 0.15, 6.5), (axis + 0.15, 6.5), (axis + 0.15, 7.1), (axis - 0.15, 7.1)]
        space.add_lwpolyline(flange, close=True, dxfattribs={"layer": "S-BEAM"})
        space.add_line((axis, 0), (axis, 6.5), dxfattribs={"layer": "S-BEAM"})
    space.add_lwpolyline(
        [(-1, 7.1), (7, 7.1), (7, 7.35), (-1, 7.35)], close=True, dxfattribs={"layer": "S-SLAB"}
    )
    ground = space.add_hatch(color=34, dxfattribs={"layer": "C-GRND"})
    ground.paths.add_polyline_path([(-3, 0), (9, 0), (9, -1), (-3, -1)], is_closed=True)
    dimension = space.add_linear_dim(
        base=(0, 8.5), p1=(0, 7.35), p2=(6, 7.35), dxfattribs={"layer": "A-ANNO-DIMS"}
    )
    dimension.render()
    _save(drawing, file)


def bearing(title: str, file: Path) -> None:
    """Write the detail of a bearing: plates, bolts, a note."""
    drawing = _drawing(title, {"S-DETL": 7, "S-BOLT": 5})
    space = drawing.modelspace()
    for plate, (width, height) in enumerate(((0.6, 0.04), (0.45, 0.12), (0.5, 0.04))):
        y = 0.2 * plate
        corners = [
            (-width / 2, y),
            (width / 2, y),
            (width / 2, y + height),
            (-width / 2, y + height),
        ]
        space.add_lwpolyline(corners, close=True, dxfattribs={"layer": "S-DETL"})
    for x in (-0.22, 0.22):
        for y in (-0.22, 0.22):
            space.add_circle((x, y + 2), 0.012, dxfattribs={"layer": "S-BOLT"})
    space.add_arc((0, 2), 0.3, 0, 180, dxfattribs={"layer": "S-DETL"})
    space.add_mtext(
        "Elastomeric bearing 450x120\\P4 anchor bolts M24", dxfattribs={"insert": (1, 1)}
    )
    _save(drawing, file)


def _drawing(title: str, layers: dict[str, int]) -> Drawing:
    with _fixed_time_stamps():
        drawing = new(RELEASE, setup=True)
    drawing.units = METRES
    for name, color in {**layers, TITLE_LAYER: 7}.items():
        drawing.layers.add(name, color=color)
    _sheet(drawing.modelspace(), title)
    return drawing


def _sheet(space: Modelspace, title: str) -> None:
    text = space.add_text(title.upper(), height=1.0, dxfattribs={"layer": TITLE_LAYER})
    text.set_placement((0, -6))


def _save(drawing: Drawing, file: Path) -> None:
    with _fixed_time_stamps():
        drawing.saveas(file)


@contextmanager
def _fixed_time_stamps() -> Iterator[None]:
    """Leave out times and random ids, so that the same drawing is the same bytes."""
    before = options.write_fixed_meta_data_for_testing
    options.write_fixed_meta_data_for_testing = True
    try:
        yield
    finally:
        options.write_fixed_meta_data_for_testing = before
