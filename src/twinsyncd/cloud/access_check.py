"""Checks step by step whether the platform can be used as configured, and how to correct it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from ..core.model import Fault
from ..errors import CloudError
from .auth_base import SCOPE
from .client import Platform
from .fault_text import START_LOCALTWIN
from .links import is_loopback
from .session import Cloud

CONNECTIONS_MAX: Final = 100  # per iModel; the portal's stated limit
NEAR: Final = 0.9  # of a limit; the rest is room to act in
_STORAGE_PERMISSIONS: Final = frozenset({"storage_read", "storage_write"})
_DELETE_PERMISSION: Final = "storage_delete"
_IMODEL_PERMISSIONS: Final = frozenset({"imodels_read", "imodels_write"})
_SEEN_PERMISSIONS: Final = _IMODEL_PERMISSIONS | {"imodels_webview"}  # to ask for permissions


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One step: what was tried, what was found, and, unless all is well, how to correct it.

    A good result with a fix is a warning: work goes on, but probably not as intended. `topic` is
    one word for programs.
    """

    step: str
    good: bool
    found: str
    fix: str = ""
    topic: str = ""

    @property
    def level(self) -> str:
        """Return "ok", "warning" or "failed"."""
        if not self.good:
            return "failed"
        return "warning" if self.fix else "ok"


def with_topic(topic: str, results: Iterator[CheckResult]) -> Iterator[CheckResult]:
    """Yield the results with their topic."""
    for each in results:
        yield each if each.topic else replace(each, topic=topic)


def examine_sign_in(cloud: Cloud) -> CheckResult:
    """Try to sign in."""
    step = f"sign in at {cloud.login.issuer_url}"
    try:
        cloud.login.token()
    except CloudError as exc:
        return CheckResult(step, False, exc.failure.message, _sign_in_fix(cloud, exc))
    return CheckResult(step, True, f"signed in as {cloud.login.identity}")


def examine_scope(cloud: Cloud) -> Iterator[CheckResult]:
    """Look whether the token has the scope that every call needs; a token may hide its scopes."""
    scopes = _scopes(cloud.login.token())
    if not scopes:
        return
    step = f"get the scope {SCOPE}"
    if SCOPE in scopes:
        yield CheckResult(step, True, "the token has it")
    else:
        found = f"the token has only: {', '.join(sorted(scopes))}"
        fix = f"add the scope {SCOPE} to the application {cloud.login.client_id} in the portal"
        yield CheckResult(step, False, found, fix)


def examine_permissions(cloud: Cloud, itwin_id: str, *, deletes: bool) -> Iterator[CheckResult]:
    """Look what the identity may do in the iTwin's Storage; nothing if that is not reported.

    `deletes`: whether files that are gone from the drive are to be deleted there.
    """
    step = f"have permissions in the iTwin {itwin_id}"
    try:
        held = cloud.platform.permissions(itwin_id)
    except CloudError:
        return  # examine_place reports why the iTwin cannot be reached
    needed = _STORAGE_PERMISSIONS | ({_DELETE_PERMISSION} if deletes else set())
    yield _compared(cloud, step, needed, held)


def examine_imodel_permissions(
    cloud: Cloud, itwin_id: str, imodel_id: str
) -> Iterator[CheckResult]:
    """Look what the identity may do with the iModel; nothing if that is not reported.

    Where the iModel reports none, those of its iTwin count; as a role of the iModel alone is not
    among them, what they lack is a warning. Once an iModel has permissions of its own, they count
    instead of those of its iTwin.
    Source: iModels API, "Get iModel permissions", "Update iModel role permissions", read 2026-11.
    """
    step = f"have permissions for the iModel {imodel_id}"
    try:
        held, fault = _imodel_permissions(cloud.platform, imodel_id)
        of_itwin = _itwin_permissions(cloud.platform, itwin_id, held, fault)
    except CloudError:
        return  # examine_place reports why it cannot be reached
    if fault is Fault.REFUSED and not of_itwin >= _SEEN_PERMISSIONS:
        held = of_itwin  # whoever may see no iModel of the iTwin may not ask for this one
    found = _compared(cloud, step, _IMODEL_PERMISSIONS, of_itwin if fault is Fault.GONE else held)
    if not found.good and fault is Fault.GONE:
        found = replace(found, good=True, found=f"{found.found}, unless the iModel grants it")
    elif not found.good and of_itwin >= _IMODEL_PERMISSIONS:
        why = "the iTwin grants it, but the iModel has permissions of its own, which count instead"
        names = ", ".join(sorted(_IMODEL_PERMISSIONS - held))
        fix = f"add {cloud.login.identity} to the permissions of the iModel, with: {names}"
        found = replace(found, found=f"{found.found}; {why}", fix=fix)
    yield found


