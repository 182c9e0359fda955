"""The blob service's errors: status and words per code, as XML.

Source: Blob service REST API, "Common REST API error codes", "Blob service error codes".
"""

from __future__ import annotations

from datetime import datetime
from xml.sax.saxutils import escape

from starlette.responses import Response

from localtwin.errors import BlobRefusal
from localtwin.ids import new_guid
from localtwin.world.clock import stamp

_ERRORS = {
    "AuthenticationFailed": (
        403,
        "Server failed to authenticate the request. Make sure the value of Authorization header "
        "is formed correctly including the signature.",
    ),
    "AuthorizationPermissionMismatch": (
        403,
        "This request is not authorized to perform this operation using this permission.",
    ),
    "BlobAlreadyExists": (409, "The specified blob already exists."),
    "BlobNotFound": (404, "The specified blob does not exist."),
    "BlockCountExceedsLimit": (
        409,
        "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks.",
    ),
    "BlockListTooLong": (400, "The block list may not contain more than 50,000 blocks."),
    "ConditionNotMet": (
        412,
        "The condition specified using HTTP conditional header(s) is not met.",
    ),
    "Crc64Mismatch": (
        400,
        "The CRC64 value specified in the request did not match with the CRC64 value calculated "
        "by the server.",
    ),
    "IncompleteBody": (400, "The request body is incomplete."),
    "InvalidBlobOrBlock": (400, "The specified blob or block content is invalid."),
    "InvalidBlobType": (409, "The blob type is invalid for this operation."),
    "InvalidBlockList": (400, "The specified block list is invalid."),
    "InvalidCrc64": (
        400,
        "The CRC64 value specified in the request is invalid. CRC64 value must be 64 bits and "
        "base64-encoded.",
    ),
    "InvalidHeaderValue": (
        400,
        "The value for one of the HTTP headers is not in the correct format.",
    ),
    "InvalidMd5": (
        400,
        "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and "
        "base64-encoded.",
    ),
    "InvalidQueryParameterValue": (
        400,
        "Value for one of the query parameters specified in the request URI is invalid.",
    ),
    "InvalidRange": (416, "The range specified is invalid for the current size of the resource."),
    "InvalidXmlDocument": (400, "XML specified is not syntactically valid."),
    "Md5Mismatch": (
        400,
        "The MD5 value specified in the request did not match with the MD5 value calculated by "
        "the server.",
    ),
    "MetadataTooLarge": (
        400,
        "The size of the specified metadata exceeds the maximum size permitted.",
    ),
    "MissingContentLengthHeader": (411, "The Content-Length header was not specified."),
    "MissingRequiredHeader": (
        400,
        "An HTTP header that's mandatory for this request is not specified.",
    ),
    "MultipleConditionHeadersNotSupported": (
        400,
        "Multiple condition headers are not supported.",
    ),
    "NotModified": (304, ""),
    "RequestBodyTooLarge": (
        413,
        "The request body is too large and exceeds the maximum permissible limit.",
    ),
    "ServerBusy": (
        503,
        "The server is currently unable to receive requests. Please retry your request.",
    ),
    "UnsatisfiableCondition": (
        400,
        "The request includes an unsatisfiable condition for this operation.",
    ),
    "UnsupportedHeader": (
        400,
        "One of the HTTP headers specified in the request is not supported.",
    ),
    "UnsupportedQueryParameter": (
        400,
        "One of the query parameters specified in the request URI is not supported.",
    ),
    "UnsupportedHttpVerb": (405, "The resource doesn't support the specified HTTP verb."),
}


def blob_refused(refusal: BlobRefusal, *, now: datetime, head: bool) -> Response:
    """Return the answer for `refusal`; a HEAD request gets the headers alone."""
    status, message = _ERRORS[refusal.code]
    request_id = new_guid()
    headers = {"x-ms-error-code": refusal.code, "x-ms-request-id": request_id}
    if status == 304 or head:
        return Response(status_code=status, headers=headers)
    text = f"{message}\nRequestId:{request_id}\nTime:{stamp(now)}"
    facts = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in refusal.facts.items())
    body = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<Error><Code>{refusal.code}</Code><Message>{escape(text)}</Message>{facts}</Error>"
    )
    return Response(body, status, headers, media_type="application/xml")
