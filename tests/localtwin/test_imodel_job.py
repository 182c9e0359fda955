"""A job makes the iModel equal to its source files."""

from dataclasses import replace
from pathlib import Path

import ezdxf.filemanagement
import ifcopenshell
import pytest
from imodel_scene import Scene, plan, renumbered, replayed, source, tables

from localtwin.connectors import registry
from localtwin.imodel.database import create_imodel
from localtwin.imodel.picture_files import picture_of
from localtwin.imodel.plan import INSERTED, UNCHANGED
from localtwin.imodel.read import content, last_changeset, last_report, sources
from localtwin.imodel.report import (
    Changes,
    ChangesetReport,
    JobReport,
    SourceOrder,
    SourceReport,
    order_from_json,
    order_to_json,
    report_from_json,
    report_to_json,
)
from localtwin.sample_drive import buildings
from localtwin.world.synchronization.task_results import report_text
from localtwin.world.synchronization.worker import job
from localtwin.world.synchronization.worker.messages import WorkerOrder
from localtwin.world.synchronization.worker.process import WorkerProcess


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    file = tmp_path / "plan.dxf"
    plan(file)
    return file


@pytest.fixture
def steel(tmp_path: Path) -> Path:
    file = tmp_path / "steel.ifc"
    buildings.steel("steel", file)
    return file


def counts(report: JobReport) -> tuple[int, int, int]:
    (only,) = report.sources
    assert only.error is None
    return only.inserted, only.updated, only.deleted


def changeset(report: JobReport) -> ChangesetReport:
    (only,) = report.changesets
    return only


def add_line(file: Path) -> None:
    drawing = ezdxf.filemanagement.readfile(file)
    drawing.modelspace().add_line((0, 3), (4, 3), dxfattribs={"layer": "WALLS"})
    drawing.saveas(file)


def test_a_source_is_read_again_when_a_reference_changed(
    scene: Scene, drawing: Path, tmp_path: Path
) -> None:
    """The bytes of the file itself did not change."""
    xref = tmp_path / "survey.dxf"
    order = replace(source(drawing), references=(xref, tmp_path / "lost.dxf"))
    xref.write_bytes(b"points")
    scene.run(order)

    same = scene.run(order).sources[0].result
    xref.write_bytes(b"other points")
    changed = scene.run(order).sources[0].result
    with_less = scene.run(source(drawing)).sources[0].result

    assert (same, changed, with_less) == ("Skipped", "Success", "Success")


def test_an_order_with_references_is_the_same_after_json(scene: Scene, drawing: Path) -> None:
    """It is carried to the worker as JSON."""
    order = scene.order(replace(source(drawing), references=(drawing.with_name("x.dxf"),)))

    assert order_from_json(order_to_json(order)) == order


def test_a_new_imodel_is_empty_and_has_no_changeset(scene: Scene) -> None:
    """The server asks before the first run, too."""
    assert last_changeset(scene.imodel) == ""
    assert last_report(scene.imodel) is None
    assert list(content(scene.imodel)) == []


def test_an_imodel_is_never_created_over_another(scene: Scene) -> None:
    """A second create by mistake must not cost the first one's content."""
    with pytest.raises(FileExistsError):
        create_imodel(scene.imodel)

    assert not list(scene.folder.glob("*.new*"))


def test_a_job_needs_an_imodel(tmp_path: Path, drawing: Path) -> None:
    """A mistyped path must not quietly become a new, empty iModel."""
    missing = Scene(tmp_path).order(source(drawing))
    missing.imodel_file.unlink()

    with pytest.raises(FileNotFoundError):
        last_changeset(missing.imodel_file)
    assert not missing.imodel_file.exists()


def test_each_source_of_a_run_has_a_changeset_of_its_own(
    scene: Scene, drawing: Path, steel: Path
) -> None:
    """A task of the run is joined to its changeset, and a person sees what each file changed."""
    report = scene.run(source(drawing), source(steel))

    assert [each.result for each in report.sources] == ["Success", "Success"]
    assert [(each.source_id, each.inserted) for each in report.changesets] == [
        (each.source_id, each.inserted) for each in report.sources
    ]
    first, second = report.changesets
    assert (first.parent_id, second.parent_id) == ("", first.id)
    assert len(list(content(scene.imodel))) == first.inserted + second.inserted
    assert last_changeset(scene.imodel) == second.id
    assert last_report(scene.imodel) == report