def _imodel_permissions(platform: Platform, imodel_id: str) -> tuple[frozenset[str], Fault | None]:
    """Return what the iModel reports, and why it reports nothing. Raises CloudError."""
    try:
        return platform.imodel_permissions(imodel_id), None
    except CloudError as exc:
        if exc.failure.fault in {Fault.GONE, Fault.REFUSED}:
            return frozenset(), exc.failure.fault
        raise


def _itwin_permissions(
    platform: Platform, itwin_id: str, held: frozenset[str], fault: Fault | None
) -> frozenset[str]:
    """Return those of the iTwin; they matter only where the iModel's are missing."""
    if held >= _IMODEL_PERMISSIONS:
        return held
    try:
        return platform.permissions(itwin_id)
    except CloudError:
        if fault is None:
            return frozenset()  # the iModel has told what counts
        raise


def _compared(cloud: Cloud, step: str, needed: Set[str], held: Set[str]) -> CheckResult:
    invite = f"give {cloud.login.identity} a role in the iTwin with:"
    if missing := sorted(needed - held):
        fix = f"{invite} {', '.join(missing)}"
        return CheckResult(step, False, f"these are missing: {', '.join(missing)}", fix)
    return CheckResult(step, True, ", ".join(sorted(needed)))


def examine_connection(
    platform: Platform, *, name: str, imodel_id: str, connection_id: str
) -> CheckResult:
    """Look for the connection: by its id if one is configured, else by its name."""
    if connection_id:
        return _examine_connection_id(platform, name, imodel_id, connection_id)
    step = f'find the connection "{name}"'
    try:
        there = list(platform.connections(imodel_id))
    except CloudError as exc:
        return _bad(step, exc, "give that identity access to the iModel's connections")
    same = [each for each in there if each.name == name]
    if len(same) > 1:
        found = f"the iModel has {len(same)} connections of this name"
        fix = f"name the one that is meant: connection_id = {json.dumps(same[0].id)}"
        return CheckResult(step, False, found, fix)
    if same:
        return CheckResult(step, True, f"it exists ({same[0].id}) and will be used")
    if len(there) >= CONNECTIONS_MAX:
        found = f"the iModel has {len(there)} connections, and no more can be added"
        return CheckResult(step, False, found, "delete one in the portal, or set connection_id")
    found = "it does not exist yet; the first sync creates it"
    if len(there) >= CONNECTIONS_MAX * NEAR:
        number = f"the iModel has {len(there)} connections of at most {CONNECTIONS_MAX}"
        return CheckResult(step, True, f"{found}; {number}", "see: twinsyncd connections")
    return CheckResult(step, True, found)


def _examine_connection_id(
    platform: Platform, name: str, imodel_id: str, connection_id: str
) -> CheckResult:
    step = f'find the connection "{name}" by connection_id'
    try:
        found = platform.connection(connection_id)
        others = [] if found.imodel_id else [each.id for each in platform.connections(imodel_id)]
    except CloudError as exc:
        fix = "copy the id from the portal, or delete connection_id to find it by its name"
        return _bad(step, exc, fix)
    if found.imodel_id.lower() not in ("", imodel_id.lower()) or (
        others and connection_id not in others
    ):
        whose = f"the iModel {found.imodel_id}" if found.imodel_id else "another iModel"
        fix = "correct connection_id or imodel_id: they do not go together"
        return CheckResult(step, False, f'"{found.name}" belongs to {whose}', fix)
    return CheckResult(step, True, f'"{found.name}"')


