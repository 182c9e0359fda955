"""JSON Schemas of everything localtwin answers.

A shape is closed: a property that is not listed here is a defect, so a client generated from the
document knows every property.
"""

from __future__ import annotations

from localtwin.api.openapi_schema import (
    BOOLEAN,
    DATE,
    GUID,
    INTEGER,
    LINK,
    NUMBER,
    STRING,
    Schema,
    a_list,
    closed,
    one_of,
    or_null,
    ref,
)

_TEXT = or_null(STRING)
_STATE = one_of(
    "NotStarted", "Idle", "WaitingToExecute", "WaitingToRetry", "Executing", "Finalizing",
    "Completed", "Queued",
)  # fmt: skip
_RESULT = one_of(
    "Undetermined", "Success", "Error", "PartialSuccess", "Skipped", "Cancelled", "TimedOut"
)
_PERIOD = {"startDateTime": or_null(DATE), "endDateTime": or_null(DATE)}
_POINT = closed({"latitude": NUMBER, "longitude": NUMBER})
_NAMED = closed({"id": STRING, "name": STRING})


def _itwins() -> dict[str, Schema]:
    minimal = {
        "id": GUID,
        "class": _TEXT,
        "subClass": _TEXT,
        "type": _TEXT,
        "number": STRING,
        "displayName": STRING,
    }
    whole = minimal | {
        "geographicLocation": _TEXT,
        "latitude": or_null(NUMBER),
        "longitude": or_null(NUMBER),
        "ianaTimeZone": _TEXT,
        "dataCenterLocation": STRING,
        "status": one_of("Active", "Inactive", "Trial"),
        "parentId": _TEXT,
        "iTwinAccountId": _TEXT,
        "imageName": _TEXT,
        "image": _TEXT,
        "createdDateTime": DATE,
        "createdBy": STRING,
        "lastModifiedDateTime": DATE,
        "lastModifiedBy": STRING,
    }
    return {"ITwinMinimal": closed(minimal), "ITwin": closed(whole)}


def _imodels() -> dict[str, Schema]:
    minimal = {"id": GUID, "displayName": STRING}
    links = {"creator": LINK, "namedVersions": LINK, "changesets": LINK}
    whole = minimal | {
        "dataCenterLocation": STRING,
        "name": STRING,
        "description": _TEXT,
        "state": one_of("initialized", "notInitialized"),
        "createdDateTime": DATE,
        "lastChangesetPushDateTime": or_null(DATE),
        "iTwinId": GUID,
        "isSecured": BOOLEAN,
        "extent": or_null(closed({"southWest": _POINT, "northEast": _POINT})),
        "containersEnabled": INTEGER,
        "geographicCoordinateSystem": or_null({"type": "object"}),
        "_links": closed(links | {"upload": or_null(LINK), "complete": or_null(LINK)}),
    }
    states = one_of("successful", "waitingForFile", "scheduled", "failed")
    return {
        "IModelMinimal": closed(minimal),
        "IModel": closed(whole),
        "CreateOperation": closed({"state": states}),
    } | _changesets()


def _changesets() -> dict[str, Schema]:
    links = {"self": LINK, "creator": LINK}
    minimal = {
        "id": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
        "displayName": STRING,
        "description": _TEXT,
        "index": INTEGER,
        "parentId": STRING,
        "creatorId": STRING,
        "pushDateTime": DATE,
        "state": one_of("waitingForFile", "fileUploaded"),
        "containingChanges": INTEGER,
        "fileSize": INTEGER,
        "briefcaseId": INTEGER,
        "groupId": _TEXT,
        "_links": closed(links),
    }
    more = {
        "namedVersion": or_null(LINK),
        "currentOrPrecedingCheckpoint": or_null(LINK),
        "download": ref("StorageLink"),
    }
    counts = {"inserted": INTEGER, "updated": INTEGER, "deleted": INTEGER}
    whole = minimal | {
        "application": _NAMED,
        "synchronizationInfo": closed({"taskId": _TEXT, "changedFiles": a_list(STRING)}),
        "localtwin": closed({"runId": GUID} | counts),
        "_links": closed(links | more),
    }
    return {"ChangesetMinimal": closed(minimal), "Changeset": closed(whole)} | _versions()


def _versions() -> dict[str, Schema]:
    minimal = {
        "id": GUID,
        "displayName": STRING,
        "changesetId": _TEXT,
        "changesetIndex": INTEGER,
        "name": STRING,
        "_links": closed({"creator": LINK, "changeset": or_null(LINK)}),
    }
    whole = minimal | {
        "description": _TEXT,
        "createdDateTime": DATE,
        "state": one_of("visible", "hidden"),
        "application": _NAMED,
    }
    return {"NamedVersionMinimal": closed(minimal), "NamedVersion": closed(whole)}


def _storage() -> dict[str, Schema]:
    item = {
        "id": STRING,
        "displayName": STRING,
        "description": _TEXT,
        "path": STRING,
        "lastModifiedByDisplayName": STRING,
        "createdDateTime": DATE,
        "lastModifiedDateTime": DATE,
        "parentFolderId": _TEXT,
        "_links": closed({"createdBy": LINK, "lastModifiedBy": LINK}, {"parentFolder": LINK}),
    }
    file = {"size": INTEGER, "isFileLocked": BOOLEAN}
    upload = closed({"completeUrl": LINK, "uploadUrl": LINK})
    return {
        "Folder": closed(item | {"type": one_of("folder")}),
        "File": closed(file | item | {"type": one_of("file")}),
        "Upload": closed({"_links": upload}),
        "LockedFiles": closed({"files": a_list(ref("File")), "_links": closed({"self": LINK})}),
    }


