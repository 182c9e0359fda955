"""Building blocks of the JSON Schemas of answers."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer", "minimum": 0}
BOOLEAN: Schema = {"type": "boolean"}
DATE: Schema = {"type": "string", "format": "date-time"}
GUID: Schema = {"type": "string", "format": "uuid"}


def one_of(*values: str) -> Schema:
    """Return the schema of a string with these values."""
    return {"type": "string", "enum": list(values)}


def or_null(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def a_list(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def ref(name: str) -> Schema:
    """Return a reference to one of `SHAPES`."""
    return {"$ref": f"#/components/schemas/{name}"}


def closed(required: Schema, optional: Schema | None = None) -> Schema:
    """Return the schema of an object with these properties and no other."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def wrapped(name: str, shape: str) -> Schema:
    """Return the schema of an answer that holds one item."""
    return closed({name: ref(shape)})


def page(name: str, *shapes: str, folder: bool = False) -> Schema:
    """Return the schema of one page of items."""
    item = ref(shapes[0]) if len(shapes) == 1 else {"anyOf": [ref(shape) for shape in shapes]}
    pages = {"self": LINK, "prev": or_null(LINK), "next": or_null(LINK)}
    links = closed(pages | ({"folder": LINK} if folder else {}))
    return closed({name: a_list(item), "_links": links})


LINK = ref("Link")
