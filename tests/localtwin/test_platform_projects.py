"""iTwins, iModels and named versions: lists, filters, pages, and what an update changes."""

from __future__ import annotations

import pytest
from platform_scene import Clock, Platform, error_of, expect

pytest_plugins = ["platform_fixtures"]


def built(platform: Platform) -> str:
    """Return a new iModel with three changesets."""
    imodel = platform.new_imodel()
    file = platform.upload("a.ifc", b"a")
    connection = platform.connect(imodel, file)
    for content in (b"a", b"b", b"c"):
        platform.replace(file, content)
        platform.run(connection)
    return imodel


@pytest.fixture
def bridge(platform: Platform) -> str:
    """An iModel with three changesets."""
    return built(platform)


@pytest.fixture(scope="module")
def named(office: Platform) -> str:
    """An iModel whose three changesets were named out of their order."""
    office.settle_in()
    imodel = built(office)
    assert isinstance(office.world.clock, Clock)
    for index, name in ((2, "Two"), (1, "One"), (3, "Three")):
        office.world.clock.advance(seconds=1)
        name_changeset(office, imodel, index, name)
    return imodel


def name_changeset(platform: Platform, imodel: str, index: int, name: str) -> str:
    changeset = expect(platform.get(f"/imodels/{imodel}/changesets/{index}"), 200)["changeset"]
    body = {"name": name, "changesetId": changeset["id"], "description": f"The {name}"}
    made = platform.post(f"/imodels/{imodel}/namedversions", json=body)
    return str(expect(made, 201)["namedVersion"]["id"])


def names(platform: Platform, imodel: str, query: str = "") -> list[str]:
    listed = expect(platform.get(f"/imodels/{imodel}/namedversions{query}"), 200)
    return [each["name"] for each in listed["namedVersions"]]


def test_a_named_version_names_its_changeset(platform: Platform, bridge: str) -> None:
    """What was handed over is named, so that it can be found again by people and programs."""
    version = name_changeset(platform, bridge, 2, "Tender")

    got = platform.get(f"/imodels/{bridge}/namedversions/{version}")
    found = expect(got, 200)["namedVersion"]
    changeset = expect(platform.get(f"/imodels/{bridge}/changesets/2"), 200)["changeset"]

    assert (found["name"], found["displayName"]) == ("Tender", "Tender")
    assert (found["changesetIndex"], found["changesetId"]) == (2, changeset["id"])
    assert (found["description"], found["state"]) == ("The Tender", "visible")
    assert found["_links"]["changeset"]["href"] == changeset["_links"]["self"]["href"]
    assert changeset["_links"]["namedVersion"]["href"].endswith(f"/namedversions/{version}")


def test_a_named_version_without_a_changeset_is_of_the_empty_imodel(platform: Platform) -> None:
    """The first thing many clients make, before there is any content."""
    imodel = platform.new_imodel()

    made = platform.post(f"/imodels/{imodel}/namedversions", json={"name": "Start"})

    version = expect(made, 201)["namedVersion"]
    assert (version["changesetIndex"], version["changesetId"]) == (0, None)
    assert version["_links"]["changeset"] is None


def test_named_versions_are_hidden_and_renamed_but_stay_where_they_are(
    platform: Platform, bridge: str
) -> None:
    """What was not given is left as it was."""
    version = f"/imodels/{bridge}/namedversions/{name_changeset(platform, bridge, 1, 'One')}"

    hidden = expect(platform.patch(version, json={"state": "hidden"}), 200)["namedVersion"]
    renamed = expect(platform.patch(version, json={"name": "First"}), 200)["namedVersion"]
    same = expect(platform.patch(version, json={"name": "First"}), 200)["namedVersion"]

    assert (hidden["state"], hidden["name"]) == ("hidden", "One")
    assert renamed == hidden | {"name": "First", "displayName": "First"}
    assert same == renamed


