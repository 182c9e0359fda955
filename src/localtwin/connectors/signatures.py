"""What a file really is, by its first bytes, whatever its name says."""

from localtwin.connectors.source import ConnectorError, unreadable

HEAD_BYTES = 512

_SIGNATURES = (
    (b"AutoCAD Binary DXF", "DXF"),
    (b"AC10", "DWG"),
    (b"AC1.", "DWG"),
    (b"AC2.", "DWG"),
    (b"MC0.0", "DWG"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE container, such as RVT, DGN V8 or XLS"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"%PDF", "PDF"),
    (b"ISO-10303-21", "IFC or another STEP file"),
    (b"SQLite format 3\x00", "a SQLite database, such as GeoPackage"),
    (b"<?xml", "XML"),
    (b"<!DOCTYPE html", "a web page"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<HTML", "a web page"),
    (b"{\\rtf", "RTF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


def real_format(head: bytes) -> str:
    """Return the name of the format that the first bytes show; "" if they show none."""
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip() or head
    return next((name for start, name in _SIGNATURES if head.startswith(start)), "")


def refuse_other_format(head: bytes, wanted: str, *names: str) -> None:
    """Raise ConnectorError if the first bytes show a format other than `names`."""
    found = real_format(head)
    if found and found not in names:
        raise misnamed(wanted, found)


def misnamed(wanted: str, found: str) -> ConnectorError:
    """Return the error of a file whose extension promises another format than it has."""
    error = unreadable(f"The file is not {wanted} but {found}.", code="FileTypeMismatch")
    error.description = f"Give the file the extension of its real format, or save it as {wanted}."
    return error
