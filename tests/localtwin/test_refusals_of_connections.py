"""Every refusal that the pages of storage and manifest connections document, word for word."""

from __future__ import annotations

from typing import Any

import pytest
from platform_scene import Platform
from refusal_scene import INCOMPLETE, MANIFEST, STORAGE, Refused, things_for

pytest_plugins = ["platform_fixtures"]

CONNECTORS = (
    "'AUTOPLANT', 'CIVIL', 'CIVIL3D', 'DACQJSON', 'DWG', 'GEOSPATIAL', 'IFC', 'INTELLIPID', "
    "'MSTN', 'NWD', 'OBD', 'OPENTOWER', 'PROSTRUCTURES', 'PSEXCEL', 'REVIT', 'SPPID', 'SPXREVIEW'"
)
CANNOT = "Cannot perform operation."
ALREADY_MAPPED = "The SourceFile is already mapped to the iModel."
SOME_MAPPED = "One or more SourceFiles are already mapped to the iModel."


@pytest.fixture(scope="module")
def things(office: Platform) -> dict[str, str]:
    """What there is to be refused about; no refusal changes it."""
    office.settle_in()
    return things_for(office)


def creation(**change: Any) -> dict[str, Any]:
    body = {
        "iModelId": "{imodel}",
        "sourceFiles": [{"storageFileId": "{other}", "connectorType": "IFC"}],
    }
    return {key: value for key, value in (body | change).items() if value is not None}


def from_manifest(**change: Any) -> dict[str, Any]:
    body = {"iModelId": "{imodel}", "sourceFiles": [{"sourceFileId": "R"}]}
    return {key: value for key, value in (body | change).items() if value is not None}


def missing(target: str, message: str = INCOMPLETE) -> tuple[str, str, str]:
    return ("MissingRequiredProperty", message, target)


def bad(target: str, message: str) -> tuple[str, str, str]:
    return ("InvalidValue", message, target)


NOT_ONE = "At least one input file must be included to create a ConnectionDefinition."
NO_IMODEL = missing("imodelId", "imodelId was not provided.")
BAD_IMODEL = bad("imodelId", "Provided imodelId value is not valid.")
BAD_FILE = bad("storageFileId", "Provided storageFileId value is not valid.")
BAD_CONNECTOR = bad("connectorType", f"connectorType must be one of: {CONNECTORS}.")
BAD_SIGN_IN = bad("authenticationType", "authenticationType must be one of: 'User', 'Service'.")


def invalid(request: str, body: Any, detail: tuple[str, str, str]) -> Refused:
    """Return the row of a 422; the path decides the code."""
    kind = "Storage" if STORAGE in request else "Manifest"
    of_source = "SourceFile" if "/sourcefiles" in request else ""
    code = f"Invalid{kind}Connection{of_source}Request"
    return Refused(request, body, 422, code, CANNOT, [detail])


