"""Writes large IFC models as design programs do: products with faces, property sets, quantities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_HEAD = """ISO-10303-21;
HEADER;
FILE_DESCRIPTION((''),'2;1');
FILE_NAME('','2026-01-05T08:00:00',(''),(''),'','','');
FILE_SCHEMA(('IFC4'));
ENDSEC;
DATA;
"""
_FIRST = """#1=IFCCARTESIANPOINT((0.,0.,0.));
#2=IFCAXIS2PLACEMENT3D(#1,$,$);
#3=IFCGEOMETRICREPRESENTATIONCONTEXT($,'Model',3,1.E-05,#2,$);
#4=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);
#5=IFCSIUNIT(*,.AREAUNIT.,$,.SQUARE_METRE.);
#6=IFCUNITASSIGNMENT((#4,#5));
#7=IFCPROJECT('0000000000000000000001',#12,'Project',$,$,$,$,(#3),#6);
#8=IFCBUILDINGSTOREY('0000000000000000000002',#12,'Storey',$,$,#9,$,$,.ELEMENT.,0.);
#9=IFCLOCALPLACEMENT($,#2);
#10=IFCRELAGGREGATES('0000000000000000000003',#12,$,$,#7,(#8));
#11=IFCDIRECTION((0.,0.,1.));
#12=IFCOWNERHISTORY($,$,$,.ADDED.,$,$,$,1700000000);
#13=IFCMATERIAL('Concrete',$,$);
"""
_CORNERS = [(x, y, z) for z in (0, 1) for y in (0, 1) for x in (0, 1)]
_SIDES = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
_TEXTS = ("Reference", "Manufacturer", "FireRating", "AcousticRating", "Phase", "Remark")
_SHARED = 8  # products that one type has


def write_model(file: Path, products: int, *, renamed: int = -1, revalued: int = -1) -> None:
    """Write a model of some 8,000 bytes a product.

    The one numbered `renamed` has another name, `revalued` another value of a property.
    """
    with file.open("w", encoding="ascii") as out:
        out.write(_HEAD + _FIRST)
        for number in range(products):
            name = f"Element {number}{' renamed' if number == renamed else ''}"
            out.write("\n".join(_product(number, name, is_revalued=number == revalued)) + "\n")
        members = ",".join(f"#{_at(number)}" for number in range(products))
        last = _at(products)
        out.write(
            f"#{last}=IFCRELCONTAINEDINSPATIALSTRUCTURE("
            f"'{last:022d}',#12,$,$,({members}),#8);\n"
            f"#{last + 1}=IFCRELASSOCIATESMATERIAL('{last + 1:022d}',#12,$,$,({members}),#13);\n"
            "ENDSEC;\nEND-ISO-10303-21;\n"
        )


def _at(number: int) -> int:
    return 100 + number * 200


def _product(number: int, name: str, *, is_revalued: bool) -> Iterator[str]:
    at = _at(number)
    x, y = number % 100 * 5000.25, number // 100 * 4000.5
    yield (
        f"#{at}=IFCWALL('{at:022d}',#12,'{name}',$,'Basic Wall:Generic',#{at + 1},#{at + 4},"
        f"'{number}',.STANDARD.);"
    )
    yield f"#{at + 1}=IFCLOCALPLACEMENT(#9,#{at + 2});"
    yield f"#{at + 2}=IFCAXIS2PLACEMENT3D(#{at + 3},$,$);"
    yield f"#{at + 3}=IFCCARTESIANPOINT(({x},{y},0.));"
    yield f"#{at + 4}=IFCPRODUCTDEFINITIONSHAPE($,$,(#{at + 5}));"
    yield from _blocks(at, number)
    yield from _sets(at, number, is_revalued=is_revalued)
    if number % _SHARED == 0:
        members = ",".join(f"#{_at(number + each)}" for each in range(_SHARED))
        yield (
            f"#{at + 190}=IFCWALLTYPE('{at + 190:022d}',#12,'Type {number}',$,$,$,$,'{number}',$,"
            ".STANDARD.);"
        )
        yield (
            f"#{at + 191}=IFCRELDEFINESBYTYPE('{at + 191:022d}',#12,$,$,({members}),#{at + 190});"
        )


def _blocks(at: int, number: int) -> Iterator[str]:
    """Yield a shape of two blocks, face by face; no two products have the same."""
    base, breps = at + 10, []
    for block in range(2):
        size = 800.0 + number * 0.125, 300.0 + block * 12.5, 2750.125
        points = []
        for corner in _CORNERS:
            x, y, z = (a * b for a, b in zip(corner, size, strict=True))
            points.append(base)
            yield f"#{base}=IFCCARTESIANPOINT(({x + block * 900.5},{y},{z}));"
            base += 1
        faces = []
        for side in _SIDES:
            loop = ",".join(f"#{points[place]}" for place in side)
            yield f"#{base}=IFCPOLYLOOP(({loop}));"
            yield f"#{base + 1}=IFCFACEOUTERBOUND(#{base},.T.);"
            yield f"#{base + 2}=IFCFACE((#{base + 1}));"
            faces.append(f"#{base + 2}")
            base += 3
        yield f"#{base}=IFCCLOSEDSHELL(({','.join(faces)}));"
        yield f"#{base + 1}=IFCFACETEDBREP(#{base});"
        breps.append(f"#{base + 1}")
        base += 2
    yield f"#{at + 5}=IFCSHAPEREPRESENTATION(#3,'Body','Brep',({','.join(breps)}));"


def _sets(at: int, number: int, *, is_revalued: bool) -> Iterator[str]:
    base = at + 80
    for name in ("Pset_WallCommon", "Identity Data", "Dimensions"):
        members = []
        for place, text in enumerate(_TEXTS):
            value = (
                f"IFCLENGTHMEASURE({number * 0.25 + place})"
                if place % 2
                else f"IFCLABEL('{name[0]} {number % 50} {place}')"
            )
            yield f"#{base}=IFCPROPERTYSINGLEVALUE('{text}',$,{value},$);"
            members.append(f"#{base}")
            base += 1
        yield f"#{base}=IFCPROPERTYSET('{base:022d}',#12,'{name}',$,({','.join(members)}));"
        yield (f"#{base + 1}=IFCRELDEFINESBYPROPERTIES('{base + 1:022d}',#12,$,$,(#{at}),#{base});")
        base += 2
    members = []
    for text, kind in (("Length", "LENGTH"), ("NetSideArea", "AREA"), ("NetVolume", "VOLUME")):
        yield f"#{base}=IFCQUANTITY{kind}('{text}',$,$,{number * 1.5 + 0.125 + is_revalued},$);"
        members.append(f"#{base}")
        base += 1
    yield (
        f"#{base}=IFCELEMENTQUANTITY('{base:022d}',#12,'BaseQuantities',$,$,({','.join(members)}));"
    )
    yield f"#{base + 1}=IFCRELDEFINESBYPROPERTIES('{base + 1:022d}',#12,$,$,(#{at}),#{base});"
