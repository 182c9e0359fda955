r"""Paths as people of Windows write them: one mistake each, with what to write instead."""

from __future__ import annotations

import tomllib

import pytest

from twinsyncd.config.windows_paths import advice_elsewhere, advice_for, advice_for_line, misread

SHARE, DRIVE = "//srv/new/x", "C:/new/x"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"\\srv\new\x"', SHARE),
        (r"\\srv\new\x", SHARE),
        (r"//srv/new/x", SHARE),
        (r'"C:\new\x"  # ours', DRIVE),
        (r"C:\new\x", DRIVE),
        (r"C:/new/x", DRIVE),
    ],
)
def test_a_path_that_toml_cannot_read_is_written_as_it_can(written: str, meant: str) -> None:
    """ "Write paths with forward slashes" led from one mistake to the next."""
    line = f"  folder = {written}"
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(line)

    assert advice_for_line(line, is_windows=True) == f'write "{meant}"'
    assert "mount it on this machine" in advice_for_line(line, is_windows=False)


@pytest.mark.parametrize("path", [r"\\srv\cad", "//srv/cad", r"S:\cad", "S:/cad", "S:"])
def test_a_path_of_windows_is_no_name_in_the_current_folder(path: str) -> None:
    r"""`init` looked for /home/me/S:\cad, and asked whether the drive was mounted."""
    advice = advice_elsewhere(path, is_windows=False)

    assert "mount it on this machine" in advice
    assert "\\" not in advice
    assert advice_elsewhere(path, is_windows=True) == ""
    assert advice_elsewhere("cad/S:/x", is_windows=False) == ""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"\\srv\new\tab"', "//srv/new/tab"),
        (r'"\\srv\\new"', "//srv/new"),
        (r'"C:\new\tab"', "C:/new/tab"),
        (r'"\\\\srv\\new"', ""),
        (r"'\\srv\new'", ""),
        (r'"C:\\new"', ""),
        (r"'C:\new'", ""),
        ('"//srv/new"', ""),
    ],
)
def test_a_path_that_toml_reads_otherwise_than_it_was_meant_is_found(
    written: str, meant: str
) -> None:
    r"""In double quotes \n is a new line: the folder "was not there", spelt over two lines."""
    value = tomllib.loads(f"folder = {written}")["folder"]

    assert misread(value) == meant


@pytest.mark.parametrize("line", [r'include = ["cad\*.dgn"]', r'name = "a\b"', "# C:", ""])
def test_other_lines_get_no_advice_about_paths(line: str) -> None:
    """A pattern or a name is no folder to be mounted."""
    assert advice_for_line(line, is_windows=True) == ""


@pytest.mark.parametrize(("path", "named"), [("//srv/x", "//srv/x"), ("P:", "P:"), ("P:/x", "P:")])
def test_a_share_is_mounted_where_windows_is_not(path: str, named: str) -> None:
    """Linux knows neither servers nor letters in a path."""
    advice = advice_for(path, is_windows=False)

    assert advice.startswith(f"{named} is a ")
    assert "write the folder where it is mounted" in advice