def test_named_versions_are_listed_newest_first_and_page_by_page(
    platform: Platform, bridge: str
) -> None:
    """The links of a page lead to the next one without gap or double."""
    for index, name in enumerate(("One", "Two", "Three"), 1):
        name_changeset(platform, bridge, index, name)
    first = expect(platform.get(f"/imodels/{bridge}/namedversions?$top=2"), 200)

    second = expect(platform.get(first["_links"]["next"]["href"]), 200)
    back = expect(platform.get(second["_links"]["prev"]["href"]), 200)

    assert [each["name"] for each in first["namedVersions"]] == ["Three", "Two"]
    assert [each["name"] for each in second["namedVersions"]] == ["One"]
    assert (second["_links"]["next"], first["_links"]["prev"]) == (None, None)
    assert back == first


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?name=Two", ["Two"]),
        ("?$search=the%20t", ["Three", "Two"]),
        ("?$search=%25", []),
        ("?$orderBy=changesetIndex", ["One", "Two", "Three"]),
        ("?$orderBy=changesetIndex%20desc", ["Three", "Two", "One"]),
        ("?$orderBy=createdDateTime%20asc", ["Two", "One", "Three"]),
        ("?$orderby=createdDateTime%20desc", ["Three", "One", "Two"]),
        ("?$continuationToken=2", ["One"]),
    ],
)
def test_named_versions_are_found_by_what_clients_ask(
    platform: Platform, named: str, query: str, found: list[str]
) -> None:
    """A filter that is silently ignored hands a client the wrong version."""
    assert names(platform, named, query) == found


def test_the_minimum_of_a_named_version_leaves_out_the_rest(
    platform: Platform, bridge: str
) -> None:
    """Prefer decides, as in every list of the API."""
    name_changeset(platform, bridge, 1, "One")
    path = f"/imodels/{bridge}/namedversions"
    headers = {"Prefer": "return=representation"}

    (minimal,) = expect(platform.get(path), 200)["namedVersions"]
    (whole,) = expect(platform.get(path, headers=headers), 200)["namedVersions"]

    more = {"description", "createdDateTime", "state", "application"}
    assert whole.keys() - minimal.keys() == more
    assert {key: whole[key] for key in minimal} == minimal


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Arch", "Bridge", "Tunnel"]),
        ("&$orderBy=name%20desc", ["Tunnel", "Bridge", "Arch"]),
        ("&$orderBy=createdDateTime", ["Tunnel", "Arch", "Bridge"]),
        ("&$orderBy=createdDateTime%20desc", ["Bridge", "Arch", "Tunnel"]),
        ("&name=Arch", ["Arch"]),
        ("&name=arch", []),
        ("&$search=R", ["Arch", "Bridge"]),
        ("&state=initialized", ["Arch", "Bridge", "Tunnel"]),
        ("&state=notInitialized", []),
        ("&$top=1&$skip=1", ["Bridge"]),
        ("&$top=1&$continuationToken=2", ["Tunnel"]),
    ],
)
def test_imodels_are_found_by_what_clients_ask(
    platform: Platform, clock: Clock, query: str, found: list[str]
) -> None:
    """Looking for a name before creating it is what every client does first."""
    for name in ("Tunnel", "Arch", "Bridge"):
        clock.advance(seconds=1)
        platform.new_imodel(name)

    listed = platform.get(f"/imodels?iTwinId={platform.itwin_id}{query}")

    assert [each["displayName"] for each in expect(listed, 200)["iModels"]] == found


def test_an_imodel_is_there_at_once(platform: Platform) -> None:
    """Clients that name a way of creation poll until it has come to an end."""
    body = {"iTwinId": platform.itwin_id, "name": "Bridge", "creationMode": "empty"}
    imodel = expect(platform.post("/imodels", json=body), 201)["iModel"]

    polled = platform.get(f"/imodels/{imodel['id']}/operations/create")

    assert imodel["state"] == "initialized"
    assert expect(polled, 200) == {"createOperation": {"state": "successful"}}


