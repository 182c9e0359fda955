"""Checksums that a client sends with a body to have it checked, or asks for with a range.

Source: Blob service REST API, "Put Blob", "Put Block", "Put Block List", "Get Blob".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from localtwin.errors import BlobRefusal
from localtwin.world.blobs.contents import Sums

_RANGE_BYTES = 4 << 20  # of a longer range the service computes none
_MD5, _CRC64 = "Content-MD5", "x-ms-content-crc64"
_OF_RANGE = {"x-ms-range-get-content-md5": _MD5, "x-ms-range-get-content-crc64": _CRC64}
_STRUCTURED = "x-ms-structured-body"


@dataclass(frozen=True, slots=True)
class Claimed:
    """The checksums that a client sends with a body, in base64."""

    md5: str | None = None
    crc64: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Claimed:
        """Return what the headers claim; raises BlobRefusal when it can't be a checksum."""
        md5, crc64 = headers.get("content-md5"), headers.get("x-ms-content-crc64")
        if md5 is None and crc64 is None and _STRUCTURED not in headers:
            return _NOTHING
        if _STRUCTURED in headers:  # a framing of the body that would be stored as content
            raise BlobRefusal("UnsupportedHeader", HeaderName=_STRUCTURED)
        if md5 is not None and crc64 is not None:
            raise BlobRefusal(
                "InvalidHeaderValue", HeaderName="x-ms-content-crc64", HeaderValue=crc64
            )
        if md5 is not None:
            check_md5_form(md5)
        if crc64 is not None and _length(crc64) != 8:
            raise BlobRefusal("InvalidCrc64")
        return cls(md5, crc64)

    def check(self, actual: Sums) -> None:
        """Raise BlobRefusal unless `actual` is what was claimed."""
        if self.md5 is not None and actual.md5 is not None:
            check_md5(self.md5, actual.md5)
        if self.crc64 is not None and self.crc64 != actual.crc64:
            raise BlobRefusal(
                "Crc64Mismatch",
                UserSpecifiedCrc=self.crc64,
                ServerCalculatedCrc=str(actual.crc64),
            )


_NOTHING = Claimed()


def check_md5_form(text: str) -> None:
    """Raise BlobRefusal unless `text` is the base64 of 128 bits."""
    if _length(text) != 16:
        raise BlobRefusal("InvalidMd5")


def check_md5(claimed: str, actual: str) -> None:
    """Raise BlobRefusal unless both are the same."""
    if claimed != actual:
        raise BlobRefusal("Md5Mismatch", UserSpecifiedMd5=claimed, ServerCalculatedMd5=actual)


def asked_of_range(headers: Mapping[str, str], size: int | None) -> str | None:
    """Return the header that carries the checksum of a range of `size` bytes; None: no range.

    Raises BlobRefusal without a range, for a long one, or when both checksums are asked for.
    """
    asked = [name for name in _OF_RANGE if headers.get(name, "").lower() == "true"]
    if not asked:
        return None
    if size is None or size > _RANGE_BYTES or len(asked) > 1:
        raise BlobRefusal("InvalidHeaderValue", HeaderName=asked[-1], HeaderValue="true")
    return _OF_RANGE[asked[0]]


def checksum_headers(actual: Sums) -> dict[str, str]:
    """Return the headers with the computed checksums."""
    found = {_MD5: actual.md5, _CRC64: actual.crc64}
    return {name: text for name, text in found.items() if text is not None}


def _length(text: str) -> int:
    """Return the number of bytes that `text` is the base64 of; 0 if it is none."""
    try:
        return len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return 0