def test_a_source_without_changes_has_no_changeset(
    scene: Scene, drawing: Path, steel: Path
) -> None:
    """An empty changeset is of no use."""
    scene.run(source(drawing), source(steel))
    add_line(drawing)
    renumbered(steel, steel)

    report = scene.run(source(drawing), source(steel))

    assert changeset(report).source_id == "id of plan.dxf"


def test_the_report_counts_the_elements_before_and_after(scene: Scene, drawing: Path) -> None:
    """The first thing to look at when something seems to be missing."""
    (first,) = scene.run(source(drawing)).sources
    add_line(drawing)

    (second,) = scene.run(source(drawing)).sources

    assert (first.before, first.after) == (0, first.inserted)
    assert (second.before, second.after) == (first.after, first.after + 1)
    assert first.remarks == second.remarks == ()


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (11, None),
        (9, None),
        (8, "2 of 10 objects (20 %) are no longer in the file; it has 8 now."),
        (0, "The file has no objects any more; it had 10."),
    ],
)
def test_a_file_that_lost_a_fifth_of_its_objects_is_reported(
    scene: Scene, kept: int, expected: str | None
) -> None:
    """An emptied file deletes everything; that is what happened, but somebody has to know."""
    table = scene.folder / "table.lines"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.EXTENSIONS, "LINES", {"lines"})
        patch.setitem(registry.READERS, "lines", "imodel_sources:LinesConnector")
        table.write_text("\n".join(map(str, range(10))))
        scene.run(source(table, as_type="LINES"))
        table.write_text("\n".join(map(str, range(kept))))

        (report,) = scene.run(source(table, as_type="LINES")).sources

    remark = "".join(report.remarks[:-1])
    assert remark.startswith(expected) if expected else remark == ""
    assert report.remarks[-1] == f"{kept} lines read."


def test_an_emptied_drawing_is_reported_though_its_definitions_remain(
    scene: Scene, tmp_path: Path
) -> None:
    """Layers, line types and text styles outnumber what is drawn in many a drawing."""
    file = tmp_path / "plan.dxf"
    drawing = ezdxf.filemanagement.new(setup=True)
    lines = [drawing.modelspace().add_line((x, 0), (x, 1)) for x in range(3)]
    drawing.saveas(file)
    scene.run(source(file))
    for line in lines:
        drawing.modelspace().delete_entity(line)
    drawing.saveas(file)

    (report,) = scene.run(source(file)).sources

    assert report.deleted == 3 < report.before / 5
    assert report.remarks[0].startswith("The file has no objects any more; it had 3.")


def test_the_same_bytes_are_skipped_and_give_no_changeset(scene: Scene, drawing: Path) -> None:
    """Unchanged sources must cost one hash: no parsing, no changeset."""
    first = scene.run(source(drawing))

    second = scene.run(source(drawing))

    assert second == JobReport((SourceReport("id of plan.dxf", "Skipped"),))
    assert last_changeset(scene.imodel) == changeset(first).id


def test_other_bytes_with_equal_content_give_no_changeset(scene: Scene, steel: Path) -> None:
    """An export with nothing new must not look like an edit, and is skipped the next time."""
    scene.run(source(steel))
    renumbered(steel, steel)

    again = scene.run(source(steel))

    assert counts(again) == (0, 0, 0)
    assert again.changesets == ()
    assert scene.run(source(steel)).sources[0].result == "Skipped"


def test_an_edit_is_counted_in_elements(scene: Scene, steel: Path) -> None:
    """A person who edits one wall reads "1 updated", however many rows that took."""
    scene.run(source(steel))
    buildings.edit_steel(steel, steel)

    report = scene.run(source(steel))

    assert counts(report) == (1, 2, 1)
    written = changeset(report)
    assert (written.inserted, written.updated, written.deleted) == (1, 2, 1)


