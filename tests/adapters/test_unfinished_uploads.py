# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""An upload that only lacks `complete` is completed by the next store, and not begun again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cloud_scene import DATA, KEY, PATH, Scene
from cloud_script import BlobHost, Bytes, caught

from twinsyncd.core import commands, facts
from twinsyncd.core.model import Fault, Fingerprint

COMPLETE = "/storage/files/s1/complete"
LIMITED = {"Retry-After": "50"}


def interrupted(status: int = 429, tries: int = 1) -> Scene:
    """Return a file whose bytes are in Storage; each try to complete it was refused."""
    scene = Scene()
    scene.replaces("s1")
    for _ in range(tries):
        scene.wire.hears("POST", COMPLETE, status, headers=LIMITED if status == 429 else {})
    caught(lambda: scene.store("s1"))
    scene.wire.ended()
    scene.wire.naps.append(60.0)
    return scene


def test_a_refused_complete_is_all_that_the_next_store_asks_for() -> None:
    """A limit of 20 a minute was spent on the first steps of 24 files, minute after minute."""
    scene, again = interrupted(), Bytes(DATA)
    scene.completes()

    assert scene.store("s1", again).storage_id == "s1"

    scene.wire.ended()
    assert (again.read, again.sent, scene.host.commits) == (0, len(DATA), 1)


def test_a_complete_without_an_answer_is_repeated_alone() -> None:
    """Doing so twice changes nothing, and an outage is no reason to send a gigabyte again."""
    scene = interrupted(status=503, tries=3)
    scene.completes()

    assert scene.store("s1").storage_id == "s1"

    scene.wire.ended()


def test_the_next_one_is_sent_again_when_completing_it_failed_for_good() -> None:
    """What a service refuses once with a reason, it refuses again."""
    scene = interrupted(status=404)
    scene.replaces("s1")
    scene.completes()

    assert scene.store("s1").storage_id == "s1"

    scene.wire.ended()
    assert scene.host.commits == 2


def test_a_file_that_was_deleted_meanwhile_is_sent_to_what_comes_back() -> None:
    """Giving its id up would lose its elements in the iModel."""
    scene = interrupted()
    scene.wire.hears("POST", COMPLETE, 404)
    scene.replaces("s1")  # as far as the store goes on as any other
    scene.completes()

    assert scene.store("s1").storage_id == "s1"

    scene.wire.ended()


def of_somebody_else(scene: Scene) -> None:
    """Put another content in its place."""
    scene.host.blobs[PATH] = ("theirs", b"another content")


def url_expired(scene: Scene) -> None:
    """Let the URL end; the one that follows is another."""
    scene.host.may_read = False


def host_away(scene: Scene) -> None:
    """Delete the blob."""
    del scene.host.blobs[PATH]


@pytest.mark.parametrize("happens", [of_somebody_else, url_expired, host_away])
def test_a_content_that_may_be_another_is_sent_again(happens: Callable[[Scene], None]) -> None:
    """Completing it would count as stored what somebody else put there (P6)."""
    scene = interrupted()
    happens(scene)
    scene.replaces("s1")
    scene.completes()

    assert scene.store("s1").storage_id == "s1"

    assert scene.host.blobs[PATH][1] == DATA
    scene.wire.ended()


@pytest.mark.parametrize(("digest", "storage_id"), [("d2", "s1"), ("d1", "s2")])
def test_another_content_or_item_is_uploaded(digest: str, storage_id: str) -> None:
    """The file was saved again meanwhile, or has become another item."""
    scene, data = interrupted(), b"next"
    scene.replaces(storage_id)
    scene.completes(storage_id)
    command = commands.Store(KEY, "bridge", digest, Fingerprint(4, 1), storage_id)

    stored = scene.target.store(command, Bytes(data), scene.notes.append)

    assert stored == facts.Stored(KEY, digest, storage_id)
    assert scene.host.blobs[PATH][1] == data
    scene.wire.ended()


def test_it_is_completed_once_and_then_forgotten() -> None:
    """The same content may be stored again, because Storage lost it."""
    scene = interrupted()
    scene.completes()
    scene.store("s1")
    scene.replaces("s1")
    scene.completes()

    scene.store("s1")

    scene.wire.ended()
    assert scene.host.commits == 2


def test_where_the_blob_cannot_be_seen_the_content_is_sent_again() -> None:
    """Without its mark nobody knows whose content it is; the refusal is what a person reads."""
    scene = Scene(host=BlobHost(may_read=False))
    scene.replaces("s1")
    scene.wire.hears("POST", COMPLETE, 429, headers=LIMITED)
    failure = caught(lambda: scene.store("s1")).failure
    scene.wire.naps.append(60.0)
    scene.replaces("s1")
    scene.completes()

    scene.store("s1")

    assert (failure.fault, failure.retry_after_s) == (Fault.THROTTLED, 50.0)
    assert scene.host.commits == 2
    scene.wire.ended()
