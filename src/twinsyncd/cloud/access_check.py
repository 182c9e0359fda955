"""Checks step by step whether the platform can be used as configured, and how to correct it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..core.model import Fault
from ..errors import CloudError
from .session import Cloud


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One step: what was tried, what was found, and, unless it is good, how to correct it."""

    step: str
    good: bool
    found: str
    fix: str = ""


def examine_sign_in(cloud: Cloud) -> CheckResult:
    """Try to sign in."""
    step = f"sign in at {cloud.login.issuer_url}"
    try:
        cloud.login.token()
    except CloudError as exc:
        return CheckResult(step, False, exc.failure.message, _sign_in_fix(cloud, exc))
    return CheckResult(step, True, f"signed in as {cloud.login.identity}")


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
    return "check the network, the proxy and issuer_url"
