"""What errors advise."""

from __future__ import annotations

import importlib.util
import shlex
import sys

import pytest

from twinsyncd.errors import how_to_install


@pytest.mark.parametrize("has_pip", [True, False])
def test_a_missing_part_goes_into_this_programs_own_environment(
    monkeypatch: pytest.MonkeyPatch, has_pip: bool
) -> None:
    """Any other pip that is on the PATH installs it where this program does not find it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if has_pip else None)
    monkeypatch.setattr(sys, "executable", "/opt/twin sync/bin/python")

    words = shlex.split(how_to_install("bulk").partition(": ")[2])

    assert words[-1] == "twinsyncd[bulk]"
    assert "/opt/twin sync/bin/python" in words
    assert words[0] == ("/opt/twin sync/bin/python" if has_pip else "uv")
