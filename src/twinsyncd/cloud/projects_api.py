"""The operations of the iTwins API and the iModels API that are used here; all of them read.

Sources: iTwins API and iModels API, one operation page each, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from . import wire
from .calls import REPRESENTATION, V2
from .operations import Operations, segment, understood
from .values import Changeset, Named

CHANGESETS_PAGE: Final = 1000  # the documented maximum
ITWINS_PAGE: Final = 100


def _read_itwins(body: bytes) -> tuple[tuple[Named, ...], bool | None]:
    return wire.page(body, "iTwins", wire.named_entry)


class ProjectsApi(Operations):
    """iTwins, iModels and their changesets."""

    def imodel(self, imodel_id: str) -> Named:
        """Return an iModel's name and iTwin."""
        return self._read(
            "look at the iModel",
            f"/imodels/{segment(imodel_id)}",
            lambda body: wire.named(body, "iModel"),
            accept=V2,
            subject=f"the iModel {imodel_id}",
        )

    def changesets(self, imodel_id: str) -> Iterator[Changeset]:
        """Yield the iModel's changesets, oldest first.

        Source: iModels API, "Get iModel changesets" (afterIndex, $top up to 1000).
        """
        path, last = f"/imodels/{segment(imodel_id)}/changesets", 0
        while True:
            params: dict[str, str | int] = {
                "afterIndex": last,
                "$top": CHANGESETS_PAGE,
                "$orderBy": "index asc",
            }
            response = self._calls.repeatable(
                "list the changesets", "GET", path, params=params, prefer=REPRESENTATION, accept=V2
            )
            entries = understood("list the changesets", response, wire.changesets)
            yield from entries
            newest = max((entry.index for entry in entries), default=last)
            if newest <= last:
                return
            last = newest

    def newest_changesets(self, imodel_id: str, count: int) -> tuple[Changeset, ...]:
        """Return the newest changesets of the iModel, at most `count` (1,000), newest first."""
        path = f"/imodels/{segment(imodel_id)}/changesets"
        params: dict[str, str | int] = {"$top": count, "$orderBy": "index desc"}
        operation = "look at the newest changesets"
        response = self._calls.repeatable(
            operation, "GET", path, params=params, prefer=REPRESENTATION, accept=V2
        )
        found = understood(operation, response, wire.changesets)
        return tuple(sorted(found, key=lambda each: each.index, reverse=True))

    def itwins(self) -> Iterator[Named]:
        """Yield the iTwins that the caller is a member of.

        Source: iTwins API, "Get my iTwins" ($skip, $top up to 1000), read 2026-11.
        """
        return self._pages("list the iTwins", "/itwins", _read_itwins, ITWINS_PAGE)

    def imodels(self, itwin_id: str) -> Iterator[Named]:
        """Yield the iModels of an iTwin that the caller may see.

        Source: iModels API, "Get iTwin iModels" ($top up to 1000), read 2026-11.
        """
        return self._pages(
            "list the iModels",
            "/imodels",
            lambda body: wire.page(body, "iModels", wire.named_entry),
            ITWINS_PAGE,
            {"iTwinId": itwin_id},
            accept=V2,
        )

    def permissions(self, itwin_id: str) -> frozenset[str]:
        """Return what the caller may do in the iTwin.

        Source: Access Control API, "Get iTwin permissions", read 2026-11.
        """
        path = f"/accesscontrol/itwins/{segment(itwin_id)}/permissions"
        operation = "look at the permissions in the iTwin"
        return self._read(
            operation,
            path,
            lambda body: frozenset(wire.page(body, "permissions", str)[0]),
            accept=V2,
            subject=f"the iTwin {itwin_id}",
        )

    def imodel_permissions(self, imodel_id: str) -> frozenset[str]:
        """Return what the caller may do with the iModel, by its own roles or its iTwin's.

        Source: iModels API, "Get user permissions", read 2026-11.
        """
        return self._read(
            "look at the permissions for the iModel",
            f"/imodels/{segment(imodel_id)}/permissions",
            lambda body: frozenset(wire.page(body, "permissions", str)[0]),
            accept=V2,
            subject=f"the iModel {imodel_id}",
        )

    def itwin(self, itwin_id: str) -> Named:
        """Return an iTwin's name."""
        path = f"/itwins/{segment(itwin_id)}"
        return self._read(
            "look at the iTwin",
            path,
            lambda body: wire.named(body, "iTwin"),
            subject=f"the iTwin {itwin_id}",
        )
