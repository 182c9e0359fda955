"""Every refusal of the Storage API, the recycle bin and locks among them."""

from __future__ import annotations

from typing import Any

import pytest
from platform_scene import Platform, expect
from refusal_scene import NOBODY, Refused

from localtwin.ids import pair_id

pytest_plugins = ["platform_fixtures"]

NO_FOLDER = (404, "FolderNotFound", "Requested folder is not available.")
NO_FILE = (404, "FileNotFound", "Requested file is not available.")
FORBIDDEN = "The user has insufficient permissions for the requested operation."
ERRORS = "Request payload contains errors."
LENGTH = "Item name must have 1 to 255 characters"
CHARACTERS = "Item contains invalid characters"
NOT_THERE = "Item can't be moved to the given folder"
FOLDER, FILE = "/storage/folders", "/storage/files"


@pytest.fixture(scope="module")
def things(office: Platform) -> dict[str, str]:
    """Folders, a file, a deleted and an unfinished one; no refusal changes them."""
    office.settle_in()
    made = office.post(f"{FOLDER}/{office.root}/folders", json={"displayName": "Plans"})
    folder = expect(made, 201)["folder"]["id"]
    inner = office.post(f"{FOLDER}/{folder}/folders", json={"displayName": "Inner"})
    deleted = office.upload("old.ifc", b"old")
    expect(office.delete(f"{FILE}/{deleted}"), 204)
    buried = office.upload("buried.ifc", b"x", _deleted_folder(office))
    first = office.itwin_id
    found = {
        "itwin": first,
        "root": office.root,
        "folder": folder,
        "inner": expect(inner, 201)["folder"]["id"],
        "file": office.upload("a.ifc", b"a"),
        "filed": office.upload("b.ifc", b"b", folder),
        "deleted": deleted,
        "buried": buried,
        "begun": office.begin_file("begun.ifc")[0],
        "lost": pair_id(first, NOBODY),
        "none": NOBODY,
    }
    expect(office.delete(f"{FOLDER}/{_parent(office, buried)}"), 204)
    office.settle_in()
    return found | {"elsewhere": office.root}


def _deleted_folder(office: Platform) -> str:
    made = office.post(f"{FOLDER}/{office.root}/folders", json={"displayName": "Going"})
    return str(expect(made, 201)["folder"]["id"])


def _parent(office: Platform, file: str) -> str:
    return str(expect(office.get(f"{FILE}/{file}"), 200)["file"]["parentFolderId"])


def invalid(request: str, body: Any, *detail: str, code: str = "InvalidValue") -> Refused:
    message, target = detail
    details = [(code, message, target)]
    return Refused(request, body, 422, "InvalidStorageRequest", ERRORS, details)


def missing(request: str, body: Any, target: str) -> Refused:
    return invalid(
        request, body, "Required property is missing.", target, code="MissingRequiredProperty"
    )


def wrong(request: str, target: str) -> Refused:
    return invalid(request, None, f"Provided {target} value is not valid.", target)


TOO_MANY = (422, "InvalidStorageRequest", "Page size is over 1000 items limit.")
LISTS = [f"{FOLDER}/{{root}}/{name}" for name in ("list", "folders", "files")]
LISTS += [f"{FOLDER}/{{root}}/search"]
OF_LISTS = [
    missing("GET /storage/", None, "iTwinId"),
    wrong("GET /storage/?iTwinId=bridge", "iTwinId"),
    Refused("GET /storage/?iTwinId={none}", None, 403, "InsufficientPermissions", FORBIDDEN),
    Refused("GET /storage/?iTwinId={itwin}&$top=1001", None, *TOO_MANY),
    wrong("GET /storage/?iTwinId={itwin}&$top=0", "$top"),
    wrong("GET /storage/?iTwinId={itwin}&$skip=-1", "$skip"),
    missing(f"GET {FOLDER}/{{root}}/search", None, "name"),
    *(Refused(f"GET {path}?name=x&$top=1001", None, *TOO_MANY) for path in LISTS),
    *(Refused(f"GET {path}?name=x".replace("root", "lost"), None, *NO_FOLDER) for path in LISTS),
    *(Refused(f"GET {path}?name=x".replace("root", "file"), None, *NO_FOLDER) for path in LISTS),
    missing("GET /storage/recyclebin", None, "iTwinId"),
    wrong("GET /storage/recyclebin?iTwinId=bridge", "iTwinId"),
    Refused("GET /storage/recyclebin?iTwinId={itwin}&$top=1001", None, *TOO_MANY),
]

