"""External references of drawings: files that lie beside the drawing that shows them."""

import hashlib
from pathlib import Path, PureWindowsPath
from typing import Final

NOT_GIVEN: Final = (
    "The external reference {} was not given along with the drawing, as runs of manifest "
    "connections alone do; its name is kept."
)


def referenced_content(xref_path: str, folder: Path) -> str | None:
    """Return a digest of an external reference, if it is beside its master.

    The path is of the author's machine, so only its last part counts, as CAD programs do.
    """
    name = PureWindowsPath(xref_path).name.lower()
    for file in folder.iterdir():
        if file.name.lower() == name and file.suffix and file.is_file():
            with file.open("rb") as data:
                return hashlib.file_digest(data, "sha256").hexdigest()
    return None
