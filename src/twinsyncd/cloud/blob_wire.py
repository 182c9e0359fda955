"""Reads and writes the blob service's XML and classifies its errors.

Source: Azure Blob Storage REST, "Put Block List", "Get Block List", "Status and error codes".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

import httpx

from ..core.model import Failure, Fault
from ..errors import CloudError
from ..redact import redact
from . import fault_text, faults
from .values import ServiceError

_COMMITTED: Final = re.compile(rb"<CommittedBlocks>(.*?)</CommittedBlocks>", re.DOTALL)
_UNCOMMITTED: Final = re.compile(rb"<UncommittedBlocks>(.*?)</UncommittedBlocks>", re.DOTALL)
_BLOCK: Final = re.compile(
    rb"<Block>\s*<Name>([A-Za-z0-9+/=]+)</Name>\s*<Size>(\d+)</Size>\s*</Block>"
)
_CODE: Final = re.compile(rb"<Code>([A-Za-z]+)</Code>")
_FOREIGN_BLOCKS: Final = {"InvalidBlobOrBlock", "BlockCountExceedsLimit"}
_FOREIGN_TEXT: Final = (
    "another program left an unfinished upload to this file in Storage; finish it there, or "
    "wait a week until the storage host drops it"
)
_LOST_RACE: Final = {409, 412}  # the blob changed meanwhile; our own repeated commit may be why
_OUTAGES: Final = {407, 408, 425, 429}  # about the moment, not about the file
_WORDS: Final = {
    403: "the storage host refuses the upload link; if it goes on, check the clock of this "
    "machine and whether a firewall or proxy blocks the storage host",
    409: "somebody else is writing the same file",
    412: "somebody else is writing the same file",
    413: "the storage host, or a proxy before it, does not accept requests of this size",
    507: fault_text.QUOTA,
}


def block_list(ids: Sequence[str]) -> bytes:
    """Return the body that commits these blocks in this order."""
    blocks = "".join(f"<Latest>{escape(each)}</Latest>" for each in ids)
    return f'<?xml version="1.0" encoding="utf-8"?><BlockList>{blocks}</BlockList>'.encode()


def uncommitted(body: bytes) -> Mapping[str, int]:
    """Return size by id of the uncommitted blocks; anything unreadable is not there.

    Read by pattern: the list is flat, and no XML parser needs to face a network's bytes.
    """
    section = _UNCOMMITTED.search(body)
    found = _BLOCK.findall(section[1]) if section else []
    return {name.decode("ascii"): int(size) for name, size in found}


def committed(body: bytes) -> list[tuple[str, int]]:
    """Return id and size of the blocks that make up the blob, in order."""
    section = _COMMITTED.search(body)
    found = _BLOCK.findall(section[1]) if section else []
    return [(name.decode("ascii"), int(size)) for name, size in found]


def has_foreign_blocks(response: httpx.Response) -> bool:
    """Return whether a block was refused because of uncommitted blocks that are not ours."""
    return response.status_code in {400, 409} and _code(response) in _FOREIGN_BLOCKS


def foreign_blocks(operation: str) -> CloudError:
    """Return the error for a blob whose foreign blocks cannot be dropped without new content."""
    return CloudError(operation, Failure(Fault.FILE, _FOREIGN_TEXT), code="InvalidBlobOrBlock")


def is_about_foreign_blocks(exc: CloudError) -> bool:
    """Return whether blocks cannot be sent because of uncommitted ones that are not ours."""
    return exc.code in _FOREIGN_BLOCKS


def too_many_blocks(operation: str, block_bytes: int) -> CloudError:
    """Return the error for a file that needs more blocks than one blob may have."""
    message = (
        f"the file is too large: the storage host, or a proxy before it, accepts only requests of "
        f"{block_bytes // 1024} KiB, and no file may have that many parts"
    )
    return CloudError(operation, Failure(Fault.FILE, message))


def error_of(operation: str, response: httpx.Response) -> CloudError:
    """Return the error for a failed upload request; the signed URL is not in it."""
    code = _code(response)
    status = response.status_code
    title = None if code else fault_text.web_page(response)
    fault = _fault_of(status, code)
    if title is not None and fault is Fault.QUOTA:
        fault = Fault.TRANSIENT  # a page of a proxy knows no quota of the storage host
    failure = Failure(
        fault,
        redact(_text(response, code, fault, title)),
        retry_after_s=faults.retry_after_s(response.headers),
        request_id=response.headers.get("x-ms-request-id", ""),
    )
    return CloudError(operation, failure, status=status, code=code)


def _fault_of(status: int, code: str) -> Fault:
    """Return the kind of failure: other client errors than a lost race are about this one file.

    A refused link does not concern the platform's credentials, nor do a lease and the blocks of
    another program concern other files.
    """
    if faults.is_quota(status, ServiceError(code)):
        return Fault.QUOTA
    if code in _FOREIGN_BLOCKS:
        return Fault.FILE
    if status in _LOST_RACE and not code.startswith("Lease"):
        return Fault.TRANSIENT
    if 400 <= status < 500 and status not in _OUTAGES:
        return Fault.FILE
    return faults.fault_of(status)


def _text(response: httpx.Response, code: str, fault: Fault, title: str | None) -> str:
    if title is not None:
        return f"storage host: {fault_text.of_web_page(response, title)}"
    if fault is Fault.QUOTA:
        return f"{fault_text.QUOTA} ({code or 'HTTP 507'})"
    if code in _FOREIGN_BLOCKS:
        return f"{_FOREIGN_TEXT} ({code})"
    if code.startswith("Lease"):
        return f"another program holds a lease on the file in Storage ({code}); end it there"
    if 300 <= response.status_code < 400:
        location = response.headers.get("location", "")
        return f"storage host: {fault_text.of_redirect(response.status_code, location)}"
    words = _WORDS.get(
        response.status_code, f"the storage host answered HTTP {response.status_code}"
    )
    return f"{words} ({code})" if code else words


def _code(response: httpx.Response) -> str:
    """Return the service's error code, from the header or the XML body."""
    if named := response.headers.get("x-ms-error-code", ""):
        return str(named)
    found = _CODE.search(response.content)
    return found[1].decode("ascii") if found else ""