OF_NAMES = [
    row
    for request in (
        f"POST {FOLDER}/{{root}}/folders",
        f"POST {FOLDER}/{{root}}/files",
        f"PATCH {FOLDER}/{{folder}}",
        f"PATCH {FILE}/{{file}}",
    )
    for row in (
        invalid(request, {"displayName": "x" * 256}, LENGTH, "displayName"),
        invalid(request, {"displayName": ""}, LENGTH, "displayName"),
        invalid(request, {"displayName": "a/b.ifc"}, CHARACTERS, "displayName"),
        invalid(request, {"displayName": 'a"b'}, CHARACTERS, "displayName"),
        invalid(request, {"displayName": ".."}, CHARACTERS, "displayName"),
    )
] + [
    missing(f"POST {FOLDER}/{{root}}/folders", {}, "displayName"),
    missing(f"POST {FOLDER}/{{root}}/files", {}, "displayName"),
    invalid(f"POST {FOLDER}/{{root}}/files", {"displayName": "setup.exe"},
            "Item is a potentially harmful file", "displayName"),
    invalid(f"PATCH {FILE}/{{file}}", {"displayName": "setup.EXE"},
            "Item is a potentially harmful file", "displayName"),
]  # fmt: skip

NAMED, IDS = {"displayName": "x"}, {"fileIds": ["{file}"]}
OF_FOLDERS = [
    Refused(request.format(folder=folder), body, *NO_FOLDER)
    for folder in ("{lost}", "{file}", "nonsense", "{none}")
    for request, body in (
        (f"GET {FOLDER}/{{folder}}", None),
        (f"PATCH {FOLDER}/{{folder}}", NAMED),
        (f"DELETE {FOLDER}/{{folder}}", None),
        (f"POST {FOLDER}/{{folder}}/folders", NAMED),
        (f"POST {FOLDER}/{{folder}}/files", NAMED),
        (f"POST {FOLDER}/{{folder}}/move", {"parentFolderId": "{root}"}),
        (f"POST {FOLDER}/{{folder}}/lock", IDS),
        (f"POST {FOLDER}/{{folder}}/unlock", IDS),
    )
]
OF_FILES = [
    Refused(request.format(file=file), body, *NO_FILE)
    for file in ("{lost}", "{folder}", "{deleted}", "{buried}", "nonsense")
    for request, body in (
        (f"GET {FILE}/{{file}}", None),
        (f"PATCH {FILE}/{{file}}", NAMED),
        (f"DELETE {FILE}/{{file}}", None),
        (f"GET {FILE}/{{file}}/download", None),
        (f"POST {FILE}/{{file}}/updatecontent", None),
        (f"POST {FILE}/{{file}}/complete", None),
        (f"POST {FILE}/{{file}}/move", {"parentFolderId": "{root}"}),
    )
]
OF_THE_REST = [
    Refused(f"GET {FILE}/{{begun}}", None, *NO_FILE),
    Refused(f"GET {FILE}/{{begun}}/download", None, *NO_FILE),
    Refused(f"PATCH {FILE}/{{begun}}", NAMED, *NO_FILE),
    Refused(f"POST {FILE}/{{begun}}/complete", None, *NO_FILE),
    missing(f"POST {FILE}/{{file}}/move", {}, "parentFolderId"),
    Refused(f"POST {FILE}/{{file}}/move", {"parentFolderId": "{lost}"}, *NO_FOLDER),
    invalid(f"POST {FILE}/{{file}}/move", {"parentFolderId": "{elsewhere}"},
            NOT_THERE, "parentFolderId"),
    invalid(f"POST {FOLDER}/{{folder}}/move", {"parentFolderId": "{inner}"},
            NOT_THERE, "parentFolderId"),
    invalid(f"POST {FOLDER}/{{root}}/move", {"parentFolderId": "{folder}"},
            NOT_THERE, "parentFolderId"),
    missing(f"POST {FOLDER}/{{root}}/lock", {}, "fileIds"),
    missing(f"POST {FOLDER}/{{root}}/lock", {"fileIds": []}, "fileIds"),
    Refused(f"POST {FOLDER}/{{root}}/lock", {"fileIds": ["{file}", "{lost}"]}, *NO_FILE),
    Refused(f"POST {FOLDER}/{{root}}/unlock", {"fileIds": ["{filed}"]}, *NO_FILE),
    *(
        Refused(f"{request}/{{{name}}}{verb}", None, *lost)
        for method, verb in (("POST", "/restore"), ("DELETE", ""))
        for kind, name, lost in (
            ("files", "lost", NO_FILE),
            ("files", "file", NO_FILE),
            ("folders", "folder", NO_FOLDER),
            ("folders", "deleted", NO_FOLDER),
        )
        for request in (f"{method} /storage/recyclebin/{kind}",)
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    "row", [*OF_LISTS, *OF_NAMES, *OF_FOLDERS, *OF_FILES, *OF_THE_REST], ids=str
)
def test_a_request_that_breaks_a_rule_is_answered_as_documented(
    office: Platform, things: dict[str, str], row: Refused
) -> None:
    """What is deleted, unfinished or of the other kind does not exist for any operation."""
    office.sign_in()

    answer = row.asked(office, things)

    assert (answer.status_code, answer.json()) == (row.status, row.answer)
