"""Opens ZIP archives that come from anywhere: damaged, encrypted and exploding ones are refused."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localtwin.connectors.source import ConnectorError, unreadable

UNPACKED_MAX = 4 << 30  # bytes in all; more than any exchange file that is still practical
ENTRIES_MAX = 100_000
RATIO_MAX = 300  # XML of spreadsheets packs to a twentieth at best; only bombs go beyond hundreds
RATIO_FROM = 100 << 20  # bytes unpacked; small entries of one repeated letter are harmless

_ENCRYPTED = 1


@contextmanager
def opened_archive(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive whose entries are safe to unpack one at a time; raises ConnectorError."""
    try:
        with zipfile.ZipFile(file) as archive:
            refuse_bomb(archive.infolist())
            yield archive
    except (zipfile.BadZipFile, EOFError) as exc:
        raise unreadable("The archive is damaged or incomplete.", code="FileIncomplete") from exc


def refuse_bomb(entries: list[zipfile.ZipInfo]) -> None:
    """Raise ConnectorError if the entries would unpack to more than a machine should hold."""
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if len(entries) > ENTRIES_MAX:
        raise _bomb(f"The archive has {len(entries):,} entries; at most {ENTRIES_MAX:,} are read.")
    if unpacked > UNPACKED_MAX:
        raise _bomb(f"The archive unpacks to {unpacked >> 20:,} MiB; at most 4,096 are read.")
    if unpacked > RATIO_FROM and unpacked > RATIO_MAX * max(packed, 1):
        raise _bomb(f"The archive unpacks {packed:,} bytes to {unpacked >> 20:,} MiB.")


def is_encrypted(entry: zipfile.ZipInfo) -> bool:
    """Return whether reading the entry takes a password."""
    return bool(entry.flag_bits & _ENCRYPTED)


def encrypted() -> ConnectorError:
    """Return the error of a file that only opens with a password."""
    error = unreadable("The file is protected by a password.", code="FileEncrypted")
    error.description = "Save a copy without the password and synchronize that."
    return error


def _bomb(message: str) -> ConnectorError:
    error = unreadable(message, code="FileTooLarge")
    error.description = "Split the content over several files, or check who made this one."
    return error
