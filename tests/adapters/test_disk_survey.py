"""Naming what lies in a folder, whether it matches or not."""

from __future__ import annotations

import os
from pathlib import Path

from scan_scene import fill

from twinsyncd.disk.survey import survey
from twinsyncd.disk.tree import Tree


def test_files_are_named_from_the_top_down_and_no_more_than_asked_for(tmp_path: Path) -> None:
    """The first names explain most, and a share of a million files must not be read for it."""
    fill(tmp_path, "deep/er/c.txt", "b.txt", "a.txt", "deep/x.txt")

    assert list(survey(Tree(tmp_path), 3)) == ["a.txt", "b.txt", "deep/x.txt"]


def test_links_are_not_followed_and_odd_names_are_left_out(tmp_path: Path) -> None:
    """They loop, and lead out of the source."""
    fill(tmp_path / "drive", "a.txt")
    (tmp_path / "drive/loop").symlink_to(tmp_path / "drive")
    (tmp_path / "drive" / os.fsdecode(b"br\xfccke.txt")).touch()

    assert list(survey(Tree(tmp_path / "drive"), 99)) == ["a.txt", "loop"]


def test_a_folder_that_is_gone_has_no_names(tmp_path: Path) -> None:
    """The check has said so already."""
    assert list(survey(Tree(tmp_path / "none"), 99)) == []