def _connections() -> dict[str, Schema]:
    failure = closed({"errorKey": STRING, "description": STRING})
    minimal = {"id": STRING, "displayName": _TEXT}
    whole = minimal | {
        "iModelId": GUID,
        "iTwinId": GUID,
        "authenticationType": one_of("User", "Service"),
        "error": or_null(failure),
        "_links": closed({"iModel": LINK, "iTwin": LINK}, {"lastRun": LINK}),
    }
    source = {
        "id": GUID,
        "storageFileId": STRING,
        "lastKnownFileName": STRING,
        "_links": closed({"file": LINK}),
    }
    return {
        "ConnectionMinimal": closed(minimal),
        "Connection": closed(whole),
        "StorageSourceMinimal": closed(source),
        "StorageSource": closed(source | {"connectorType": STRING}),
        "ManifestSource": closed({"id": GUID, "sourceFileId": STRING}),
        "RunError": failure,
    } | _runs()


def _runs() -> dict[str, Schema]:
    texts = (
        "errorCode", "message", "details", "system", "phase", "category", "descriptionKey",
        "description", "kbArticleLink",
    )  # fmt: skip
    numbers = ("totalErrorsCount", "totalWarningsCount", "totalOtherIssuesCount")
    more = {"bridgeExitCode": or_null(INTEGER), "canUserFix": BOOLEAN}
    report = closed({"suggestedAction": _TEXT, "message": _TEXT} | dict.fromkeys(numbers, INTEGER))
    outcome = {"state": _STATE, "result": _RESULT}
    task = {"id": GUID, "retryAttempts": INTEGER} | _PERIOD | outcome
    task |= {
        "error": or_null(closed(dict.fromkeys(texts, STRING) | more)),
        "details": or_null(closed({"synchronizationReport": report})),
    }
    job = {"id": GUID, "connectorType": STRING, "tasks": a_list(ref("Task"))} | _PERIOD | outcome
    minimal = {"id": GUID} | outcome
    whole = minimal | _PERIOD
    whole |= {
        "connectionId": STRING,
        "phase": one_of("Preprocessor", "MasterFile", "ReferenceFile"),
        "error": or_null(ref("RunError")),
        "jobs": a_list(closed(job)),
    }
    return {
        "Task": closed(task, {"storageFileId": STRING, "sourceFileId": STRING}),
        "RunMinimal": closed(minimal),
        "Run": closed(whole),
    }


def _other_shapes() -> dict[str, Schema]:
    authorization = {"isUserAuthorized": BOOLEAN, "_links": closed({"authorizationUrl": LINK})}
    settings: Schema = {"type": "object", "additionalProperties": {"type": ["boolean", "number"]}}
    configuration = {"scopeId": STRING, "settings": settings, "resolvedSettings": settings}
    texts = dict.fromkeys(("id", "imodelId", "runId"), GUID) | {"taskId": or_null(GUID)}
    hook = {
        "id": GUID,
        "callbackUrl": STRING,
        "scope": one_of("Account", "iTwin"),
        "scopeId": _TEXT,
        "eventTypes": a_list(STRING),
        "active": BOOLEAN,
    }
    switch = {"kind": STRING, "value": NUMBER, "path": STRING, "times": or_null(INTEGER)}
    return {
        "AuthorizationInformation": closed(authorization),
        "Configuration": closed(configuration),
        "Report": closed(texts | {"sasUri": STRING, "createdTimeStamp": or_null(DATE)}),
        "Webhook": closed(hook, {"secret": STRING}),
        "Switch": closed(switch),
    }


def _users() -> dict[str, Schema]:
    names = {"givenName": STRING, "surname": STRING, "email": STRING}
    texts = ("alternativeEmail", "phone", "city", "country", "language")
    profile = {"id": GUID, "displayName": STRING, "organizationName": STRING}
    profile |= names | dict.fromkeys(texts, _TEXT) | {"createdDateTime": or_null(DATE)}
    role = {"id": GUID, "displayName": STRING, "description": STRING}
    counts = dict.fromkeys(
        ("pushedChangesetsCount", "createdVersionsCount", "briefcasesCount"), INTEGER
    )
    minimal = {"id": GUID, "displayName": STRING, "_links": closed({"self": LINK})}
    statistics = closed(counts | {"lastChangesetPushDate": or_null(DATE)})
    member = {"id": GUID, "organization": STRING, "roles": a_list(ref("Role"))} | names
    return {
        "User": closed(profile),
        "Role": closed(role | {"permissions": a_list(STRING)}),
        "Member": closed(member),
        "IModelUserMinimal": closed(minimal),
        "IModelUser": closed(minimal | names | {"statistics": statistics}),
    }


def _errors() -> dict[str, Schema]:
    fields = {"code": STRING, "message": STRING}
    detail = closed(fields, {"target": STRING})
    error = closed(fields, {"target": STRING, "details": a_list(detail)})
    return {
        "Link": closed({"href": STRING}),
        "StorageLink": closed({"href": STRING, "storageType": one_of("azure")}),
        "Error": closed({"error": error}),
        "OAuthError": closed({"error": STRING, "error_description": STRING}),
    }


SHAPES: dict[str, Schema] = (
    _errors() | _users() | _itwins() | _imodels() | _storage() | _connections() | _other_shapes()
)
