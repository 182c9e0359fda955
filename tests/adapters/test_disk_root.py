"""Which drive a folder is on, and whether it can be trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinsyncd.disk import mounts, root
from twinsyncd.disk.drive_words import drive_in_words
from twinsyncd.disk.mounts import Mount

MOUNTINFO = r"""
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 27 0:45 / /mnt/cad rw,relatime shared:7 - cifs //fileserver/projects rw,vers=3.1.1
32 27 0:46 / /mnt/old\040drive rw,relatime - nfs4 nas:/volume\0401 rw
33 31 0:47 / /mnt/cad/local rw - tmpfs tmpfs rw
nonsense
"""


def drive(kind: str, source: str, point: Path) -> Mount:
    return Mount("0:45", str(point), kind, source)


def test_the_kernels_list_is_read_with_its_escapes() -> None:
    """Share and folder names with blanks are the rule in offices."""
    found = mounts.parse(MOUNTINFO)

    assert [mount.kind for mount in found] == ["ext4", "cifs", "nfs4", "tmpfs"]
    assert found[1] == Mount(
        "0:45", "/mnt/cad", "cifs", "//fileserver/projects", ("rw", "vers=3.1.1")
    )
    assert (found[2].point, found[2].source) == ("/mnt/old drive", "nas:/volume 1")


def test_a_drive_that_is_mounted_later_is_in_the_next_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is remembered, but only as long as the kernel gives the same."""
    kernel = tmp_path / "mountinfo"
    monkeypatch.setattr(mounts, "_MOUNTINFO", kernel)
    *before, last = MOUNTINFO.strip().splitlines()
    kernel.write_text("\n".join(before))

    first = mounts.listed()
    again = mounts.listed()
    kernel.write_text("\n".join([*before, last]))

    assert first == again
    assert mounts.listed() == [*first, *mounts.parse(last)]


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/mnt/cad", "cifs"),
        ("/mnt/cad/bridge", "cifs"),
        ("/mnt/cad/local/x", "tmpfs"),
        ("/mnt/cadastre", "ext4"),
        ("/", "ext4"),
    ],
)
def test_a_folder_belongs_to_the_deepest_mount_above_it(folder: str, kind: str) -> None:
    """A local folder inside a share, or beside one of a similar name, is not the share."""
    found = mounts.holding(folder, mounts.parse(MOUNTINFO))

    assert found is not None
    assert kind == found.kind


def test_of_mounts_on_one_point_the_last_counts() -> None:
    """A share mounted over another hides it."""
    both = [Mount("0:1", "/mnt/cad", "cifs", "//a/x"), Mount("0:2", "/mnt/cad", "nfs4", "b:/y")]

    assert mounts.holding("/mnt/cad", both) == both[1]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        *((kind, True) for kind in ("cifs", "nfs4", "fuse.sshfs", "fuse.blobfuse2", "fuse", "9p")),
        *((kind, False) for kind in ("ext4", "fuseblk", "fusectl")),
    ],
)
def test_network_drives_are_told_by_their_type(tmp_path: Path, kind: str, expected: bool) -> None:
    """On them the kernel sees no change that another host makes, so hints stay away."""
    assert expected == root.is_network(tmp_path, listed=lambda: [drive(kind, "x", tmp_path)])


def test_the_disk_under_this_test_is_known_to_the_kernel(tmp_path: Path) -> None:
    """Without the real list everything would be taken for local."""
    assert root.filesystem_of(tmp_path) != ""


def test_a_share_keeps_its_identity_over_a_remount(tmp_path: Path) -> None:
    """Device numbers of shares are given anew at every mount."""
    first = root.identity(tmp_path, listed=lambda: [drive("cifs", "//srv/cad", tmp_path)])
    again = Mount("0:99", str(tmp_path), "cifs", "//srv/cad")

    assert first == root.identity(tmp_path, listed=lambda: [again])
    assert first == "cifs://srv/cad"


def test_the_local_folder_under_a_share_is_another_drive(tmp_path: Path) -> None:
    """After an unmount the empty mount point must not look like the share."""
    share = root.identity(tmp_path, listed=lambda: [drive("cifs", "//srv/cad", tmp_path)])

    reason = root.check(tmp_path, share)

    assert "another drive than before" in reason
    assert "it was the share //srv/cad (cifs), now it is " in reason


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ("cifs://nas/cad", "the share //nas/cad (cifs)"),
        ("nfs4:nas:/cad", "the share nas:/cad (nfs4)"),
        ("fuse.sshfs:nas:/cad", "the share nas:/cad (fuse.sshfs)"),
        ("ext4:8c2f1e07", "a disk of this machine (ext4, volume 8c2f1e07)"),
        ("xfs:/dev/sdb1", "the disk /dev/sdb1 of this machine (xfs)"),
        ("tmpfs:tmpfs", "a tmpfs of this machine"),
        ("volume:a1b2", "the disk with the volume number a1b2"),
    ],
)
def test_a_person_reads_what_kind_of_drive_it_is(identity: str, words: str) -> None:
    """`ext4:8c2f1e07` says nothing to whoever must decide whether that drive is meant."""
    assert drive_in_words(identity) == words


def test_a_healthy_folder_has_no_reason_against_it(tmp_path: Path) -> None:
    """The check must pass on every ordinary start, with and without a remembered drive."""
    assert root.check(tmp_path, root.identity(tmp_path)) == ""
    assert root.check(tmp_path) == ""


def test_a_folder_that_cannot_be_scanned_says_why(tmp_path: Path) -> None:
    """The operator reads the reason on the status page and connects the share."""
    (tmp_path / "file").write_bytes(b"")

    assert "does not exist" in root.check(tmp_path / "none")
    assert "is not a folder" in root.check(tmp_path / "file")
    assert "cannot be read" in root.check(tmp_path / "file" / "below")


def test_identities_of_a_local_volume_do_not_depend_on_the_folder(tmp_path: Path) -> None:
    """Two sources on one volume are on one drive."""
    (tmp_path / "below").mkdir()

    assert root.identity(tmp_path) == root.identity(tmp_path / "below")


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        (Mount("0:45", "/x", "fuse.sshfs", "a:/b"), True),
        (Mount("8:17", "/x", "exfat", "/dev/sdb1"), True),
        (Mount("0:45", "/x", "cifs", "//a/b", ("rw", "noserverino")), True),
        (Mount("0:45", "/x", "cifs", "//a/b", ("rw", "serverino")), False),
        (Mount("8:1", "/x", "ext4", "/dev/sda1"), False),
    ],
)
def test_drives_that_number_files_anew_are_known(mount: Mount, expected: bool) -> None:
    """Such a number in the fingerprint would have every resting file hashed at every scan."""
    assert expected == mounts.renumbers(mount)


def test_a_folder_that_is_gone_is_an_answer_of_its_drive(tmp_path: Path) -> None:
    """It is asked whether it answers, and not what is there; only silence is none."""
    root.ask(tmp_path)

    with pytest.raises(FileNotFoundError):
        root.ask(tmp_path / "gone")
