"""Tells what is the trouble of one file from what is the whole account's."""

from __future__ import annotations

from ...core.model import Failure, Fault
from ...errors import CloudError


def nobodys_file(exc: CloudError) -> CloudError:
    """Return the failure as the whole account's when it is not about this one file.

    A missing permission would otherwise set every file aside, one by one.
    """
    if exc.status != 403 or exc.failure.fault is not Fault.REFUSED:
        return exc
    failure = Failure(Fault.UNAUTHORISED, exc.failure.message, request_id=exc.failure.request_id)
    return CloudError(exc.operation, failure, status=exc.status, code=exc.code)
