"""The drive of a folder is named by the list of mounts alone: the drive itself may hang."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from twinsyncd.disk.drive_names import READ_S, DriveNames, drive_name
from twinsyncd.disk.mounts import Mount

pytestmark = pytest.mark.skipif(os.name == "nt", reason="mounts and links of POSIX")

ROOT = Mount("8:1", "/", "ext4", "/dev/sda1")


def share(point: Path | str) -> Mount:
    """Return a mounted share."""
    return Mount("0:52", str(point), "cifs", "//server/cad")


@pytest.mark.parametrize(
    ("folder", "drive"),
    [("/mnt/cad/one", "/mnt/cad"), ("/mnt/cad", "/mnt/cad"), ("/mnt/cadastre", "/"), ("/", "/")],
)
def test_a_folder_lies_on_the_deepest_mount_above_it(folder: str, drive: str) -> None:
    """A share that hangs must not be mixed up with the disk it is mounted on."""
    assert drive_name(folder, [ROOT, share("/mnt/cad")]) == drive


def test_links_on_local_drives_are_followed(tmp_path: Path) -> None:
    """Offices link a folder of the machine to a share; the threads are those of the share."""
    point = tmp_path / "mounted"
    (tmp_path / "cad").symlink_to("mounted/projects")
    (tmp_path / "again").symlink_to(tmp_path / "cad")

    assert drive_name(str(tmp_path / "again" / "one"), [ROOT, share(point)]) == str(point)


def test_links_on_a_share_are_left_alone(tmp_path: Path) -> None:
    """Reading one could hang, and with it every other source."""
    point = tmp_path / "mounted"
    point.mkdir()
    (point / "link").symlink_to("/")

    assert drive_name(str(point / "link" / "one"), [ROOT, share(point)]) == str(point)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """A mistake on the drive must not stop the daemon."""
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")

    assert drive_name(str(tmp_path / "one"), [ROOT]) == "/"


def test_a_share_that_is_mounted_later_is_noticed() -> None:
    """Many machines mount their shares after their services have started."""
    listed, now_s = [ROOT], 0.0
    names = DriveNames(listed=lambda: list(listed), clock=lambda: now_s)
    before = names(Path("/mnt/cad/one"))

    listed.append(share("/mnt/cad"))
    now_s += READ_S

    assert (before, names(Path("/mnt/cad/one"))) == ("/", "/mnt/cad")
