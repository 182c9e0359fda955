"""The connectors for shapefiles, GeoJSON, KML and GeoPackage: features with attributes and place.

GDAL reads them, by way of pyogrio. Coordinates stay in the system of the file, which the layer
names.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from localtwin.connectors.coordinate_systems import described
from localtwin.connectors.geospatial_files import OpenFile, shown_to_gdal
from localtwin.connectors.geospatial_places import Placing
from localtwin.connectors.geospatial_shapes import (
    Geometry,
    extent_of,
    lines_of,
    shape_of,
)
from localtwin.connectors.polylines import outline_of_lines
from localtwin.connectors.record_keys import Key, Record, find_key, label_of
from localtwin.connectors.remarks import counted
from localtwin.connectors.source import Connector, Json, Partition, SourceElement, unreadable
from localtwin.connectors.table_columns import meaning_of_cell

Feature: TypeAlias = tuple[int, Record, bytes | None]  # number in the file, attributes, WKB

ONLY_LAYER = "Features"
FEATURE_NUMBER = "the number of the feature"
LAYER_CLASS = "GeospatialDefinitions:Layer"
CHUNK = 50_000  # features; a million at once would take gigabytes

# What the KML reader adds to every placemark, said or not.
_KML_OWN = {"timestamp", "begin", "end", "altitudeMode", "tessellate", "extrude", "visibility"}
_KML_OWN |= {"drawOrder", "icon"}

# What GDAL writes into shapefiles that have no attributes, since each must have one.
_GIVEN_FIELDS = ["FID"]
_NO_NAME = re.compile(r"[^A-Za-z0-9]")
_DBF_DIGITS = 10  # of its numbers; writers do not round alike beyond

pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": True, "OGR_GEOJSON_MAX_OBJ_SIZE": 0})


class GeospatialConnector(Connector):
    """What the connectors for features share; each names its format."""

    name = "Geospatial"
    version = "4"
    kind: ClassVar[str]

    def __init__(self) -> None:
        self._remarks: list[str] = []
        self._target = ""

    def place_in(self, coordinate_system: str) -> None:
        """Have `read` place features in that system, if it is a projected one."""
        self._target = coordinate_system

    def read(self, file: Path) -> Iterator[SourceElement]:
        """Yield each layer, then its features; raises ConnectorError on a broken file."""
        self._remarks = []
        with shown_to_gdal(file, self.kind) as shown:
            self._remarks += _sidecar_remarks(shown)
            try:
                for name in _layer_names(shown):
                    yield from self._layer(shown, name)
            except (DataSourceError, DataLayerError, FeatureError) as exc:
                reason = str(exc).replace(str(shown.path), "the file")
                raise unreadable(
                    f"The file is damaged or incomplete: {reason.rstrip('.')}."
                ) from exc
            self._remarks += [f"GDAL remarks: {text}" for text in shown.warnings]

    def remarks(self) -> Sequence[str]:
        """Return what identifies the features, and which sidecars were missing."""
        return tuple(self._remarks)

    def _layer(self, shown: OpenFile, gdal_name: str) -> Iterator[SourceElement]:
        with shown.collecting_warnings():
            about = pyogrio.read_info(shown.path, layer=gdal_name)
        # Writers name the one layer of such a file after the file, or not at all.
        name = ONLY_LAYER if shown.kind in {"shp", "geojson"} else gdal_name
        crs = described(about["crs"])
        layer = f"layer {name}"
        fields = _own_fields(shown, map(str, about["fields"]))
        properties: dict[str, Json] = {"fields": sorted(fields)}
        if crs:
            properties["coordinate_system"] = crs
        placing = Placing.between(about["crs"], self._target)
        if placing is not None:
            properties["placed_in"] = placing.target
        yield SourceElement(
            layer, LAYER_CLASS, Partition.DEFINITION, label=name, properties=properties
        )
        key = self._key(shown, gdal_name, fields)
        counts: Counter[str] = Counter()
        for number, record, wkb in _features(shown, gdal_name):
            counts["all"] += 1
            counts["without a place"] += wkb is None
            geometry, shape = shape_of(wkb)
            counts["of an odd shape"] += bool(shape) and geometry is None
            if placing is not None and geometry is not None:
                geometry = placing.placed(geometry)
                counts["outside"] += geometry is None
            yield self._feature(name, key, (number, record), (geometry, shape))
        self._remarks += _layer_remarks(name, key, counts, has_crs=bool(crs))
        if placing is not None:
            self._remarks += _placing_remarks(name, placing, counts["outside"])

    def _key(self, shown: OpenFile, name: str, fields: Sequence[str]) -> Key:
        found = find_key(fields, partial(_records, shown, name), also=("name",))
        # Only a GeoPackage keeps the numbers of its features when others are deleted.
        is_numbered = shown.kind in {"gpkg", "geodb"} and found.name is None
        return Key(FEATURE_NUMBER) if is_numbered else found

    def _feature(
        self,
        layer: str,
        key: Key,
        said: tuple[int, Record],
        drawn: tuple[Geometry | None, str],
    ) -> SourceElement:
        (number, record), (geometry, shape) = said, drawn
        identity = {FEATURE_NUMBER: number} if key.name == FEATURE_NUMBER else record
        value = key.value(identity)
        return SourceElement(
            identifier=f"{layer}/{key.identifier(identity, shape)}",
            class_name=f"Geospatial:{layer.strip('{}') or 'Feature'}",
            partition=Partition.PHYSICAL,
            label=label_of(record, "" if key.name == FEATURE_NUMBER else value),
            code=value,
            category=f"layer {layer}",
            properties=record,
            extent=None if geometry is None else extent_of(geometry),
            shape=shape,
            outline=() if geometry is None else outline_of_lines(lines_of(geometry)),
        )


class ShapefileConnector(GeospatialConnector):
    """Reads shapefiles with their attributes (.dbf), system (.prj) and encoding (.cpg)."""

    kind = "shp"


class GeoJsonConnector(GeospatialConnector):
    """Reads GeoJSON."""

    kind = "geojson"


class KmlConnector(GeospatialConnector):
    """Reads the placemarks of KML; what is linked elsewhere is not fetched."""

    kind = "kml"


class GeoPackageConnector(GeospatialConnector):
    """Reads the vector layers of GeoPackages."""

    kind = "gpkg"


class GeodatabaseConnector(GeospatialConnector):
    """Reads .geodb files that are GeoPackages."""

    kind = "geodb"


def _layer_names(shown: OpenFile) -> list[str]:
    with shown.collecting_warnings():
        return [str(name) for name, _ in pyogrio.list_layers(shown.path)]


def _records(shown: OpenFile, layer: str) -> Iterator[Record]:
    return (record for _, record, _ in _features(shown, layer, with_geometry=False))


def _features(shown: OpenFile, layer: str, *, with_geometry: bool = True) -> Iterator[Feature]:
    """Yield the features in the order of the file."""
    # Text formats are parsed as a whole with each look, so they are not read in parts.
    in_parts = shown.kind not in {"geojson", "kml"}
    for start in count(0, CHUNK):
        with shown.collecting_warnings():
            meta, numbers, shapes, columns = pyogrio.raw.read(
                shown.path,
                layer=layer,
                skip_features=start,
                max_features=CHUNK if in_parts else None,
                read_geometry=with_geometry,
                return_fids=True,
                datetime_as_string=True,
            )
        names = [str(name) for name in meta["fields"]]
        kinds = list(zip(meta["dtypes"], meta["ogr_subtypes"], strict=True))
        places = [None] * len(numbers) if shapes is None else shapes
        rows = zip(*columns, strict=True) if columns else ((),) * len(numbers)
        for number, place, row in zip(numbers.tolist(), places, rows, strict=True):
            values = zip(names, kinds, row, strict=True)
            record = {name: _value(value, *kind) for name, kind, value in values}
            yield number, _stated(record, shown.kind, layer), place
        if not in_parts or len(numbers) < CHUNK:
            return


def _own_fields(shown: OpenFile, fields: Iterable[str]) -> list[str]:
    """Return the fields of a layer; GDAL gives a shapefile without any a field of numbers."""
    found = list(fields)
    return [] if shown.kind == "shp" and found == _GIVEN_FIELDS else found


def _stated(record: Mapping[str, Json], kind: str, layer: str) -> Record:
    """Return the attributes that a feature has; without what reader and writer add to all."""
    if kind == "kml" and _is_counted(record.get("id"), layer):
        own = {name: value for name, value in record.items() if name != "id"}
        record = {"id" if name == "id2" else name: value for name, value in own.items()}
    if kind == "shp":
        return {
            name: float(f"{value:.{_DBF_DIGITS}g}") if isinstance(value, float) else value
            for name, value in record.items()
            if value is not None and [*record] != _GIVEN_FIELDS
        }
    return {
        name: value
        for name, value in record.items()
        if value is not None and not (kind == "kml" and name in _KML_OWN and value in (-1, 0))
    }


def _is_counted(value: Json, layer: str) -> bool:
    """Return whether an id in KML is "Wells.7", as GDAL numbers the placemarks that it writes."""
    name, dot, count = str(value).rpartition(".")
    return bool(dot) and count.isdigit() and _NO_NAME.sub("_", name) == _NO_NAME.sub("_", layer)


def _value(value: Any, kind: str, subtype: str) -> Json:
    """Return an attribute as JSON; GDAL gives numbers beside missing ones as floats."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, np.ndarray):
        return [_value(each, "", "") for each in value.tolist()]
    if isinstance(value, np.generic):
        value = value.item()
    if kind == "bool" or subtype == "OFSTBoolean":
        return None if value != value else bool(value)  # noqa: PLR0124 - not a number
    if subtype == "OFSTJSON" and isinstance(value, str):
        found: Json = json.loads(value)
        return found
    return value.hex() if isinstance(value, bytes) else meaning_of_cell(value)


