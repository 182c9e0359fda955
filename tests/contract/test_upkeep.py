# mypy: disable-error-code="arg-type,list-item"
# Keys, ids and digests are written as plain text here.
"""What is kept up of a connection in the service, and what a failed run leaves behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from contract_office import Office
from test_main_path import drawing

from twinsyncd.cloud.client import Platform
from twinsyncd.cloud.connection_list import ListedConnection, list_connections, warnings
from twinsyncd.cloud.report_reader import ReportReader
from twinsyncd.cloud.values import Run, Task
from twinsyncd.core.results import Outcome
from twinsyncd.errors import CloudError
from twinsyncd.targets.run_reports import KEPT_MAX, RunReports, reasons_in

NOBODYS_ID = "MWplZe9Uf0iR1IDMqyOMLqBN0_wHEVBGg_CzJmXdmE4"


def renewed(office: Office, **changes: object) -> Office:
    """Return the same connection after a restart, with other settings."""
    return replace(office, **changes)


def test_a_connection_that_was_renamed_in_the_portal_gets_its_name_back(office: Office) -> None:
    """It is found by its name after the journal is lost."""
    platform = office.cloud.platform
    office.store("a.dxf", drawing(1))
    office.prepare()
    platform.update_connection(office.remote_id, name="Somebody else's")

    office.prepare()

    assert platform.connection(office.remote_id).name == office.name


def test_a_connection_adopted_by_its_id_keeps_its_name(office: Office) -> None:
    """Other programs find it by that name."""
    platform = office.cloud.platform
    office.store("a.dxf", drawing(1))
    office.prepare()
    platform.update_connection(office.remote_id, name="Default iTwinCLI Connection")
    adopting = renewed(office, connection_id=office.remote_id, remote_id="")

    adopting.prepare()

    found = platform.connection(office.remote_id)
    assert (found.id, found.name) == (adopting.remote_id, "Default iTwinCLI Connection")


def test_runs_act_for_whom_the_configuration_says(office: Office) -> None:
    """Who changes from a person to a service must not be asked to agree every month."""
    platform = office.cloud.platform
    office.store("a.dxf", drawing(1))
    office.prepare()
    platform.update_connection(office.remote_id, authentication="User")

    office.prepare()

    assert platform.connection(office.remote_id).authentication == "Service"


def test_run_settings_are_set_once_and_others_stay(office: Office) -> None:
    """They are the platform's own; a person may have set others in the portal."""
    platform = office.cloud.platform
    office.store("a.dxf", drawing(1))
    wishing = renewed(office, run_settings={"ignoreDgnAttachments": True})
    wishing.prepare()
    platform.set_run_settings(wishing.remote_id, {"enableSheetsAndDrawings": True}, first=False)
    changed = renewed(wishing, run_settings={"ignoreDgnAttachments": False})

    changed.prepare()
    changed.prepare()

    assert platform.run_settings(wishing.remote_id) == {
        "ignoreDgnAttachments": False,
        "enableSheetsAndDrawings": True,
    }


def test_a_connection_without_run_settings_has_none(office: Office) -> None:
    """Nothing is asked or set for those who configure nothing."""
    office.store("a.dxf", drawing(1))
    office.prepare()

    assert office.cloud.platform.run_settings(office.remote_id) is None


def test_a_failed_file_brings_its_report_and_the_reasons_in_it(
    office: Office, tmp_path: Path
) -> None:
    """The portal shows it for a while only; the history keeps where it is."""
    reporting = renewed(office, reports_folder=tmp_path / "reports")
    reporting.store("a.dxf", b"this is no drawing")
    reporting.store("b.dxf", drawing(2))

    seen = reporting.run()

    failed = [each for each in seen.files if each.outcome is Outcome.FAILED]
    (file,) = (tmp_path / "reports").iterdir()
    report = json.loads(file.read_bytes())
    assert [str(file) in each.message for each in failed] == [True]
    stated = report["filerecords"][0]["auditrecords"][0]["auditinfo"]["message"]
    assert failed[0].message.count(stated) == 1
    assert "sig=" not in failed[0].message
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_run_that_fails_before_it_has_tasks_brings_its_report(
    office: Office, raw: httpx.Client, tmp_path: Path
) -> None:
    """No file has any words then, and the portal forgets the report."""
    reporting = renewed(office, reports_folder=tmp_path / "reports")
    reporting.store("b.dxf", drawing(2))
    assert raw.post("/localtwin/faults", json={"fault": "failed-run x1"}).status_code == 201

    seen = reporting.run()

    (file,) = (tmp_path / "reports").iterdir()
    assert (seen.outcome, seen.files) == (Outcome.FAILED, ())
    assert seen.message == (
        f"the run failed: failed-run is switched on. Switch it off.; report: {file}"
    )
    assert b"failed-run is switched on." in file.read_bytes()


