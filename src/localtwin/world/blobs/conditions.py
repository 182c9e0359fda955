"""Conditional requests on blobs.

Source: Blob service REST API, "Specifying conditional headers for Blob service operations".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from localtwin.errors import BlobRefusal


class Versioned(Protocol):
    """Something with an ETag and a moment of change."""

    @property
    def etag(self) -> str:
        """The quoted ETag."""

    @property
    def modified(self) -> str:
        """The moment of the last change, ISO 8601."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of one request; `reading` turns a failed If-None-Match into NotModified."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None
    reading: bool = False

    def check(self, blob: Versioned | None) -> None:
        """Raise BlobRefusal unless every condition holds for `blob` (None: it does not exist).

        An ETag decides over the date that goes with it; other pairs are not supported.
        """
        self._check_pairs()
        if blob is None:
            if self.if_match is not None:
                raise BlobRefusal("ConditionNotMet")
            return
        modified = datetime.fromisoformat(blob.modified).replace(microsecond=0)
        if self.if_match is not None:
            if not _listed(blob.etag, self.if_match):
                raise BlobRefusal("ConditionNotMet")
        elif self.if_none_match is not None:
            self._check_none_match(blob, self.if_none_match)
        else:
            self._check_dates(modified)

    def _check_pairs(self) -> None:
        matching = self.if_match is not None or self.if_unmodified_since is not None
        differing = self.if_none_match is not None or self.if_modified_since is not None
        if matching and differing:
            raise BlobRefusal("MultipleConditionHeadersNotSupported")

    def _check_none_match(self, blob: Versioned, unwanted: str) -> None:
        star = unwanted.strip() == "*"
        if star and self.reading:
            raise BlobRefusal("UnsatisfiableCondition")
        if not _listed(blob.etag, unwanted):
            return
        if self.reading:
            raise BlobRefusal("NotModified")
        raise BlobRefusal("BlobAlreadyExists" if star else "ConditionNotMet")

    def _check_dates(self, modified: datetime) -> None:
        if self.if_unmodified_since is not None and modified > self.if_unmodified_since:
            raise BlobRefusal("ConditionNotMet")
        if self.if_modified_since is not None and modified <= self.if_modified_since:
            raise BlobRefusal("NotModified" if self.reading else "ConditionNotMet")


def _listed(etag: str, header: str) -> bool:
    wanted = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in wanted or etag in wanted or etag.strip('"') in wanted