def test_an_imodel_keeps_what_an_update_leaves_out(platform: Platform) -> None:
    """And the list of changesets that hangs on it."""
    imodel = platform.new_imodel("Bridge")
    extent = {
        "southWest": {"latitude": 46.1, "longitude": 7.6},
        "northEast": {"latitude": 46.4, "longitude": 7.9},
    }

    changed = platform.patch(f"/imodels/{imodel}", json={"extent": extent})
    named = platform.patch(f"/imodels/{imodel}", json={"name": "Arch", "description": "Stone"})

    assert expect(changed, 200)["iModel"]["extent"] == extent
    found = expect(named, 200)["iModel"]
    assert (found["name"], found["displayName"], found["extent"]) == ("Arch", "Arch", extent)


@pytest.fixture
def portfolio(platform: Platform) -> dict[str, str]:
    """Three iTwins of different kinds, by name; names and numbers are this test's own."""
    own = platform.itwin_id[:8]
    made = {}
    for name, more in (
        ("Road", {"subClass": "Program", "type": "Highway"}),
        ("Bridge", {"subClass": "Project", "type": "Crossing"}),
        ("Ferry", {"subClass": "Project", "status": "Inactive"}),
    ):
        body = {"displayName": f"{name} {own}", "number": f"{name}-{own}", "class": "Endeavor"}
        made[name] = expect(platform.post("/itwins", json=body | more), 201)["iTwin"]["id"]
    return made | {"own": own}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Road", "Bridge"]),
        ("&subClass=Project", ["Bridge"]),
        ("&subClass=Program", ["Road"]),
        ("&type=Highway", ["Road"]),
        ("&status=Inactive", ["Ferry"]),
        ("&includeInactive=true", ["Road", "Bridge", "Ferry"]),
        ("&displayName=Road {own}", ["Road"]),
        ("&number=Bridge-{own}", ["Bridge"]),
        ("&parentId=5fb9aa98-9874-4697-b942-d19728840f19", []),
    ],
)
def test_itwins_are_found_by_what_clients_ask(
    platform: Platform, portfolio: dict[str, str], query: str, found: list[str]
) -> None:
    """The official client always asks for one kind of iTwin."""
    own = portfolio["own"]

    listed = platform.get(f"/itwins?$search=-{own}{query.format(own=own)}")

    ids = [each["id"] for each in expect(listed, 200)["iTwins"]]
    assert ids == [portfolio[name] for name in found]


def test_an_itwin_keeps_what_an_update_leaves_out(platform: Platform) -> None:
    """The rest belongs to whoever set it."""
    body = {"displayName": "Bridge", "ianaTimeZone": "Europe/Zurich", "latitude": 46.2}
    itwin = expect(platform.post("/itwins", json=body), 201)["iTwin"]

    changed = platform.patch(f"/itwins/{itwin['id']}", json={"displayName": "Arch"})

    assert expect(changed, 200)["iTwin"] == itwin | {"displayName": "Arch"}


def test_a_changed_itwin_shows_when_it_was_changed(platform: Platform, clock: Clock) -> None:
    """Clients sort by this date; one that never moves hides every change."""
    created = expect(platform.post("/itwins", json={"displayName": "Bridge"}), 201)["iTwin"]
    clock.advance(minutes=5)

    changed = platform.patch(f"/itwins/{created['id']}", json={"displayName": "Arch"})

    before, after = created["lastModifiedDateTime"], expect(changed, 200)["iTwin"]
    assert before == created["createdDateTime"] == after["createdDateTime"]
    assert after["lastModifiedDateTime"] > before


def test_an_itwin_can_be_given_another_number(platform: Platform) -> None:
    """The number is a property like the others, but unique."""
    first, second = (
        expect(platform.post("/itwins", json={"displayName": name}), 201)["iTwin"]["id"]
        for name in ("Bridge", "Tunnel")
    )
    number = f"No. {first}"

    changed = platform.patch(f"/itwins/{first}", json={"number": number})
    taken = platform.patch(f"/itwins/{second}", json={"number": number})

    assert expect(changed, 200)["iTwin"]["number"] == number
    assert error_of(taken)[:2] == (409, "iTwinExists")