def examine_place(
    cloud: Cloud, *, itwin_id: str, imodel_id: str, storage: bool = True
) -> Iterator[CheckResult]:
    """Look at the iTwin, its Storage and the iModel; yields a finding per step, changes nothing.

    `storage`: whether Storage is used at all.
    """
    invite = f"invite {cloud.login.identity} to the iTwin, or correct itwin_id"
    try:
        itwin = cloud.platform.itwin(itwin_id)
        yield CheckResult(f"find the iTwin {itwin_id}", True, itwin.name or "found")
    except CloudError as exc:
        yield _bad(f"find the iTwin {itwin_id}", exc, invite)
    if storage:
        yield _examine_storage(cloud, itwin_id)
    yield _examine_imodel(cloud, itwin_id, imodel_id)


def _examine_storage(cloud: Cloud, itwin_id: str) -> CheckResult:
    step = "open the iTwin's Storage"
    try:
        return CheckResult(step, True, f"top-level folder {cloud.platform.root_folder(itwin_id)}")
    except CloudError as exc:
        return _bad(step, exc, "give that identity the storage permissions")


def _examine_imodel(cloud: Cloud, itwin_id: str, imodel_id: str) -> CheckResult:
    step = f"find the iModel {imodel_id}"
    try:
        imodel = cloud.platform.imodel(imodel_id)
    except CloudError as exc:
        return _bad(step, exc, "correct imodel_id, or give that identity access to the iModel")
    if imodel.itwin_id.lower() != itwin_id.lower():
        found = f"{imodel.name or 'the iModel'} belongs to the iTwin {imodel.itwin_id}"
        return CheckResult(
            step, False, found, "correct itwin_id or imodel_id: they do not go together"
        )
    return CheckResult(step, True, imodel.name or "found")


def _scopes(token: str) -> frozenset[str]:
    """Return the scopes that the token names; nothing is decided by it, so it is not verified."""
    try:
        body = token.split(".")[1]
        claims: Any = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        scopes = claims["scope"]
    except (IndexError, KeyError, ValueError, TypeError, binascii.Error):
        return frozenset()
    return frozenset(scopes.split() if isinstance(scopes, str) else map(str, scopes))


def _bad(step: str, exc: CloudError, fix: str) -> CheckResult:
    """Return what went wrong; a network failure is not corrected in the configuration."""
    if exc.failure.fault in {Fault.TRANSIENT, Fault.THROTTLED}:
        fix = "check the network and api_url, then try again"
    if exc.failure.fault is Fault.QUOTA:
        fix = "make room in Storage"
    return CheckResult(step, False, exc.failure.message, fix)


def examine_authorization(cloud: Cloud) -> CheckResult:
    """Look whether runs may act for the person who signed in."""
    step = "let runs act for you"
    try:
        found = cloud.platform.authorization()
    except CloudError as exc:
        return _bad(step, exc, cloud.login.remedy)
    if found.authorised:
        return CheckResult(step, True, "the platform may run synchronizations in your name")
    return CheckResult(step, False, "you have not agreed to it (any more)", _consent_fix(found.url))


def _consent_fix(url: str) -> str:
    page = f"; or open {url}" if url else ""
    return f"run: twinsyncd login{page}"


def _sign_in_fix(cloud: Cloud, exc: CloudError) -> str:
    if exc.failure.fault in {Fault.UNAUTHORISED, Fault.SIGNED_OUT}:
        return cloud.login.remedy
    if is_loopback(httpx.URL(cloud.login.issuer_url).host):
        is_silent = isinstance(exc.__cause__, httpx.TransportError)
        return START_LOCALTWIN if is_silent else "correct api_url and issuer_url, below [platform]"
    return "check the network, the proxy and issuer_url"
