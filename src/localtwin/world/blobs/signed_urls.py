"""Signed URLs: whoever has one may do what it grants, until it expires."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from localtwin.errors import BlobRefusal

# Source: Storage API upload URLs (2024), "sv=2019-07-07 ... sp=rw", valid for one hour.
SIGNED_VERSION = "2019-07-07"
LIFETIME = timedelta(hours=1)
_SIGNED = ("sv", "sr", "se", "sp", "rscd")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signed URL allows."""

    permissions: str
    version: str
    disposition: str | None

    def require(self, permission: str) -> None:
        """Raise BlobRefusal unless this grant has `permission` (one letter)."""
        if permission not in self.permissions:
            raise BlobRefusal("AuthorizationPermissionMismatch")


class Signer:
    """Signs and checks query strings with one secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def query(
        self,
        path: str,
        *,
        permissions: str,
        now: datetime,
        filename: str | None = None,
        lifetime: timedelta = LIFETIME,
    ) -> str:
        """Return the query string that grants `permissions` on `path` until now + `lifetime`."""
        expiry = (now + lifetime).astimezone(UTC)
        values = {
            "sv": SIGNED_VERSION,
            "sr": "b",
            "se": f"{expiry:%Y-%m-%dT%H:%M:%SZ}",
            "sp": permissions,
        }
        if filename is not None:
            values["rscd"] = _disposition(filename)
        return urlencode(values | {"sig": self._signature(path, values)})

    def check(self, path: str, query: Mapping[str, str], *, now: datetime) -> Grant:
        """Return what `query` grants on `path`.

        Raises BlobRefusal AuthenticationFailed when the signature is wrong or has expired.
        Source: Blob service REST API, "Service SAS" and "Common REST API error codes".
        """
        signature = self._signature(path, query)
        if not hmac.compare_digest(signature.encode(), query.get("sig", "").encode()):
            raise BlobRefusal(
                "AuthenticationFailed", AuthenticationErrorDetail="Signature did not match."
            )
        expiry = datetime.strptime(query["se"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if now >= expiry:
            raise BlobRefusal(
                "AuthenticationFailed",
                AuthenticationErrorDetail="Signature not valid in the specified time frame: "
                f"Start [] - Expiry [{_http_date(expiry)}] - Current [{_http_date(now)}]",
            )
        return Grant(query["sp"], query["sv"], query.get("rscd"))

    def _signature(self, path: str, query: Mapping[str, str]) -> str:
        text = "\n".join([path, *(query.get(name, "") for name in _SIGNED)])
        digest = hmac.new(self._key, text.encode("utf-8"), hashlib.sha256).digest()
        return base64.b64encode(digest).decode("ascii")


def _disposition(filename: str) -> str:
    """Return a Content-Disposition; a header has ASCII only, other letters go encoded.

    Source: RFC 6266, "Content-Disposition", section 4.3.
    """
    plain = filename.encode("ascii", "replace").decode("ascii").replace("?", "_")
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
    encoded = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'attachment; filename="{quoted}"{encoded}'


def _http_date(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%a, %d %b %Y %H:%M:%S GMT}"
