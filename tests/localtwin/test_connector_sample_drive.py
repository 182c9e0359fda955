"""The sample drive is what it says: real files, the same every time, edited for real."""

from pathlib import Path

from imodel_scene import Scene, source

from localtwin.sample_drive import edit_sample, make_sample_drive


def files(folder: Path) -> dict[str, bytes]:
    found = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}


def test_two_sample_drives_are_the_same_bytes(tmp_path: Path) -> None:
    """A rehearsal that can't be repeated proves nothing."""
    make_sample_drive(tmp_path / "a")
    make_sample_drive(tmp_path / "b")

    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert len(files(tmp_path / "a")) == 10


def test_every_sample_gets_in_and_an_edit_counts_as_it_says(tmp_path: Path) -> None:
    """The demo tells a newcomer what to expect; it has to be true, again and again."""
    scene, drive = Scene(tmp_path), tmp_path / "drive"
    make_sample_drive(drive)
    sources = [source(drive / path) for path in files(drive)]
    first = scene.run(*sources)
    assert {each.result for each in first.sources} == {"Success"}

    for _ in range(3):
        before = files(drive)
        edit = edit_sample(drive)
        report = scene.run(*sources)

        after = files(drive)
        assert {path for path in after if before.get(path) != after[path]} == {edit.path}
        (changeset,) = report.changesets
        expected = (edit.inserted, edit.updated, edit.deleted)
        assert (changeset.inserted, changeset.updated, changeset.deleted) == expected
