"""Units of an IFC model in words, and the step in which its lengths are compared."""

import math

from localtwin.connectors.ifc_model import IfcModel
from localtwin.connectors.ifc_values import Reference, Typed, Value, references

USUAL_PRECISION_M = 1e-5
# Some programs state as precision what they can draw; an edit of a millimetre is always one.
COARSEST_M = 1e-4
FINEST_M = 1e-8
NESTING_MAX = 5  # of units that are defined by others

_PREFIXES = {
    "EXA": 1e18, "PETA": 1e15, "TERA": 1e12, "GIGA": 1e9, "MEGA": 1e6, "KILO": 1e3,
    "HECTO": 1e2, "DECA": 1e1, "DECI": 1e-1, "CENTI": 1e-2, "MILLI": 1e-3, "MICRO": 1e-6,
    "NANO": 1e-9, "PICO": 1e-12, "FEMTO": 1e-15, "ATTO": 1e-18,
}  # fmt: skip


def unit_label(model: IfcModel, number: str, depth: int = 0) -> str:
    """Return what a unit is called; one that others define says by which."""
    values = model.attributes(number)
    if depth > NESTING_MAX:
        return "…"
    if model.is_a(number, "IFCSIUNIT"):
        return f"{values.get('Prefix') or ''}{values.get('Name') or ''}"
    if model.is_a(number, "IFCCONVERSIONBASEDUNIT"):
        offset = values.get("ConversionOffset")
        shifted = "" if offset is None else f" + {offset}"
        return f"{values.get('Name')} ({_measure(model, values, depth)}{shifted})"
    if model.is_a(number, "IFCDERIVEDUNIT"):
        parts = [_power(model, part, depth) for part in references(values.get("Elements"))]
        name = values.get("UserDefinedType") or ""
        return f"{name} {' '.join(sorted(parts))}".strip()
    return str(values.get("Currency") or values.get("Name") or model.class_name(number))


def units_of(model: IfcModel, assignment: Value) -> dict[str, str]:
    """Return the units of a project by what they measure, "LENGTHUNIT"."""
    found: dict[str, str] = {}
    for holder in references(assignment):
        for unit in references(model.attributes(holder).get("Units")):
            kind = model.attributes(unit).get("UnitType")
            name = kind if isinstance(kind, str) else "MONETARYUNIT"
            labels = [each for each in (found.get(name), unit_label(model, unit)) if each]
            found[name] = ", ".join(sorted(labels))
    return found


def length_step(model: IfcModel) -> float:
    """Return the power of ten, in the file's units, below which lengths are the same."""
    stated = [
        float(value)
        for context in model.of_kind("IFCGEOMETRICREPRESENTATIONCONTEXT")
        if isinstance(value := model.attributes(context).get("Precision"), int | float)
        and value > 0
    ]
    unit = metres_per_unit(model)
    precision_m = max(stated) * unit if stated else USUAL_PRECISION_M
    bounded = min(max(precision_m, FINEST_M), COARSEST_M) / unit
    return float(10 ** math.floor(math.log10(bounded) + 1e-9))


def metres_per_unit(model: IfcModel) -> float:
    """Return the length of the project's unit [m]; 1 if the file has none."""
    for assignment in sorted(model.of_kind("IFCUNITASSIGNMENT")):
        for unit in references(model.attributes(assignment).get("Units")):
            if model.attributes(unit).get("UnitType") == "LENGTHUNIT":
                factor = _metres(model, unit)
                if 0 < factor < math.inf:
                    return factor
    return 1.0


def _metres(model: IfcModel, unit: str, depth: int = 0) -> float:
    values = model.attributes(unit)
    if model.is_a(unit, "IFCSIUNIT"):
        return _PREFIXES.get(str(values.get("Prefix")), 1.0)
    measure = references(values.get("ConversionFactor"))
    if not measure or depth > NESTING_MAX:
        return 1.0
    factor = model.attributes(measure[0])
    of_units = references(factor.get("UnitComponent"))
    base = _metres(model, of_units[0], depth + 1) if of_units else 1.0
    return _number(factor.get("ValueComponent")) * base


def _measure(model: IfcModel, values: dict[str, Value], depth: int) -> str:
    for number in references(values.get("ConversionFactor")):
        factor = model.attributes(number)
        units = references(factor.get("UnitComponent"))
        label = unit_label(model, units[0], depth + 1) if units else ""
        return f"{_number(factor.get('ValueComponent')):.10g} {label}".strip()
    return "unknown"


def _power(model: IfcModel, element: Reference, depth: int) -> str:
    values = model.attributes(element)
    label = "·".join(unit_label(model, each, depth + 1) for each in references(values.get("Unit")))
    exponent = values.get("Exponent")
    return label if exponent == 1 else f"{label}^{exponent}"


def _number(value: Value) -> float:
    inner = value.value if isinstance(value, Typed) else value
    return float(inner) if isinstance(inner, int | float) else 1.0