def of_kind(path: str, kind: str) -> list[Refused]:
    """Return the rows that both kinds have."""
    create = creation if kind == "Storage" else from_manifest
    here = f"{path}/{{{kind.lower()}}}"
    nowhere, foreign = (
        f"{path}/{{none}}",
        f"{path}/{{{'manifest' if kind == 'Storage' else 'storage'}}}",
    )
    source = create()["sourceFiles"][0]
    lost = (404, f"{kind}ConnectionNotFound", f"Requested {kind}Connection is not available.")
    entity = f"{kind}ConnectionSourceFile"
    no_source = (404, f"{entity}NotFound", f"Requested {entity} is not available.")
    entity = f"{kind}ConnectionRun"
    no_run = (404, f"{entity}NotFound", f"Requested {entity} is not available.")
    no_imodel = (404, "iModelNotFound", "Requested iModel is not available.")
    forbidden = "The user has insufficient permissions for the requested operation."
    return [
        invalid(f"GET {path}", None, NO_IMODEL),
        invalid(f"GET {path}?imodelId=bridge", None, BAD_IMODEL),
        Refused(f"GET {path}?imodelId={{none}}", None, 403, "InsufficientPermissions", forbidden),
        invalid(f"POST {path}", create(sourceFiles=None), missing("sourceFiles")),
        invalid(f"POST {path}", create(sourceFiles=[]), missing("sourceFiles", NOT_ONE)),
        invalid(f"POST {path}", create(iModelId=None), NO_IMODEL),
        invalid(f"POST {path}", create(iModelId="bridge"), BAD_IMODEL),
        invalid(f"POST {path}", create(authenticationType="Guest"), BAD_SIGN_IN),
        Refused(f"POST {path}", create(iModelId="{none}"), *no_imodel),
        *(
            Refused(f"{method} {where}", body, *lost)
            for where in (nowhere, foreign)
            for method, body in (("GET", None), ("PUT", {"displayName": "x"}), ("DELETE", None))
        ),
        invalid(f"PUT {here}", {"authenticationType": "Guest"}, BAD_SIGN_IN),
        Refused(f"GET {nowhere}/sourcefiles", None, *lost),
        Refused(f"POST {nowhere}/sourcefiles", source, *lost),
        Refused(f"GET {nowhere}/runs", None, *lost),
        *(
            Refused(f"{method} {here}/sourcefiles/{{none}}", body, *no_source)
            for method, body in (("GET", None), ("PUT", source), ("DELETE", None))
        ),
        Refused(f"GET {here}/runs/{{none}}", None, *no_run),
        Refused(f"GET {nowhere}/runs/{{none}}", None, *lost),
    ]


OF_STORAGE = [
    *of_kind(STORAGE, "Storage"),
    invalid(f"POST {STORAGE}", creation(sourceFiles=[{"storageFileId": "{other}"}]),
            missing("connectorType")),
    invalid(f"POST {STORAGE}", creation(sourceFiles=[{"connectorType": "IFC"}]),
            missing("storageFileId")),
    invalid(f"POST {STORAGE}",
            creation(sourceFiles=[{"storageFileId": "{other}", "connectorType": "PAINT"}]),
            BAD_CONNECTOR),
    invalid(f"POST {STORAGE}",
            creation(sourceFiles=[{"storageFileId": "x", "connectorType": "IFC"}]), BAD_FILE),
    Refused(f"POST {STORAGE}",
            creation(sourceFiles=[{"storageFileId": "{lost}", "connectorType": "IFC"}]),
            404, "FileNotFound", "Requested file is not available."),
    Refused(f"POST {STORAGE}",
            creation(sourceFiles=[{"storageFileId": "{file}", "connectorType": "IFC"}]),
            409, "FileMappingToTheIModelAlreadyExists", SOME_MAPPED),
    Refused(f"POST {STORAGE}",
            creation(sourceFiles=[{"storageFileId": "{other}", "connectorType": "IFC"}] * 2),
            409, "FileMappingToTheIModelAlreadyExists", SOME_MAPPED),
    *(
        row
        for where in (f"POST {STORAGE}/{{storage}}/sourcefiles",
                      f"PUT {STORAGE}/{{storage}}/sourcefiles/{{storage_source}}")
        for row in (
            invalid(where, {"storageFileId": "{other}"}, missing("connectorType")),
            invalid(where, {"connectorType": "IFC"}, missing("storageFileId")),
            invalid(where, {"storageFileId": "x", "connectorType": "IFC"}, BAD_FILE),
            invalid(where, {"storageFileId": "{other}", "connectorType": "ifc"}, BAD_CONNECTOR),
            Refused(where, {"storageFileId": "{lost}", "connectorType": "IFC"},
                    404, "FileNotFound", "Requested file is not available."),
        )
    ),
    invalid(f"PUT {STORAGE}/{{storage}}/sourcefiles/{{storage_source}}",
            {"storageFileId": "{mapped}", "connectorType": "IFC"},
            bad("storageFileId", ALREADY_MAPPED)),
    Refused(f"POST {STORAGE}/{{storage}}/sourcefiles",
            {"storageFileId": "{file}", "connectorType": "IFC"},
            409, "FileMappingToTheIModelAlreadyExists", ALREADY_MAPPED),
    Refused(f"POST {STORAGE}/{{none}}/run", None, 404, "StorageConnectionNotFound",
            "Requested StorageConnection is not available."),
]  # fmt: skip


