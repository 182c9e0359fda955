"""The settings of one manifest connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ...core.model import FileKey
from ..settings import ConnectionSettings


@dataclass(frozen=True, slots=True)
class Document:
    """The document attribute of a file: a class of the schema, and values for its properties."""

    class_name: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestConnectionSettings(ConnectionSettings):
    """One configured connection; the functions are called once per file of a run."""

    is_reference: Callable[[FileKey], bool]
    reference_connector_of: Callable[[FileKey], str]  # "": left to the service
    document_of: Callable[[FileKey], Document | None]
    schema_url: str = ""  # where the classes of the documents are defined
