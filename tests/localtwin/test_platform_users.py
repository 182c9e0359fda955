"""Users, members, permissions, favorites and the account: what links of other APIs lead to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from platform_scene import ORIGIN, Clock, Platform, error_of, expect
from refusal_scene import NOBODY

pytest_plugins = ["platform_fixtures"]

STORAGE = "/synchronization/imodels/storageconnections"


def followed(platform: Platform, link: dict[str, str]) -> Any:
    """Return what a link leads to."""
    return expect(platform.get(urlsplit(link["href"]).path), 200)


def as_person(platform: Platform) -> None:
    """Carry a token of the local user from now on."""
    token = platform.world.access.issue_to_user(
        "native-localtwin", scope="itwin-platform", issuer=ORIGIN
    )
    platform.headers["Authorization"] = f"Bearer {token}"


def test_the_caller_learns_who_it_is(platform: Platform) -> None:
    """The platform's command line begins with it."""
    service = expect(platform.get("/users/me"), 200)["user"]
    as_person(platform)
    person = expect(platform.get("/users/me"), 200)["user"]

    assert service["email"].endswith("@apps.imsoidc.bentley.com")
    assert (person["displayName"], person["givenName"]) == ("Local User", "Local")


def test_one_person_has_one_name(platform: Platform) -> None:
    """A list that shows an address here and a name there shows two people."""
    as_person(platform)
    file = platform.upload("a.ifc", b"wall")

    me = expect(platform.get("/users/me"), 200)["user"]
    info = expect(platform.get("/connect/userinfo"), 200)
    shown = expect(platform.get(f"/storage/files/{file}"), 200)["file"]

    assert {me["displayName"], info["name"], shown["lastModifiedByDisplayName"]} == {"Local User"}
    assert me["email"] == info["email"] == "local.user@localhost"


def test_users_are_found_by_id_and_by_name(platform: Platform) -> None:
    """Unknown ids are left out, as the rest of the list is still of use."""
    me = expect(platform.get("/users/me"), 200)["user"]

    by_id = platform.post("/users/getbyidlist", json=[me["id"], NOBODY])
    by_name = platform.get("/users", params={"$search": "LOCAL USER"})

    assert expect(by_id, 200)["users"] == [me]
    assert [user["displayName"] for user in expect(by_name, 200)["users"]] == ["Local User"]


def test_the_links_of_a_file_lead_to_its_people(platform: Platform) -> None:
    """Clients follow them to show who changed a file."""
    me = expect(platform.get("/users/me"), 200)["user"]
    file = platform.upload("a.ifc", b"wall")

    links = expect(platform.get(f"/storage/files/{file}"), 200)["file"]["_links"]

    for name in ("createdBy", "lastModifiedBy"):
        assert followed(platform, links[name])["member"]["id"] == me["id"]


def test_the_links_of_an_imodel_lead_to_its_creator(platform: Platform) -> None:
    """Statistics count what the user did in this iModel only."""
    me = expect(platform.get("/users/me"), 200)["user"]
    imodel = platform.new_imodel()
    platform.run(platform.connect(imodel, platform.upload("a.ifc", b"wall")))
    (changeset,) = platform.changesets(imodel)
    platform.post(f"/imodels/{imodel}/namedversions", json={"name": "Start"})

    found = expect(platform.get(f"/imodels/{imodel}"), 200)["iModel"]
    user = followed(platform, found["_links"]["creator"])["user"]

    assert followed(platform, changeset["_links"]["creator"])["user"] == user
    assert user["id"] == me["id"]
    assert user["displayName"] == user["email"] == me["email"]
    assert user["statistics"] == {
        "pushedChangesetsCount": 1,
        "lastChangesetPushDate": changeset["pushDateTime"],
        "createdVersionsCount": 1,
        "briefcasesCount": 0,
    }


