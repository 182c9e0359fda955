"""What is wrong with source folders, for people: on hold, or unreadable in part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..core.model import HeldSource, SourceKey
from ..core.safety import covers
from ..disk.drive_words import drive_in_words
from ..journal.views import Status
from .formatting import count


@dataclass(frozen=True, slots=True)
class Hold:
    """A source folder on hold; `approvable`: `twinsyncd approve` ends it."""

    source: SourceKey
    reason: str
    approvable: bool
    since_s: float = 0.0  # wall clock [s]; 0: not known
    found: HeldSource | None = None  # what an approval is about
    examples: tuple[str, ...] = ()  # some of the files that are missing
    consequence: str = ""  # of an approval


@dataclass(frozen=True, slots=True)
class Blind:
    """What of a source folder could not be read; `names` are some examples with reasons."""

    source: SourceKey
    text: str
    names: tuple[str, ...]
    since_s: float = 0.0  # wall clock [s]
    paths: tuple[str, ...] = ()  # of the examples, as the source has them
    advised: bool = False  # every example says itself what to do about it
    partly_advised: bool = False  # some do


def blind_of(keys: set[SourceKey], status: Status) -> tuple[Blind, ...]:
    """Return the sources of which some paths cannot be read."""
    return tuple(
        Blind(
            key,
            f"{count(found.count, 'path')} cannot be read",
            tuple(f"{spot.path}: {spot.reason}" for spot in found.examples),
            found.since_s,
            tuple(spot.path for spot in found.examples),
            bool(found.examples) and all(spot.advice for spot in found.examples),
            any(spot.advice for spot in found.examples),
        )
        for key in sorted(keys & status.blind.keys())
        for found in [status.blind[key]]
    )


def holds_of(keys: set[SourceKey], status: Status, on_delete: str) -> tuple[Hold, ...]:
    """Return the sources on hold; `on_delete`: what follows if files count as gone."""
    found = status.needs_person
    return tuple(
        Hold(
            key,
            status.offline[key],
            key in found,
            status.offline_since_s.get(key, 0.0),
            found.get(key),
            status.examples.get(key, ()),
            consequence(found[key], on_delete) if key in found else "",
        )
        for key in sorted(keys & status.offline.keys())
    )


def is_still_so(shown: HeldSource, holds: Iterable[Hold]) -> bool:
    """Return whether what a person was shown is still what is on hold, or was more of it."""
    found = next((each.found for each in holds if each.source == shown.source), None)
    return found is not None and covers(shown, found)


def consequence(finding: HeldSource, on_delete: str) -> str:
    """Return what an approval of the finding leads to."""
    drive = drive_in_words(finding.drive)
    if not finding.missing_count:
        return (
            f"the drive that is there now, {drive}, counts from here on, and every file on"
            " it is compared anew; if many files are missing there, you are asked again"
        )
    files = count(finding.missing_count, "missing file")
    follows = {
        "keep": "they are reported, and kept in Storage and in the iModel",
        "unmap": "they are taken out of the connection, and kept in Storage",
        "delete": "they are taken out of the connection and deleted in Storage",
    }
    return (
        f"up to {files} on {drive} count as gone once a minute has confirmed it;"
        f" {follows[on_delete]}"
    )
