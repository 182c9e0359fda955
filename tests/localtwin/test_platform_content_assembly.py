"""Contents made of blocks: readable at once, one file before long, whole after any crash."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from errno import EPERM
from pathlib import Path
from threading import Event

import pytest
from platform_scene import Clock, Platform, opened

from localtwin.errors import BlobRefusal
from localtwin.ids import pair_id, split_pair
from localtwin.world.blobs import content_parts
from localtwin.world.blobs.block_blobs import Blobs, Headers
from localtwin.world.blobs.conditions import Conditions
from localtwin.world.blobs.content_assembly import ContentAssembler
from localtwin.world.blobs.content_parts import Interrupted, Slice
from localtwin.world.blobs.contents import Contents
from localtwin.world.database import Database
from localtwin.world.synchronization.frozen_inputs import FrozenInputs
from localtwin.world.world import World

A, B, C = "QQ==", "Qg==", "Qw=="
ANY = Conditions()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in which nobody joins contents but who needs one."""
    with opened(tmp_path) as world:
        yield world


def new_blob(world: World) -> str:
    """Begin a file and return its blob."""
    root = pair_id(world.credentials.itwin_id, world.credentials.itwin_id)
    return world.storage.create(
        root, kind="file", name="cloud.dgn", description=None, user="somebody"
    ).guid


def stage(blobs: Blobs, blob: str, **blocks: bytes) -> None:
    """Stage blocks named A, B, C."""
    for name, content in blocks.items():
        with blobs.receive(hashed=False) as incoming:
            incoming.write([content])
            blobs.stage(blob, {"A": A, "B": B, "C": C}[name], incoming)


def commit(blobs: Blobs, blob: str, *entries: tuple[str, str]) -> None:
    blobs.commit(blob, entries, Headers(), ANY)


def put_blocks(world: World, blob: str, first: bytes, second: bytes) -> None:
    """Make a content of two blocks."""
    stage(world.blobs, blob, A=first, B=second)
    commit(world.blobs, blob, ("Latest", A), ("Latest", B))


def put(blobs: Blobs, blob: str, content: bytes) -> None:
    """Replace the content in one request."""
    with blobs.receive() as incoming:
        incoming.write([content])
        blobs.put(blob, incoming, Headers(), ANY)


def read(world: World, blob: str) -> bytes:
    with world.blobs.open(blob)[1] as content:
        return content.read()


def on_disk(folder: Path) -> list[bytes]:
    """Return the contents of all files under `blobs`, those in parts too."""
    return sorted(file.read_bytes() for file in (folder / "blobs").rglob("*") if file.is_file())


def in_parts(folder: Path) -> list[str]:
    return [each.name for each in (folder / "blobs" / "parts").iterdir()]


def slices_of(contents: Contents, *pieces: bytes) -> list[Slice]:
    """Write each piece as a content of its own."""
    slices = []
    for piece in pieces:
        with contents.receive() as incoming:
            incoming.write([piece])
            slices.append(Slice(incoming.keep(durable=False), 0, len(piece)))
    return slices


class Meanwhile(Event):
    """An event that is not set; somebody does something just before it is looked at."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    def is_set(self) -> bool:
        self._act()
        return False


def test_a_list_of_blocks_is_answered_before_they_are_joined(world: World) -> None:
    """Copying a point cloud takes as long as receiving it did."""
    blob = new_blob(world)

    put_blocks(world, blob, b"hello ", b"world")

    assert in_parts(world.folder) == [world.blobs.get(blob).content]


def test_the_first_reader_gets_all_of_it(world: World) -> None:
    """A client that got 201 may read at once, and no parts stay behind."""
    blob = new_blob(world)
    put_blocks(world, blob, b"hello ", b"world")

    content = read(world, blob)

    assert content == b"hello world"
    assert on_disk(world.folder) == [b"hello world"]
    assert in_parts(world.folder) == []


def test_contents_are_joined_when_nobody_asks(world: World) -> None:
    """The disk space and the wait of a later reader must not depend on a reader."""
    blobs = [new_blob(world), new_blob(world)]
    for blob in blobs:
        put_blocks(world, blob, b"hello ", blob.encode())

    world.content_assembler.start()
    world.content_assembler.drain()

    assert on_disk(world.folder) == sorted(b"hello " + blob.encode() for blob in blobs)
    assert in_parts(world.folder) == []


def test_a_started_world_joins_what_an_earlier_end_left_in_parts(tmp_path: Path) -> None:
    """After a kill between the list's answer and the joining nothing is lost or left."""
    with opened(tmp_path) as world:
        blob = new_blob(world)
        put_blocks(world, blob, b"hello ", b"world")
    assert on_disk(tmp_path) != [b"hello world"]

    with opened(tmp_path) as world:
        world.start()
        world.content_assembler.drain()
        joined = on_disk(tmp_path)
        content = read(world, blob)

    assert joined == [b"hello world"]
    assert content == b"hello world"