def test_only_reports_of_what_failed_are_fetched(tmp_path: Path) -> None:
    """A run has one for each of its files; those of good ones explain nothing."""
    fetched: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/synchronization/reports":
            links = [
                {"taskId": task, "sasUri": f"https://store.example.net/{name}"}
                for task, name in (("t1", "good"), ("t2", "bad"), (None, "whole"))
            ]
            return httpx.Response(200, json={"reports": links})
        fetched.append(request.url.path)
        return httpx.Response(200, json={"filerecords": []})

    tasks = (Task("s1", "Completed", "Success", id="t1"), Task("s2", "Completed", "Error", id="t2"))
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        platform = Platform(http, api_url="https://api.example.com", sleep=lambda _: None)
        reports = RunReports(ReportReader(http), tmp_path)
        found = reports.reasons(
            platform, "m1", Run("r1", "Completed", "PartialSuccess", tasks=tasks)
        )

    assert fetched == ["/bad", "/whole"]
    assert set(found) == {"t2", ""}


def test_reports_do_not_fill_the_disk(office: Office, tmp_path: Path) -> None:
    """A file that fails for years leaves one report per run."""
    reports = tmp_path / "reports"
    reports.mkdir()
    for number in range(KEPT_MAX + 3):
        (reports / f"{number}.json").touch()
    reporting = renewed(office, reports_folder=reports)
    reporting.store("a.dxf", b"this is no drawing")

    reporting.run()

    assert len(list(reports.iterdir())) == KEPT_MAX


def test_a_run_without_a_failure_is_not_asked_for_reports(office: Office, tmp_path: Path) -> None:
    """Two calls per run would count against the rate limit for nothing."""
    reporting = renewed(office, reports_folder=tmp_path / "reports")
    reporting.store("b.dxf", drawing(2))

    assert reporting.run().outcome is Outcome.SUCCEEDED
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("url", ["http://storage.example/report", "ftp://x/y", "https://["])
def test_a_report_is_not_fetched_in_the_clear(office: Office, url: str) -> None:
    """What is wrong with a drawing is nobody else's business."""
    with pytest.raises(CloudError):
        office.cloud.reports.read(url)


def test_a_connection_that_does_not_exist_has_no_run_settings_to_set(office: Office) -> None:
    """The preview may also be switched off; that halts with its words."""
    platform = office.cloud.platform

    with pytest.raises(CloudError, match="does not exist"):
        platform.set_run_settings(NOBODYS_ID, {"ignoreDgnAttachments": True}, first=True)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (b"", []),
        (b"[]", []),
        (b'{"filerecords": 3, "sourceFilesInfo": {"Files": {}}}', []),
        (
            json.dumps(
                {
                    "sourceFilesInfo": {
                        "Files": [
                            {"fileName": "xref.dgn", "state": "Missing"},
                            {"fileName": "there.dgn", "state": "Available"},
                        ]
                    },
                    "filerecords": [
                        {
                            "auditrecords": [
                                {"auditinfo": {"level": level, "message": level}}
                                for level in ("Info", "Warning", "Fatal", "Error", "Critical")
                            ]
                        },
                        {"auditrecords": [{"auditinfo": None}, None]},
                    ],
                }
            ).encode(),
            ["the reference xref.dgn is missing", "Fatal", "Error", "1 more"],
        ),
    ],
)
def test_the_gravest_statements_of_a_report_are_read(report: bytes, expected: list[str]) -> None:
    """A missing reference is what a person can mend; warnings stay in the report."""
    assert reasons_in(report) == expected


def test_all_connections_are_listed_with_what_is_not_ours(office: Office) -> None:
    """Whoever adopts one needs its id, and whoever cleans up the names of strangers."""
    ours = office.store("a.dxf", drawing(1))
    office.store("b.dxf", drawing(2))
    office.run()
    cloud, imodel_id = office.cloud, office.imodel_id
    manifest = cloud.manifests.create_connection(
        name="By URL", imodel_id=imodel_id, authentication="Service", files=[("own-1", "DWG")]
    )

    listed = list(list_connections(cloud.platform, cloud.manifests, imodel_id, lambda _: {ours}))

    assert listed == [
        ListedConnection(office.remote_id, office.name, "storage", 2, ("b.dxf",)),
        ListedConnection(manifest.id, "By URL", "manifest", 1, ("own-1",)),
    ]
    assert list(warnings(listed)) == []


@pytest.mark.parametrize(
    ("connections", "files", "expected"),
    [(89, 2, 0), (90, 2, 1), (1, 224, 0), (1, 225, 1), (100, 3, 2)],
)
def test_limits_of_the_service_are_warned_about_in_time(
    connections: int, files: int, expected: int
) -> None:
    """The portal refuses more than 100 connections and 250 source files."""
    listed = [ListedConnection(str(each), "", "storage", files) for each in range(connections)]

    assert len(list(warnings(listed))) == expected
