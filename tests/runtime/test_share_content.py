# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Content is read on its share's threads, one piece ahead; a hang never holds the sender."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from runtime_scene import WAIT_S, Clock

from twinsyncd.core.content import Content
from twinsyncd.disk.look import StableContent, look
from twinsyncd.disk.tree import Tree
from twinsyncd.errors import FileMoved, ShareSilent
from twinsyncd.runtime.share_content import WHOLE_BYTES, ShareContent
from twinsyncd.runtime.share_threads import SILENCE_S, ShareThreads

T = TypeVar("T")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def threads(clock: Clock) -> Iterator[ShareThreads]:
    made = ShareThreads("cad", clock=clock, wall=clock, check_s=0.001)
    yield made
    made.stop()


def content_of(
    folder: Path, data: bytes, threads: ShareThreads, *, settled: bytes = b""
) -> ShareContent:
    """Return the content of a file; `settled` is what it held when it settled, if not that."""
    (folder / "a.dgn").write_bytes(data)
    tree = Tree(folder, threads.note_progress)
    fingerprint = look(tree, "a.dgn")
    assert fingerprint is not None
    digest = hashlib.sha256(settled or data).hexdigest()
    return ShareContent(partial(StableContent, tree, "a.dgn", fingerprint, digest), threads)


@pytest.mark.parametrize("size", [8, WHOLE_BYTES, WHOLE_BYTES + 1, 3 * WHOLE_BYTES])
def test_the_pieces_and_the_proof_are_those_of_the_file(
    tmp_path: Path, threads: ShareThreads, size: int
) -> None:
    """Nothing may be lost or doubled on the way between two threads (P1)."""
    data = bytes(number % 251 for number in range(size))
    with content_of(tmp_path, data, threads) as content:
        first = next(content.chunks(3))
        pieces = list(content.chunks(5000))  # a repeated request begins again, in other pieces
        content.verify()

    assert (first, b"".join(pieces), content.size_bytes) == (data[:3], data, size)
    assert {len(piece) for piece in pieces[:-1]} <= {5000}


def test_an_empty_file_has_no_pieces(tmp_path: Path, threads: ShareThreads) -> None:
    """An end must be told apart from a piece."""
    with content_of(tmp_path, b"", threads) as content:
        assert list(content.chunks(5)) == []
        content.verify()


def test_a_small_file_takes_one_job(tmp_path: Path, clock: Clock) -> None:
    """Each job costs two changes of threads, and a first sync has thousands of small files."""
    threads = CountingThreads("cad", clock=clock, wall=clock, check_s=0.001)
    with content_of(tmp_path, b"abcdefgh", threads) as content:
        assert list(content.chunks(100)) == [b"abcdefgh"]
        content.verify()
    threads.stop()

    assert threads.jobs == 1


def test_a_small_file_that_is_not_the_settled_one_is_refused_at_once(
    tmp_path: Path, threads: ShareThreads
) -> None:
    """Its size and time can be those of the settled one; what is sent must be what was hashed."""
    content = content_of(tmp_path, b"abcdefgh", threads, settled=b"abcdefgX")

    with pytest.raises(FileMoved), content:
        pass


class CountingThreads(ShareThreads):
    """Threads that count what they are given."""

    jobs = 0

    def submit(self, act: Callable[[], T], **options: Any) -> Future[T]:
        self.jobs += 1
        return super().submit(act, **options)


def test_content_that_was_not_read_to_its_end_is_not_verified(
    tmp_path: Path, threads: ShareThreads
) -> None:
    """A sender that stops early must not get its blob committed (P1)."""
    with content_of(tmp_path, b"abcdefgh", threads) as content:
        next(content.chunks(2))

        with pytest.raises(FileMoved):
            content.verify()


def test_a_file_that_changes_while_it_is_sent_is_noticed(
    tmp_path: Path, threads: ShareThreads
) -> None:
    """Errors of the reading thread reach whoever sends."""
    with content_of(tmp_path, bytes(WHOLE_BYTES + 1), threads) as content:
        (tmp_path / "a.dgn").write_bytes(b"x")

        with pytest.raises(FileMoved):
            list(content.chunks(WHOLE_BYTES))


class Hanging(Content):
    """A file whose second piece never comes."""

    size_bytes = WHOLE_BYTES + 1

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.closed = threading.Event()

    def __enter__(self) -> Content:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        yield b"abc"
        self.asked.set()
        assert self.answers.wait(WAIT_S)
        yield b"def"

    def verify(self) -> None:
        pass

    def note_sent(self, size_bytes: int) -> None:
        pass


def test_a_read_that_hangs_releases_the_sender(threads: ShareThreads, clock: Clock) -> None:
    """The upload's thread serves the other shares too (P14)."""
    file = Hanging()
    opened: AbstractContextManager[Content] = file

    with ShareContent(lambda: opened, threads) as content:
        pieces = content.chunks(3)
        assert next(pieces) == b"abc"
        assert file.asked.wait(WAIT_S)
        clock.now_s += SILENCE_S + 1
        with pytest.raises(ShareSilent):
            next(pieces)

    assert not file.closed.is_set()
    file.answers.set()
    assert file.closed.wait(WAIT_S), "it is closed once the share answers"