def test_an_element_deleted_in_the_source_is_deleted_in_the_imodel(
    scene: Scene, drawing: Path
) -> None:
    """Deleting in the drawing must delete in the iModel, and nothing else."""
    scene.run(source(drawing))
    before = {identifier for _, identifier, _ in content(scene.imodel)}
    edited = ezdxf.filemanagement.readfile(drawing)
    circle = next(each for each in edited.modelspace() if each.dxftype() == "CIRCLE")
    handle = str(circle.dxf.handle)
    edited.modelspace().delete_entity(circle)
    edited.saveas(drawing)

    report = scene.run(source(drawing))

    assert counts(report) == (0, 0, 1)
    assert {identifier for _, identifier, _ in content(scene.imodel)} == before - {handle}


def test_an_updated_element_keeps_its_id(scene: Scene, drawing: Path) -> None:
    """Whatever hangs on an element (an issue, a saved view) must survive its edits."""
    scene.run(source(drawing))
    edited = ezdxf.filemanagement.readfile(drawing)
    (text,) = edited.modelspace().query("TEXT")
    before = scene.element(str(text.dxf.handle))
    text.dxf.text = "Archive"
    edited.saveas(drawing)

    scene.run(source(drawing))

    after = scene.element(str(text.dxf.handle))
    assert (before["UserLabel"], after["UserLabel"]) == ("Office", "Archive")
    assert after["Id"] == before["Id"]


def test_the_id_of_a_deleted_element_is_never_used_again(scene: Scene, drawing: Path) -> None:
    """A link to a deleted element must lead nowhere rather than to another element."""
    scene.run(source(drawing))
    used = {row[0] for row in scene.rows("SELECT Id FROM bis_Element")}
    scene.run(source(drawing, action="unmap"))

    scene.run(source(drawing))

    assert used.isdisjoint({row[0] for row in scene.rows("SELECT Id FROM bis_Element")})


def test_unmapping_removes_one_source_and_leaves_the_other(
    scene: Scene, drawing: Path, steel: Path
) -> None:
    """Taking one file out of a connection must not touch its neighbours."""
    scene.run(source(drawing), source(steel))
    kept = [row for row in content(scene.imodel) if row[0] == "id of steel.ifc"]
    drawing.unlink()

    report = scene.run(source(drawing, action="unmap"))

    assert counts(report)[:2] == (0, 0)
    assert report.sources[0].deleted > 0
    assert list(content(scene.imodel)) == kept
    assert [row[0] for row in sources(scene.imodel)] == ["id of steel.ifc"]
    assert scene.rows("SELECT count(*) FROM bis_Element") == [(len(kept),)]


def test_unmapping_what_was_never_mapped_changes_nothing(scene: Scene, drawing: Path) -> None:
    """A repeated request is not an error."""
    report = scene.run(source(drawing, action="unmap"))

    assert counts(report) == (0, 0, 0)
    assert report.changesets == ()


def test_two_sources_with_the_same_identifiers_stay_apart(scene: Scene, drawing: Path) -> None:
    """Handles repeat from drawing to drawing; a copy must not overwrite the original."""
    copy = drawing.with_name("copy.dxf")
    copy.write_bytes(drawing.read_bytes())

    report = scene.run(source(drawing), source(copy))

    first, second = report.sources
    assert first.inserted == second.inserted > 0
    assert len(list(content(scene.imodel))) == first.inserted * 2


def test_elements_with_the_same_identifier_are_all_kept(scene: Scene, steel: Path) -> None:
    """Copied objects with one GlobalId are common in practice; both must be inserted, and stay."""
    model = ifcopenshell.open(steel)
    beams = model.by_type("IfcBeam")
    beams[1].GlobalId = beams[0].GlobalId
    model.write(steel)

    report = scene.run(source(steel))
    renumbered(steel, steel)

    assert len(scene.rows("SELECT 1 FROM bis_Element WHERE UserLabel LIKE 'Beam B-%'")) == 12
    assert counts(report)[0] == len(list(content(scene.imodel)))


def test_a_renamed_source_is_renamed_without_changing_elements(scene: Scene, drawing: Path) -> None:
    """The iModel must show the new name of the file."""
    scene.run(source(drawing))

    report = scene.run(source(drawing, name="ground floor.dxf"))

    assert counts(report) == (0, 0, 0)
    assert changeset(report).containing_changes == Changes.GLOBAL_PROPERTIES
    assert [row[1] for row in sources(scene.imodel)] == ["ground floor.dxf"]


