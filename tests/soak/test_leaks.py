"""The soak would notice a secret that was written down, and a client that does not wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from .leaks import Eavesdropper
from .overheard import Overheard

HEAD = (
    b"PUT /blobs/share/a?sv=2024&sig=ab%2Bcd%3D HTTP/1.1\r\n"
    b"Authorization: Bearer eyJ0.x.y\r\nHost: here\r\n\r\n"
)


def heard(*times_s: float) -> Overheard:
    """Return what was overheard when these requests passed."""
    overheard = Overheard()
    for at_s in times_s:
        overheard.note(HEAD, at_s)
    return overheard


@pytest.mark.parametrize("secret", ["s3cr3t", "eyJ0.x.y", "ab%2Bcd%3D", "ab+cd="])
@pytest.mark.parametrize("name", ["daemon.log", "state/journal.sqlite-wal", "state/reports/1.json"])
def test_a_secret_that_is_written_down_is_found_once(
    tmp_path: Path, secret: str, name: str
) -> None:
    """As it is sent or decoded; each part of the log is read when it is new."""
    (tmp_path / "state" / "reports").mkdir(parents=True)
    (tmp_path / "daemon.log").write_text("all is well\n")
    eavesdropper = Eavesdropper(tmp_path / "daemon.log", tmp_path / "state", ["s3cr3t"])
    assert [*eavesdropper.leaks([])] == []

    with (tmp_path / name).open("a") as file:
        file.write(f'{{"url": "{secret}"}}\n')
    leaks = [*eavesdropper.leaks(heard(0.0).secrets)]

    assert [leak.about for leak in leaks] == [Path(name).name]
    assert all(secret not in leak.detail for leak in leaks)


def test_the_busiest_moment_counts_wherever_it_is() -> None:
    """A client that spins for a while and then waits has a harmless average."""
    assert heard(0.0, 1.0, 20.0, 21.0, 22.0, 29.9, 31.0, 60.0).busiest() == 4
    assert heard().busiest() == 0
