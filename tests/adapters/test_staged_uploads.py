# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Content that goes up during a run: nobody sees it, and the store after the run only commits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cloud_scene import KEY, PATH, Scene, refusal
from cloud_script import Bytes, caught

from twinsyncd.core import commands, facts
from twinsyncd.core.model import Fault, Fingerprint
from twinsyncd.errors import FileMoved
from twinsyncd.targets.protocol import StagingTarget

OLD = b"what the run reads"
LARGE = b"next" * 3_000_000
DIGEST = "d1"


@dataclass
class Unread(Bytes):
    """Content that nobody may read again."""

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """Fail."""
        raise AssertionError("it was read a second time")


@pytest.fixture
def scene() -> Scene:
    """A file that Storage holds, as an earlier store left it."""
    scene = Scene()
    scene.host.blobs[PATH] = ("e0", OLD)
    return scene


def stage(scene: Scene, content: Bytes, digest: str = DIGEST) -> facts.Staged:
    """Stage the next content of the file."""
    assert isinstance(scene.target, StagingTarget)
    scene.replaces("s1")
    command = commands.Stage(KEY, "bridge", digest, Fingerprint(4, 1), "s1")
    return scene.target.stage(command, content)


def store(scene: Scene, content: Bytes) -> facts.Stored:
    """Store that content."""
    scene.replaces("s1")
    scene.completes("s1", len(content.data))
    return scene.store("s1", content)


def blocks_sent(scene: Scene) -> int:
    """Return how many blocks were sent so far."""
    return sum("comp=block&" in str(request.url) for request in scene.host.requests)


def test_staged_content_is_not_the_files() -> None:
    """A run reads the file while this happens (P4)."""
    scene = Scene()
    scene.host.blobs[PATH] = ("e0", OLD)

    assert stage(scene, Bytes(LARGE)) == facts.Staged(KEY, DIGEST)

    assert scene.host.blobs[PATH] == ("e0", OLD)
    assert scene.host.commits == 0
    scene.wire.ended()


def test_a_store_of_staged_content_neither_reads_nor_sends(scene: Scene) -> None:
    """That is what lets the next run start at once."""
    stage(scene, Bytes(LARGE))
    sent = blocks_sent(scene)
    content = Unread(LARGE)

    assert store(scene, content) == facts.Stored(KEY, DIGEST, "s1")

    assert scene.host.blobs[PATH][1] == LARGE
    assert blocks_sent(scene) == sent > 0
    assert content.sent >= len(LARGE)  # people see that it is through


def test_other_content_than_what_was_staged_is_sent(scene: Scene) -> None:
    """The file was saved again meanwhile; what is committed is what settled last (P1)."""
    stage(scene, Bytes(b"x" + LARGE), "d0")

    store(scene, Bytes(LARGE))

    assert scene.host.blobs[PATH][1] == LARGE


def test_blocks_that_the_host_dropped_are_sent_again(scene: Scene) -> None:
    """Somebody else's upload drops them, and a week does."""
    stage(scene, Bytes(LARGE))
    scene.host.blocks.clear()

    store(scene, Bytes(LARGE))

    assert scene.host.blobs[PATH][1] == LARGE


def test_a_process_that_knows_of_no_staging_sends_nothing_twice(scene: Scene) -> None:
    """After a crash the blocks are still there, by the same names (P8)."""
    stage(scene, Bytes(LARGE))
    sent = blocks_sent(scene)
    again = Scene(wire=scene.wire, host=scene.host)

    store(again, Bytes(LARGE))

    assert scene.host.blobs[PATH][1] == LARGE
    assert blocks_sent(scene) == sent


def test_a_file_that_changes_while_it_is_staged_is_not_kept(scene: Scene) -> None:
    """Half of it is old and half new; it must never become a content (P1)."""
    with pytest.raises(FileMoved):
        stage(scene, Bytes(LARGE, torn=True))

    store(scene, Bytes(LARGE))

    assert scene.host.blobs[PATH][1] == LARGE


def test_blocks_of_another_program_are_left_alone_during_a_run(scene: Scene) -> None:
    """To drop them the content would be committed again, and the run is reading it (P4)."""
    scene.host.blocks[PATH] = {"AAAA": b"theirs"}

    assert isinstance(scene.target, StagingTarget)
    scene.replaces("s1")
    command = commands.Stage(KEY, "bridge", DIGEST, Fingerprint(4, 1), "s1")
    caught(lambda: scene.target.stage(command, Bytes(LARGE)))  # type: ignore[attr-defined]  # asserted above

    assert scene.host.blobs[PATH] == ("e0", OLD)
    assert scene.host.commits == 0

    store(scene, Bytes(LARGE))

    assert scene.host.blobs[PATH][1] == LARGE


def test_a_missing_permission_is_the_accounts_trouble(scene: Scene) -> None:
    """Else every file would be blamed, one by one."""
    no = refusal("InsufficientPermissions")
    scene.wire.hears("POST", "/storage/files/s1/updatecontent", 403, no)
    assert isinstance(scene.target, StagingTarget)
    command = commands.Stage(KEY, "bridge", DIGEST, Fingerprint(4, 1), "s1")

    error = caught(lambda: scene.target.stage(command, Bytes(LARGE)))  # type: ignore[attr-defined]  # asserted above

    assert error.failure.fault is Fault.UNAUTHORISED