@pytest.mark.parametrize("left", ["half joined", "joined", "going"])
def test_a_crash_while_joining_loses_nothing(tmp_path: Path, left: str) -> None:
    """Half a file, a file and its parts, parts half deleted: each state is one to start from."""
    with opened(tmp_path) as world:
        blob = new_blob(world)
        put_blocks(world, blob, b"hello ", b"world")
        name = world.blobs.get(blob).content
    folder = tmp_path / "blobs" / "parts" / name
    if left == "half joined":
        (folder / "joined").write_bytes(b"hello w")
    else:
        (tmp_path / "blobs" / name[0] / name).write_bytes(b"hello world")
    if left == "going":
        next(file for file in folder.iterdir() if len(file.name) == len(name)).unlink()

    with opened(tmp_path) as world:
        content = read(world, blob)

    assert content == b"hello world"
    assert on_disk(tmp_path) == [b"hello world"]
    assert in_parts(tmp_path) == []


@pytest.mark.parametrize("folder", ["0" * 32, f"{'0' * 32}.gone"])
def test_parts_without_a_record_are_swept(tmp_path: Path, folder: str) -> None:
    """A crash before the record, or while old parts were deleted, must not cost disk for ever."""
    with opened(tmp_path) as world:
        blob = new_blob(world)
        put(world.blobs, blob, b"kept")
    left = tmp_path / "blobs" / "parts" / folder
    left.mkdir()
    (left / ("1" * 32)).write_bytes(b"left behind")

    with opened(tmp_path):
        pass

    assert on_disk(tmp_path) == [b"kept"]
    assert in_parts(tmp_path) == []


def test_a_content_in_parts_may_be_replaced(world: World) -> None:
    """A save that follows at once; the parts of the former one go with it."""
    blob = new_blob(world)
    put_blocks(world, blob, b"hello ", b"world")

    put(world.blobs, blob, b"new")

    assert read(world, blob) == b"new"
    assert on_disk(world.folder) == [b"new"]


def test_a_content_replaced_while_it_is_joined_leaves_nothing(tmp_path: Path) -> None:
    """The content_assembler must not finish a file that no record names any more."""
    contents = Contents(tmp_path)
    slices = slices_of(contents, b"hello ", b"world")
    name = contents.join(slices)
    replaced = Meanwhile(lambda: contents.drop([name]))

    with pytest.raises(FileNotFoundError):
        content_parts.join(tmp_path / "parts" / name, contents.file(name), replaced)

    contents.drop([part.content for part in slices])
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
    assert list((tmp_path / "parts").iterdir()) == []


def test_a_later_list_mixes_committed_and_new_blocks_of_a_content_in_parts(world: World) -> None:
    """Appending and patching go on while the first content is not one file yet."""
    blob = new_blob(world)
    put_blocks(world, blob, b"one", b"two")
    stage(world.blobs, blob, B=b"TWO", C=b"three")

    commit(world.blobs, blob, ("Uncommitted", B), ("Committed", A), ("Committed", B), ("Latest", C))

    listed = [(block.id, block.size_bytes) for block in world.blobs.blocks(blob)[1]]
    assert listed == [(B, 3), (A, 3), (B, 3), (C, 5)]
    assert read(world, blob) == b"TWOonetwothree"
    assert on_disk(world.folder) == [b"TWOonetwothree"]


def test_a_block_may_be_listed_more_than_once(world: World) -> None:
    """A file of repeated pages is staged once."""
    blob = new_blob(world)
    stage(world.blobs, blob, A=b"na")

    commit(world.blobs, blob, ("Latest", A), ("Latest", A))

    assert read(world, blob) == b"nana"


def test_a_list_refused_late_leaves_no_parts(world: World) -> None:
    """Somebody else was quicker; what was laid out for the content goes."""
    blob = new_blob(world)
    contents = Overtaken(world.folder / "blobs")
    database = Database(world.folder / "world.sqlite")
    blobs = Blobs(database, contents, Clock())
    stage(blobs, blob, A=b"a")
    contents.after = lambda: put(world.blobs, blob, b"other")

    with pytest.raises(BlobRefusal, match="BlobAlreadyExists"):
        blobs.commit(blob, [("Latest", A)], Headers(), Conditions(if_none_match="*"))

    database.close()
    assert on_disk(world.folder) == [b"other"]
    assert in_parts(world.folder) == []


def test_a_list_whose_blocks_went_meanwhile_is_refused(world: World) -> None:
    """Somebody else's content took their place; the answer is that of a moment later."""
    blob = new_blob(world)
    contents = Overtaken(world.folder / "blobs")
    database = Database(world.folder / "world.sqlite")
    blobs = Blobs(database, contents, Clock())
    stage(blobs, blob, A=b"a")
    contents.before = lambda: put(world.blobs, blob, b"other")

    with pytest.raises(BlobRefusal, match="InvalidBlockList"):
        commit(blobs, blob, ("Latest", A))

    database.close()
    assert on_disk(world.folder) == [b"other"]
    assert in_parts(world.folder) == []


class Overtaken(Contents):
    """Contents that somebody changes just before or after one is put together."""

    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None

    def join(self, slices: Sequence[Slice]) -> str:
        if self.before is not None:
            self.before()
        name = super().join(slices)
        if self.after is not None:
            self.after()
        return name


