"""Properties as JSON text, the way the iModel stores them."""

import json
import math
from collections.abc import Mapping, Sequence

from localtwin.connectors.source import Json, clean

_STORED = json.JSONEncoder(default=dict, ensure_ascii=False, sort_keys=True, allow_nan=False)


def json_text(properties: Mapping[str, Json] | None) -> str:
    """Return the properties as the iModel stores them; equal ones give equal text."""
    try:
        text = _STORED.encode(properties or {})
    except ValueError:  # numbers that JSON does not have are kept as texts
        finite = _with_finite_numbers(properties or {})
        text = json.dumps(finite, ensure_ascii=False, sort_keys=True)
    return clean(text)


def _with_finite_numbers(value: Json) -> Json:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case str():
            return value
        case Mapping():
            return {key: _with_finite_numbers(inner) for key, inner in value.items()}
        case Sequence():
            return [_with_finite_numbers(inner) for inner in value]
        case _:
            return value