def running(**change: Any) -> dict[str, Any]:
    file = {"id": "W", "name": "w.ifc", "url": "http://localhost/w.ifc", "connectorType": "IFC"}
    answers = {key: value for key, value in (file | change).items() if value is not None}
    return {"sourceFiles": [answers]}


RUN = f"POST {MANIFEST}/{{manifest}}/runs"
NOT_MAPPED = "Not a source file of the connection, or named twice."
OF_MANIFEST = [
    *of_kind(MANIFEST, "Manifest"),
    invalid(f"POST {MANIFEST}", from_manifest(sourceFiles=[{}]), missing("sourceFileId")),
    Refused(f"POST {MANIFEST}", from_manifest(sourceFiles=[{"sourceFileId": "W"}]),
            409, "FileMappingToTheIModelAlreadyExists", SOME_MAPPED),
    Refused(f"POST {MANIFEST}/{{manifest}}/sourcefiles", {"sourceFileId": "W"},
            409, "FileMappingToTheIModelAlreadyExists", ALREADY_MAPPED),
    invalid(f"POST {MANIFEST}/{{manifest}}/sourcefiles", {}, missing("sourceFileId")),
    invalid(f"PUT {MANIFEST}/{{manifest}}/sourcefiles/{{manifest_source}}", {},
            missing("sourceFileId")),
    invalid(f"PUT {MANIFEST}/{{manifest}}/sourcefiles/{{manifest_source}}", {"sourceFileId": "V"},
            bad("sourceFileId", ALREADY_MAPPED)),
    invalid(RUN, {}, missing("sourceFiles")),
    invalid(RUN, {"sourceFiles": []}, missing("sourceFiles", NOT_ONE)),
    invalid(RUN, running(id=None), missing("id")),
    invalid(RUN, running(name=None), missing("name")),
    invalid(RUN, running(url=None), missing("url")),
    invalid(RUN, running(connectorType=None), missing("connectorType")),
    invalid(RUN, running(connectorType="PAINT"), BAD_CONNECTOR),
    invalid(RUN, running(id="X"), bad("id", NOT_MAPPED)),
    invalid(RUN, {"sourceFiles": running()["sourceFiles"] * 2}, bad("id", NOT_MAPPED)),
    invalid(RUN, running(action="paint"),
            bad("action", "action must be one of: 'bridge', 'unmap'.")),
    invalid(RUN, running(url="file:///etc/passwd"),
            bad("url", "Provided url value is not valid.")),
    Refused(f"POST {MANIFEST}/{{none}}/runs", running(), 404, "ManifestConnectionNotFound",
            "Requested ManifestConnection is not available."),
]  # fmt: skip


@pytest.mark.parametrize("row", [*OF_STORAGE, *OF_MANIFEST], ids=str)
def test_a_request_that_breaks_a_rule_is_answered_as_documented(
    office: Platform, things: dict[str, str], row: Refused
) -> None:
    """A client decides by status and code, and its user reads the words and looks them up."""
    office.sign_in()

    answer = row.asked(office, things)

    assert (answer.status_code, answer.json()) == (row.status, row.answer)


def test_all_mistakes_of_a_body_are_reported_at_once(
    office: Platform, things: dict[str, str]
) -> None:
    """Whoever mends them one by one asks ten times."""
    office.sign_in()
    body = {"sourceFiles": [{"storageFileId": "x"}, {"connectorType": "PAINT"}]}

    answer = office.post(STORAGE, json=body)

    details = answer.json()["error"]["details"]
    assert [(each["code"], each["target"]) for each in details] == [
        ("MissingRequiredProperty", "imodelId"),
        ("InvalidValue", "storageFileId"),
        ("MissingRequiredProperty", "connectorType"),
        ("MissingRequiredProperty", "storageFileId"),
        ("InvalidValue", "connectorType"),
    ]
