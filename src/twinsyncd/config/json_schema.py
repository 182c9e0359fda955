"""The JSON Schema of the configuration file, for editors that check TOML while it is written."""

from __future__ import annotations

from typing import Any, Final

from .descriptions import descriptions
from .schema import SECTIONS, Config

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NOTHING: Final[tuple[object, ...]] = (None, "", [], {})  # not to be written
_IDS: Final = frozenset({"itwin_id", "imodel_id"})


def json_schema() -> dict[str, Any]:
    """Return the schema of the whole file, with each key's explanation.

    What depends on several keys, on folders or on secrets is checked by `twinsyncd check` only.
    """
    schema = Config.model_json_schema(mode="validation")
    tables = schema["$defs"]
    for section, model in SECTIONS.items():
        defaults = model.model_construct().model_dump(mode="json")
        _explain(tables[model.__name__] if section else schema, section, defaults)
    # Bulk connections have no iTwin and no iModel, and a file of them alone needs no sign-in.
    tables["Connection"]["required"] = [
        key for key in tables["Connection"]["required"] if key not in _IDS
    ]
    return {
        "$schema": DIALECT,
        **schema,
        "title": "twinsyncd configuration",
        "required": ["connection"],
    }


def _explain(table: dict[str, Any], section: tuple[str, ...], defaults: dict[str, Any]) -> None:
    """Add explanations and defaults, as the file has them: "5s" where the model has seconds."""
    table.pop("title", None)
    known = descriptions()
    for key, value in table["properties"].items():
        value.pop("title", None)
        choices = [each for each in value.pop("anyOf", ()) if each != {"type": "null"}]
        value.update(choices[0] if len(choices) == 1 else {})
        value.pop("default", None)
        if defaults.get(key) not in _NOTHING and "$ref" not in value:
            value["default"] = defaults[key]
        if (section, key) in known:
            value["description"] = known[section, key].text
