"""How Windows lets files be read while people save them: run by Python for Windows, or under wine.

Needs nothing but the standard library, as an embeddable Python has no more. Prints a line for each
check that held; the first that does not hold ends it with an error.
"""

from __future__ import annotations

import ctypes
import ntpath
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from twinsyncd.disk import windows
from twinsyncd.disk.tree import Tree


def main() -> None:
    """Check one after the other, in folders of their own."""
    assert sys.platform == "win32"
    top = Path(tempfile.mkdtemp())
    for check in (
        _autocad,
        _microstation,
        _deletion,
        _plain,
        _exclusive,
        _long_path,
        _missing,
        _unc,
    ):
        folder = top / check.__name__
        folder.mkdir()
        check(folder)
        sys.stdout.write(f"held: {check.__name__.strip('_').replace('_', ' ')}\n")


def _autocad(folder: Path) -> None:
    """A save renames the drawing and takes its name, and reads the old content to its end."""
    file = folder / "plan.dwg"
    file.write_bytes(b"old")
    descriptor = Tree(folder).open("plan.dwg")
    (folder / "sav.tmp").write_bytes(b"new")
    file.rename(folder / "plan.bak")
    (folder / "sav.tmp").rename(file)
    assert os.read(descriptor, 9) == b"old"
    os.close(descriptor)
    assert file.read_bytes() == b"new"


def _microstation(folder: Path) -> None:
    """Another program writes in place while the file is open here."""
    file = folder / "plan.dgn"
    file.write_bytes(b"old")
    descriptor = Tree(folder).open("plan.dgn")
    with file.open("r+b") as design:
        design.write(b"new")
    assert os.read(descriptor, 9) == b"new"
    os.close(descriptor)


def _deletion(folder: Path) -> None:
    """A file that is open here can be deleted."""
    file = folder / "plan.dgn"
    file.write_bytes(b"x")
    descriptor = Tree(folder).open("plan.dgn")
    file.unlink()
    os.close(descriptor)
    assert not file.exists()


def _plain(folder: Path) -> None:
    """What the checks above prove: opened in Python's own way, the file cannot be renamed."""
    file = folder / "plan.dwg"
    file.write_bytes(b"x")
    with file.open("rb"):
        try:
            file.rename(folder / "plan.bak")
        except PermissionError:
            return
    raise AssertionError


def _exclusive(folder: Path) -> None:
    """A file that another program lets nobody read is a trouble of that file."""
    file = folder / "plan.dwg"
    file.write_bytes(b"x")
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore] # on Windows
    kernel.CreateFileW.restype = ctypes.c_void_p
    held = kernel.CreateFileW(str(file), 0xC0000000, 0, None, 3, 0, None)
    try:
        Tree(folder).open("plan.dwg")
    except PermissionError:
        return
    finally:
        kernel.CloseHandle(ctypes.c_void_p(held))
    raise AssertionError


def _long_path(folder: Path) -> None:
    """Project folders nest deeper than the 260 characters of old."""
    names = [f"folder {number:02} {'x' * 30}" for number in range(12)]
    deep = folder.joinpath(*names)
    os.makedirs(windows.long_path(str(deep)))  # noqa: PTH103 - a prefixed path is no Path
    with open(windows.long_path(str(deep / "deep.dgn")), "wb") as file:  # noqa: PTH123
        file.write(b"deep")
    path = "/".join([*names, "deep.dgn"])
    assert len(str(deep)) > 400
    assert Tree(folder).stat(path).st_size == 4
    with Tree(folder).list("/".join(names)) as entries:
        assert [entry.name for entry in entries] == ["deep.dgn"]
    descriptor = Tree(folder).open(path)
    assert os.read(descriptor, 9) == b"deep"
    os.close(descriptor)


def _missing(folder: Path) -> None:
    """A file that is gone is told from one that cannot be read."""
    try:
        Tree(folder).open("none.dwg")
    except FileNotFoundError:
        return
    raise AssertionError


def _unc(folder: Path) -> None:
    """A share is a network drive, a local folder is none."""
    is_remote = windows.is_remote  # type: ignore[attr-defined,unused-ignore] # on Windows
    assert is_remote("\\\\server\\share\\cad")
    assert not is_remote(ntpath.abspath(str(folder)))


if __name__ == "__main__":
    main()