def test_closing_interrupts_the_joining(tmp_path: Path) -> None:
    """A stop must not wait for gigabytes; the next start goes on."""
    contents = Contents(tmp_path)
    name = contents.join(slices_of(contents, b"hello ", b"world"))
    contents.close()

    with pytest.raises(Interrupted):
        contents.whole(name)

    assert Contents(tmp_path).whole(name).read_bytes() == b"hello world"


def test_a_content_that_cannot_be_joined_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk, or a part that is damaged: said, and the next one's turn."""
    contents = Contents(tmp_path / "blobs")
    short, good = slices_of(contents, b"short", b"good")
    broken = contents.join([replace(short, size_bytes=6)])
    whole = contents.join([good, good])
    content_assembler = ContentAssembler(contents)

    content_assembler.start()
    content_assembler.drain()
    content_assembler.stop()

    assert {record.getMessage() for record in caplog.records} == {
        f"content.unjoined content={broken}"
    }
    assert contents.file(whole).read_bytes() == b"goodgood"
    assert in_parts(tmp_path) == [broken]


def test_without_links_blocks_are_joined_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems of memory cards and some network drives know none."""
    blob = new_blob(world)
    monkeypatch.setattr(os, "link", refuse)

    put_blocks(world, blob, b"hello ", b"world")

    assert in_parts(world.folder) == []
    assert on_disk(world.folder) == [b"hello world"]
    assert read(world, blob) == b"hello world"


def refuse(*_: object, **__: object) -> None:
    raise PermissionError(EPERM, "no links here")


def test_a_run_reads_what_was_in_parts_when_it_started(world: World) -> None:
    """Starting it copies nothing, and what is saved later is not for it."""
    with Platform(world) as platform:
        file_id = platform.upload("wall.ifc", b"old")
        blob = file_blob(file_id)
        put_blocks(world, blob, b"a\n", b"b")
        imodel = platform.new_imodel()
        connection = platform.connect(imodel, file_id)
        platform.post(f"/synchronization/imodels/storageconnections/{connection}/run")
        still_in_parts = in_parts(world.folder)
        put(world.blobs, blob, b"x\ny\nz")

        world.executor.start()
        world.executor.drain()

        [changeset] = platform.changesets(imodel)
    assert len(still_in_parts) == 1
    assert changeset["description"] == "Office - 2 inserted, 0 updated, 0 deleted"
    assert on_disk(world.folder) == [b"x\ny\nz"]
    assert list((world.folder / "runs").iterdir()) == []


def test_what_is_frozen_in_parts_becomes_the_one_file_that_its_blob_has(tmp_path: Path) -> None:
    """A run's input costs neither a second copy nor the time to make it."""
    contents, target = Contents(tmp_path / "blobs"), tmp_path / "run" / "0"
    target.parent.mkdir()
    name = contents.join(slices_of(contents, b"hello ", b"world"))
    contents.copy(name, target)

    contents.restore(target.parent)

    assert target.read_bytes() == b"hello world"
    assert target.samefile(contents.file(name))
    assert list(target.parent.iterdir()) == [target]


def test_thawing_goes_on_after_a_crash(tmp_path: Path) -> None:
    """Between the file and the end of its parts; they may be half gone then."""
    contents, target = Contents(tmp_path / "blobs"), tmp_path / "run" / "0"
    target.parent.mkdir()
    contents.copy(contents.join(slices_of(contents, b"hello ", b"world")), target)
    (target.parent / "0.parts" / "list.json").unlink()
    target.write_bytes(b"hello world")

    contents.restore(target.parent)

    assert list(target.parent.iterdir()) == [target]


def test_an_interrupted_thaw_leaves_the_run_for_the_next_start(tmp_path: Path) -> None:
    """A run in progress at a stop is taken up again, and not failed."""
    contents = Contents(tmp_path / "blobs")
    frozen_inputs = FrozenInputs(contents, tmp_path / "runs")
    frozen_inputs.folder("r").mkdir()
    target = frozen_inputs.folder("r") / "0"
    contents.copy(contents.join(slices_of(contents, b"hello ", b"world")), target)
    contents.close()

    went_on = frozen_inputs.restore("r")

    assert not went_on
    assert FrozenInputs(Contents(tmp_path / "blobs"), tmp_path / "runs").restore("r")
    assert target.read_bytes() == b"hello world"


def test_properties_of_a_content_in_parts_are_returned(world: World) -> None:
    """Who asks for the length alone must not wait for a copy."""
    with Platform(world) as platform:
        file_id, url = platform.begin_file("cloud.dgn")
        put_blocks(world, file_blob(file_id), b"hello ", b"world")

        answer = platform.head(url, headers={"Authorization": ""})

    assert (answer.status_code, answer.headers["content-length"]) == (200, "11")
    assert len(in_parts(world.folder)) == 1


def file_blob(file_id: str) -> str:
    """Return the blob of a file."""
    pair = split_pair(file_id)
    assert pair is not None
    return pair[1]
