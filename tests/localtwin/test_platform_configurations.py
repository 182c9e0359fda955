"""Configurations, diagnostic reports and authorization information."""

from __future__ import annotations

import httpx
from platform_scene import Platform, error_of, expect

pytest_plugins = ["platform_fixtures"]

CONFIGURATIONS = "/synchronization/configurations"


def test_the_most_specific_setting_holds(platform: Platform) -> None:
    """A connector reads the resolved settings, whoever of the three has set them."""
    imodel = platform.new_imodel()
    project = f"{CONFIGURATIONS}/itwins/{platform.itwin_id}"
    model = f"{CONFIGURATIONS}/imodels/{imodel}"
    expect(platform.post(project, json={"skipRvtReprojection": True}), 201)
    expect(platform.post(model, json={"clampZExtent": True}), 201)

    expect(platform.patch(model, json={"overrideRvtReprojectionDistance": 5}), 200)
    found = expect(platform.get(model), 200)["configuration"]

    assert found["settings"] == {"clampZExtent": True, "overrideRvtReprojectionDistance": 5}
    assert found["resolvedSettings"]["skipRvtReprojection"] is True
    assert found["resolvedSettings"]["uploadDgnRealityData"] is True


def test_a_configuration_that_is_wrong_or_missing_is_refused(platform: Platform) -> None:
    """A misspelt key that was accepted would silently change nothing."""
    path = f"{CONFIGURATIONS}/itwins/{platform.itwin_id}"

    wrong = platform.post(path, json={"clampZExtents": True})
    missing = [platform.get(path), platform.delete(path)]

    expected = (422, "InvalidConfigurationRequest", {("InvalidValue", "clampZExtents")})
    assert error_of(wrong) == expected
    assert [error_of(each)[:2] for each in missing] == [(404, "ConfigurationNotFound")] * 2


def test_a_run_names_the_settings_that_have_no_effect_here(platform: Platform) -> None:
    """They are accepted as on the platform, but a rehearsal must not look as if they worked."""
    imodel = platform.new_imodel()
    connection = platform.connect(imodel, platform.upload("a.ifc", b"wall"))
    settings = {"clampZExtent": True, "ignoreIfcGlobalIds": False}
    expect(platform.post(f"{CONFIGURATIONS}/imodels/{imodel}", json=settings), 201)

    (task,) = platform.run(connection)["jobs"][0]["tasks"]

    message = task["details"]["synchronizationReport"]["message"]
    assert message.endswith("Set, but without effect in localtwin: clampZExtent.")


def test_the_report_of_a_failed_file_names_the_issue(platform: Platform) -> None:
    """It is what the report viewer shows; its link works without a token."""
    imodel = platform.new_imodel()
    run = platform.run(platform.connect(imodel, platform.upload("a.ifc", b"bad")))
    query = {"imodelId": imodel, "runId": run["id"]}

    (answers,) = expect(platform.get("/synchronization/reports", params=query), 200)["reports"]
    request = httpx.Request("GET", answers["sasUri"])
    (record,) = expect(platform.send(request), 200)["filerecords"]

    assert record["auditrecords"][0]["auditinfo"]["issueid"] == "FileUnreadable"