def test_lists_of_people_come_in_pages(platform: Platform) -> None:
    """A client that asks for one at a time gets everybody once."""
    imodel = platform.new_imodel()
    for path, name in (
        (f"/imodels/{imodel}/users", "users"),
        (f"/accesscontrol/itwins/{platform.itwin_id}/members/users", "members"),
    ):
        whole = expect(platform.get(path), 200)[name]

        pages = [
            expect(platform.get(path, params={"$top": 1, "$skip": skip}), 200)
            for skip in range(len(whole))
        ]

        assert [page[name][0]["id"] for page in pages] == [each["id"] for each in whole]
        last = [page["_links"]["next"] is None for page in pages]
        assert last == [False] * (len(whole) - 1) + [True]


def test_the_caller_may_do_everything(platform: Platform) -> None:
    """Clients ask before they offer an action."""
    here = f"/accesscontrol/itwins/{platform.itwin_id}"

    mine = expect(platform.get(f"{here}/permissions"), 200)["permissions"]
    every = expect(platform.get("/accesscontrol/itwins/permissions"), 200)["permissions"]
    (role,) = expect(platform.get(f"{here}/roles"), 200)["roles"]
    imodel = expect(platform.get(f"/imodels/{platform.new_imodel()}/permissions"), 200)

    assert mine == every == role["permissions"]
    assert expect(platform.get(f"{here}/roles/{role['id']}"), 200)["role"] == role
    assert set(imodel["permissions"]) <= set(mine)
    assert {"storage_write", "imodels_write"} <= set(mine)
    assert expect(platform.get(f"{here}/groups"), 200) == {"groups": []}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/accesscontrol/itwins/{none}/members", "iTwinNotFound"),
        ("/accesscontrol/itwins/{none}/permissions", "iTwinNotFound"),
        ("/accesscontrol/itwins/{itwin}/members/{none}", "TeamMemberNotFound"),
        ("/accesscontrol/itwins/{itwin}/roles/{none}", "RoleNotFound"),
        ("/imodels/{none}/users", "iModelNotFound"),
        ("/imodels/{none}/permissions", "iModelNotFound"),
        ("/itwins/{none}/account", "iTwinNotFound"),
    ],
)
def test_nobody_and_nothing_is_not_found(platform: Platform, path: str, code: str) -> None:
    """Links of deleted things must not look alive."""
    answer = platform.get(path.format(none=NOBODY, itwin=platform.itwin_id))

    assert error_of(answer)[:2] == (404, code)


def test_favorites_are_each_users_own(platform: Platform, clock: Clock) -> None:
    """The word in the path is not an id, and a mark is not seen by others."""
    first = expect(platform.post("/itwins", json={"displayName": "A"}), 201)["iTwin"]["id"]
    for itwin in (platform.itwin_id, first, platform.itwin_id):
        clock.advance(seconds=1)
        assert platform.post(f"/itwins/favorites/{itwin}").status_code == 204
        assert platform.post(f"/itwins/recents/{itwin}").status_code == 204

    marked = [expect(platform.get(f"/itwins/{name}"), 200) for name in ("favorites", "recents")]
    platform.delete(f"/itwins/favorites/{platform.itwin_id}")
    left = expect(platform.get("/itwins/favorites"), 200)["iTwins"]
    as_person(platform)
    others = expect(platform.get("/itwins/favorites"), 200)["iTwins"]

    for found in marked:
        assert [each["id"] for each in found["iTwins"]][:2] == [platform.itwin_id, first]
    assert [each["id"] for each in left][:1] == [first]
    assert others == []
    assert expect(platform.get("/itwins/favorites?subClass=Program"), 200)["iTwins"] == []
    assert error_of(platform.post(f"/itwins/favorites/{NOBODY}"))[:2] == (404, "iTwinNotFound")


