"""The bodies of the Synchronization API, and the rules that need nothing but the body.

Source: Synchronization API, "Create StorageConnection", "Update StorageConnection".
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from localtwin.api.request_body import RequestBody
from localtwin.ids import is_guid, split_pair

ConnectorType = Literal[
    "AUTOPLANT", "CIVIL", "CIVIL3D", "DACQJSON", "DWG", "GEOSPATIAL", "IFC", "INTELLIPID", "MSTN",
    "NWD", "OBD", "OPENTOWER", "PROSTRUCTURES", "PSEXCEL", "REVIT", "SPPID", "SPXREVIEW",
]  # fmt: skip
AuthenticationType = Literal["User", "Service"]


def _guid(text: str) -> str:
    if not is_guid(text):
        raise ValueError("not a GUID")
    return text


def _storage_id(text: str) -> str:
    if split_pair(text) is None:
        raise ValueError("not the id of a file")
    return text


# Checked with the rest of the body, so that a caller gets all mistakes at once.
IModelId = Annotated[str, Field(alias="iModelId"), AfterValidator(_guid)]
StorageId = Annotated[str, Field(alias="storageFileId"), AfterValidator(_storage_id)]
Name = Annotated[str | None, Field(alias="displayName", max_length=255)]


class SourceWrite(RequestBody):
    """A source file as a caller writes it."""

    storage_file_id: StorageId
    connector_type: Annotated[ConnectorType, Field(alias="connectorType")]


class ConnectionCreate(RequestBody):
    """The body of a creation; a connection can't be created empty."""

    display_name: Name = None
    imodel_id: IModelId
    authentication_type: Annotated[AuthenticationType, Field(alias="authenticationType")] = "User"
    source_files: Annotated[list[SourceWrite], Field(alias="sourceFiles", min_length=1)]


class ConnectionUpdate(RequestBody):
    """The body of an update.

    Clients of the first generation send the whole body of the creation; its iModel and source files
    must be those of the connection.
    """

    display_name: Name = None
    imodel_id: Annotated[str | None, Field(alias="iModelId")] = None
    source_files: Annotated[list[dict[str, str]] | None, Field(alias="sourceFiles")] = None
    authentication_type: Annotated[AuthenticationType, Field(alias="authenticationType")] = "User"