def test_a_changeset_says_what_kinds_of_content_it_touches(scene: Scene, drawing: Path) -> None:
    """Consumers decide by these flags whether a changeset concerns them."""
    first = changeset(scene.run(source(drawing)))
    add_line(drawing)
    second = changeset(scene.run(source(drawing)))
    edited = ezdxf.filemanagement.readfile(drawing)
    edited.layers.get("WALLS").dxf.color = 3
    edited.saveas(drawing)
    third = changeset(scene.run(source(drawing)))

    assert Changes(first.containing_changes) == (
        Changes.SCHEMA
        | Changes.DEFINITION
        | Changes.SPATIAL_DATA
        | Changes.VIEWS_AND_MODELS
        | Changes.GLOBAL_PROPERTIES
    )
    assert second.containing_changes == Changes.SPATIAL_DATA
    assert third.containing_changes == Changes.DEFINITION


BROKEN = {
    "empty": (b"", "FileEmpty"),
    "cut off": (b"  0\nSECTION\n  2\nHEADER\n", "FileIncomplete"),
    "noise": (bytes(range(256)) * 4 + b"\n0\nEOF\n", "FileUnreadable"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_one_bad_file_never_stops_the_others(
    scene: Scene, drawing: Path, steel: Path, kind: str
) -> None:
    """An office always has one broken file; its other files must still be synchronized."""
    data, code = BROKEN[kind]
    bad = scene.folder / "bad.dxf"
    bad.write_bytes(data)

    report = scene.run(source(drawing), source(bad), source(steel))

    assert [each.result for each in report.sources] == ["Success", "Error", "Success"]
    error = report.sources[1].error
    assert error is not None
    assert (error.code, error.category, error.can_user_fix) == (code, "source_file", True)
    assert {row[0] for row in content(scene.imodel)} == {"id of plan.dxf", "id of steel.ifc"}


def test_a_source_that_is_gone_is_reported_like_a_broken_one(scene: Scene, drawing: Path) -> None:
    """A missing file is that file's trouble, not the run's."""
    report = scene.run(source(scene.folder / "gone.dxf"), source(drawing))

    assert [each.result for each in report.sources] == ["Error", "Success"]
    error = report.sources[0].error
    assert error is not None
    assert error.code == "FileNotAvailable"
    assert "not in Storage any more" in error.message
    assert "save it again" not in error.description, "the file's author can do nothing about it"


def test_a_broken_save_leaves_what_the_imodel_holds(scene: Scene, steel: Path) -> None:
    """A half-copied file opens with fewer elements; synchronizing it would be a mass deletion."""
    scene.run(source(steel))
    before = tables(scene.imodel)
    data = steel.read_bytes()
    steel.write_bytes(data[: len(data) * 2 // 3])

    report = scene.run(source(steel))

    assert report.sources[0].result == "Error"
    assert report.changesets == ()
    assert tables(scene.imodel) == before


def test_a_file_that_breaks_off_leaves_nothing_of_what_was_read(
    scene: Scene, drawing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither elements nor relationships nor classes, and the next file has its own changeset."""
    monkeypatch.setitem(registry.EXTENSIONS, "FAILING", {"failing"})
    monkeypatch.setitem(registry.READERS, "failing", "imodel_sources:FailingConnector")
    bad = scene.folder / "bad.failing"
    bad.write_bytes(b"content")

    report = scene.run(source(bad, as_type="FAILING"), source(drawing))

    assert [each.result for each in report.sources] == ["Error", "Success"]
    assert changeset(report).source_id == "id of plan.dxf"
    assert scene.rows("SELECT count(*) FROM ec_Class WHERE Name LIKE 'Test:%'") == [(0,)]
    assert scene.rows("SELECT count(*) FROM bis_ElementRefersToElements") == [(0,)]
    assert replayed(scene.folder / "copy.bim", scene.changesets) == tables(scene.imodel)


def test_a_repaired_file_is_synchronized_after_an_error(scene: Scene, drawing: Path) -> None:
    """An error must not be remembered as the content it failed on."""
    whole = drawing.read_bytes()
    drawing.write_bytes(whole[:-200])
    scene.run(source(drawing))
    drawing.write_bytes(whole)

    report = scene.run(source(drawing))

    assert report.sources[0].result == "Success"
    assert report.sources[0].inserted > 0


def test_text_in_a_wrong_code_page_is_kept_with_replacements(scene: Scene, drawing: Path) -> None:
    """Old drawings often declare one code page and use another; their content is still wanted."""
    text = drawing.read_bytes().replace(b"Office", b"B\xfcro").replace(b"NOTES", b"N\xd6TES")
    drawing.write_bytes(text)

    report = scene.run(source(drawing))

    assert counts(report)[0] > 0
    assert scene.rows(
        "SELECT Text.UserLabel, Layer.UserLabel FROM bis_Element AS Text"
        " JOIN bis_Element AS Layer ON Layer.Id = Text.CategoryId WHERE Text.UserLabel LIKE '%ro'"
    ) == [("B?ro", "N?TES")]


def test_every_parent_and_category_exists(scene: Scene, steel: Path, drawing: Path) -> None:
    """A dangling reference would break every viewer of the iModel."""
    scene.run(source(steel), source(drawing))
    buildings.edit_steel(steel, steel)
    scene.run(source(steel))

    for column in ("ParentId", "CategoryId", "TypeDefinitionId"):
        dangling = scene.rows(
            f"SELECT Id FROM bis_Element WHERE {column} NOT IN (SELECT Id FROM bis_Element)"  # noqa: S608
        )
        assert dangling == []


def test_a_job_can_run_in_its_own_process(scene: Scene, drawing: Path) -> None:
    """A reader that crashes must not take the server with it; errors must cross the border."""
    scene.run(source(drawing))
    unreadable = SourceOrder("r", "house.skp", scene.folder / "r", "MSTN")
    order = scene.order(source(drawing, action="unmap"), unreadable)
    assert order_from_json(order_to_json(order)) == order

    worker = WorkerProcess("localtwin.world.synchronization.worker.job")

    order = replace(order, at_work=scene.folder / "at-work")
    answer = worker.run(WorkerOrder("run", last_changeset(scene.imodel), order), limit_s=60)

    worker.stop()
    report = answer.report
    assert report == last_report(scene.imodel)
    written = order.changesets / changeset(report).id
    assert changeset(report).size_bytes == written.stat().st_size
    assert [each.error and each.error.code for each in report.sources] == [
        None,
        "ConnectorUnavailable",
    ]


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (SourceReport("s", "Success", 1, 2, 3), "1 inserted, 2 updated, 3 deleted"),
        (
            SourceReport("s", "Success", relationships_deleted=1),
            "0 inserted, 0 updated, 0 deleted; relationships: 0 inserted, 0 updated, 1 deleted",
        ),
        (
            SourceReport("s", "Success", 1, remarks=("Half of it is gone.", "4 lines read.")),
            "1 inserted, 0 updated, 0 deleted. Half of it is gone. 4 lines read.",
        ),
    ],
)
def test_a_tasks_report_has_the_counts_and_the_remarks(report: SourceReport, expected: str) -> None:
    """The remarks of the connector have to reach the user."""
    assert report_text(report) == expected


def test_a_report_is_the_same_after_json(scene: Scene, drawing: Path) -> None:
    """It is written as JSON, into the iModel and to the server."""
    bad = scene.folder / "bad.dxf"
    bad.write_bytes(b"")
    report = scene.run(source(drawing), source(bad))

    assert report_from_json(report_to_json(report)) == report


def test_a_picture_of_each_changeset_lies_beside_it(scene: Scene, drawing: Path) -> None:
    """The server shows it without opening the iModel."""
    scene.run(source(drawing))
    add_line(drawing)
    scene.run(source(drawing))

    first, second = (picture_of(file).read_text("utf-8") for file in scene.changesets)

    assert INSERTED in first
    assert UNCHANGED not in first
    assert "1 inserted" in second
    assert UNCHANGED in second


def test_a_picture_that_fails_does_not_undo_the_run(
    scene: Scene, drawing: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A drawing is a convenience, the changeset is the work."""

    def broken(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(job, "svg", broken)

    report = scene.run(source(drawing))

    assert changeset(report).inserted > 0
    assert not picture_of(scene.changesets[0]).exists()
    assert "changeset.not_drawn" in caplog.text