@pytest.mark.parametrize(("kind", "verb"), [("favorites", "PUT"), ("recents", "POST")])
def test_marked_imodels_are_listed_per_itwin(platform: Platform, kind: str, verb: str) -> None:
    """A viewer opens on them."""
    imodel, other = platform.new_imodel(), platform.new_imodel()
    added = platform.request(verb, f"/imodels/{kind}/{imodel}")
    platform.request(verb, f"/imodels/{kind}/{other}")
    removed = platform.delete(f"/imodels/{kind}/{other}")

    query = {"iTwinId": platform.itwin_id}
    listed = expect(platform.get(f"/imodels/{kind}", params=query), 200)["iModels"]

    assert (added.status_code, removed.status_code) == (204, 204)
    assert [each["id"] for each in listed] == [imodel]


def test_every_itwin_belongs_to_the_account(platform: Platform) -> None:
    """Clients read both ids from a new iTwin, and do not expect the account in their lists."""
    itwin = expect(platform.post("/itwins", json={"displayName": "A"}), 201)["iTwin"]
    account = expect(platform.get("/itwins/myprimaryaccount"), 200)["iTwin"]
    child = {"displayName": "B", "parentId": itwin["id"]}

    below = expect(platform.post("/itwins", json=child), 201)["iTwin"]
    of_account = platform.get("/itwins", params={"parentId": account["id"], "$top": 1000})
    accounts = expect(platform.get("/itwins?subClass=Account"), 200)["iTwins"]
    listed = expect(platform.get("/itwins?$top=1000"), 200)["iTwins"]

    assert itwin["parentId"] == itwin["iTwinAccountId"] == account["id"]
    assert (below["parentId"], below["iTwinAccountId"]) == (itwin["id"], account["id"])
    assert expect(platform.get(f"/itwins/{itwin['id']}/account"), 200)["iTwin"] == account
    ids = {each["id"] for each in expect(of_account, 200)["iTwins"]}
    assert (itwin["id"] in ids, below["id"] in ids) == (True, False)
    assert [each["id"] for each in accounts] == [account["id"]]
    assert account["id"] not in {each["id"] for each in listed}
    assert error_of(platform.delete(f"/itwins/{account['id']}"))[:2] == (
        403,
        "InsufficientPermissions",
    )


def test_a_parent_must_exist(platform: Platform) -> None:
    """A wrong id would make an iTwin that no list of its parent shows."""
    answer = platform.post("/itwins", json={"displayName": "A", "parentId": NOBODY})

    assert error_of(answer) == (422, "InvalidiTwinsRequest", {("InvalidValue", "parentId")})


def test_a_download_names_the_kind_of_its_storage(platform: Platform) -> None:
    """The official backend chooses its storage client by it."""
    imodel = platform.new_imodel()
    platform.run(platform.connect(imodel, platform.upload("a.ifc", b"wall")))

    (changeset,) = platform.changesets(imodel)

    assert changeset["_links"]["download"]["storageType"] == "azure"


def test_only_the_last_used_itwins_are_kept(platform: Platform, clock: Clock) -> None:
    """A list of everything is not a list of the recent."""
    itwins = [
        expect(platform.post("/itwins", json={"displayName": f"{number}"}), 201)["iTwin"]["id"]
        for number in range(27)
    ]
    for itwin in itwins:
        clock.advance(seconds=1)
        platform.post(f"/itwins/recents/{itwin}")

    listed = expect(platform.get("/itwins/recents"), 200)["iTwins"]

    assert [each["id"] for each in listed] == itwins[:1:-1]


def test_a_client_registered_later_is_a_user(platform: Platform) -> None:
    """Users are cached, as every listed file shows one."""
    access = platform.world.access
    before = expect(platform.get("/users", params={"$search": "later"}), 200)["users"]
    client_id, _ = access.register("Later")

    found = expect(platform.post("/users/getbyidlist", json=[access.user_id(client_id)]), 200)

    assert (before, [user["displayName"] for user in found["users"]]) == ([], ["Later"])