def _sidecar_remarks(shown: OpenFile) -> Iterator[str]:
    if shown.kind != "shp":
        return
    if "dbf" not in shown.sidecars:
        yield "There is no .dbf beside the .shp, so the features have no attributes."
    if "shx" not in shown.sidecars:
        yield "There is no .shx beside the .shp; the order of the features was found without it."
    if "prj" not in shown.sidecars:
        yield "There is no .prj beside the .shp, so the coordinate system is not known."
    if "dbf" in shown.sidecars and "cpg" not in shown.sidecars:
        yield "There is no .cpg beside the .shp; letters with accents may be read wrongly."


def _placing_remarks(name: str, placing: Placing, outside: int) -> Iterator[str]:
    yield f"The features of {name} were placed in {placing.target}, where the iModel lies."
    if outside:
        features = counted(outside, "feature")
        yield f"{features} of {name} outside of what {placing.target} covers, not drawn."


def _layer_remarks(name: str, key: Key, counts: Counter[str], *, has_crs: bool) -> Iterator[str]:
    features = f"{counted(counts['all'], 'feature')} of {name}"
    if key.name is None:
        yield f"{features} read; no attribute identifies them, so an edited feature is a new one."
    else:
        yield f"{features} read, identified by {key.name}."
    if counts["without a place"]:
        yield f"{counted(counts['without a place'], 'feature')} of {name} without a place."
    if counts["of an odd shape"]:
        odd = counted(counts["of an odd shape"], "feature")
        yield f"{odd} of {name} whose shape is none, such as a line of one point, not drawn."
    if not has_crs and counts["all"]:
        yield f"{name} has no coordinate system; its coordinates were kept as they are."
