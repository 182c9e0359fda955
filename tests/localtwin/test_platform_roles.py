"""Roles: what the platform refuses to whom, in which words; an owner is refused nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from platform_scene import ORIGIN, Platform, error_of, expect, opened
from refusal_scene import MANIFEST, NOBODY, STORAGE, things_for

from localtwin.errors import SetupError

pytest_plugins = ["platform_fixtures"]

DENIED = (403, "InsufficientPermissions", set[Any]())


@cache
def outsider(platform: Platform) -> str:
    """Return a service that is no member of any iTwin; one for all tests."""
    access = platform.world.access
    client_id, _ = access.register("Member")
    platform.world.roles.exclude(access.user_id(client_id))
    return client_id


@contextmanager
def member(platform: Platform, *permissions: str, of: str = "") -> Iterator[str]:
    """Call as a service whose one role in the iTwin has these permissions; none: no member."""
    access, roles = platform.world.access, platform.world.roles
    client_id, itwin = outsider(platform), of or platform.itwin_id
    user_id, owner = access.user_id(client_id), platform.headers["Authorization"]
    given = [roles.create(itwin, "Member", "", permissions).id] if permissions else []
    roles.give(itwin, user_id, given)
    platform.headers["Authorization"] = f"Bearer {access.issue(client_id, issuer=ORIGIN)}"
    try:
        yield user_id
    finally:
        platform.headers["Authorization"] = owner


# What each permission lets a member do, and what those without it, and strangers, are answered.
OPERATIONS = [
    ("GET /storage?iTwinId={itwin}", None, "storage_read", 403),
    ("GET /storage/recyclebin?iTwinId={itwin}", None, "storage_read", 403),
    ("GET /storage/folders/{root}", None, "storage_read", 404),
    ("GET /storage/folders/{root}/list", None, "storage_read", 404),
    ("GET /storage/files/{file}", None, "storage_read", 404),
    ("GET /storage/files/{file}/download", None, "storage_read", 404),
    ("POST /storage/folders/{root}/folders", {"displayName": "x"}, "storage_write", 404),
    ("POST /storage/folders/{root}/files", {"displayName": "x.ifc"}, "storage_write", 404),
    ("POST /storage/files/{file}/updatecontent", None, "storage_write", 404),
    ("POST /storage/files/{file}/complete", None, "storage_write", 404),
    ("PATCH /storage/files/{other}", {"displayName": "y.ifc"}, "storage_write", 404),
    ("POST /storage/folders/{root}/lock", {"fileIds": ["{other}"]}, "storage_write", 404),
    ("GET /imodels/{imodel}", None, "imodels_webview", 403),
    ("GET /imodels/{imodel}/users", None, "imodels_webview", 403),
    ("GET /imodels/{imodel}/permissions", None, "imodels_webview", 403),
    ("GET /imodels/{imodel}/changesets", None, "imodels_read", 403),
    ("GET /imodels/{imodel}/namedversions", None, "imodels_read", 403),
    ("PATCH /imodels/{imodel}", {"description": "x"}, "imodels_manage", 403),
    ("POST /imodels", {"iTwinId": "{itwin}", "name": "New"}, "imodels_manage", 403),
    ("GET " + STORAGE + "?imodelId={imodel}", None, "imodels_read", 403),
    ("GET /synchronization/imodels/connections?imodelId={imodel}", None, "imodels_read", 403),
    ("GET " + STORAGE + "/{storage}", None, "imodels_read", 403),
    ("GET " + STORAGE + "/{storage}/sourcefiles", None, "imodels_read", 403),
    ("GET " + STORAGE + "/{storage}/runs", None, "imodels_read", 403),
    ("PUT " + STORAGE + "/{storage}", {"displayName": "x"}, "imodels_write", 404),
    ("POST " + STORAGE + "/{storage}/run", None, "imodels_write", 403),
    (
        "POST " + STORAGE + "/{storage}/sourcefiles",
        {"storageFileId": "{other}", "connectorType": "IFC"},
        "imodels_write",
        404,
    ),
    (
        "POST " + STORAGE,
        {
            "iModelId": "{imodel}",
            "sourceFiles": [{"storageFileId": "{spare}", "connectorType": "IFC"}],
        },
        "imodels_write",
        404,
    ),
    ("DELETE " + STORAGE + "/{storage}", None, "imodels_write", 404),
    ("GET " + MANIFEST + "/{manifest}", None, "imodels_read", 403),
    (
        "POST " + MANIFEST,
        {"iModelId": "{imodel}", "sourceFiles": [{"sourceFileId": "N"}]},
        "imodels_write",
        404,
    ),
    ("DELETE " + MANIFEST + "/{manifest}", None, "imodels_write", 404),
    (
        "POST /synchronization/configurations/imodels/{imodel}",
        {"clampZExtent": True},
        "imodels_manage",
        404,
    ),
    ("GET /itwins/{itwin}", None, "storage_read", 404),
    ("PATCH /itwins/{itwin}", {"displayName": "x"}, "itwins_modify", 404),
    ("GET /accesscontrol/itwins/{itwin}/members", None, "storage_read", 404),
    (
        "POST /accesscontrol/itwins/{itwin}/roles",
        {"displayName": "x"},
        "administration_manage_roles",
        404,
    ),
    ("DELETE /storage/files/{spare}", None, "storage_delete", 404),
]
_READING = {"storage": "storage_read", "imodels": "imodels_read", "synchronization": "imodels_read"}


def asked(platform: Platform, request: str, body: Any, things: dict[str, str]) -> Any:
    """Return the answer to a request whose {names} are filled in."""
    method, _, path = request.partition(" ")
    return platform.request(method, path.format_map(things), json=_filled(body, things))


def _filled(value: Any, things: dict[str, str]) -> Any:
    match value:
        case str():
            return value.format_map(things)
        case dict():
            return {name: _filled(inner, things) for name, inner in value.items()}
        case list():
            return [_filled(inner, things) for inner in value]
        case _:
            return value


@pytest.fixture(scope="module")
def things(office: Platform) -> dict[str, str]:
    """Return things that are there, made once."""
    office.settle_in()
    return things_for(office) | {"spare": office.upload("spare.ifc", b"spare")}


@pytest.mark.parametrize("operation", OPERATIONS, ids=[row[0] for row in OPERATIONS])
def test_an_operation_needs_its_permission(
    office: Platform, things: dict[str, str], operation: tuple[str, Any, str, int]
) -> None:
    """Who may see it hears that a permission is missing; a stranger learns no more than allowed."""
    request_, body, needed, hidden = operation
    itwin, api = things["itwin"], request_.partition("/")[2].partition("/")[0]
    reading = _READING.get(api.partition("?")[0], "storage_read")
    office.sign_in()

    with member(office):
        stranger = error_of(asked(office, request_, body, things))
    with member(office, reading, of=itwin):
        reader = asked(office, request_, body, things)
    with member(office, reading, needed, of=itwin):
        allowed = asked(office, request_, body, things)
    office.world.executor.drain()  # the connection of a run that goes on cannot be deleted

    assert stranger[0] == hidden
    assert stranger[1].endswith("NotFound" if hidden == 404 else "InsufficientPermissions")
    if needed not in {reading, "imodels_webview"}:
        assert error_of(reader) == DENIED
    assert allowed.status_code < 400, allowed.text


def test_lists_show_what_the_caller_may_see(platform: Platform) -> None:
    """A program that offers a choice must not offer what it can not open."""
    imodel, mine = platform.new_imodel(), platform.itwin_id
    query = {"iTwinId": mine}
    other = expect(platform.post("/itwins", json={"displayName": "B"}), 201)["iTwin"]["id"]

    with member(platform, "imodels_webview"):
        itwins = expect(platform.get("/itwins"), 200)["iTwins"]
        imodels = expect(platform.get("/imodels", params=query), 200)["iModels"]
        favorites = platform.put(f"/imodels/favorites/{imodel}")
    with member(platform, "storage_read"):
        hidden = expect(platform.get("/imodels", params=query), 200)["iModels"]
        mark = platform.put(f"/imodels/favorites/{imodel}")
    with member(platform):
        no_itwins = expect(platform.get("/itwins"), 200)["iTwins"]

    seen, seen_later = ({each["id"] for each in found} for found in (itwins, no_itwins))
    assert (mine in seen, other in seen, mine in seen_later) == (True, False, False)
    assert ([each["id"] for each in imodels], hidden) == ([imodel], [])
    assert (favorites.status_code, mark.status_code) == (204, 404)


def test_what_does_not_exist_is_not_found_for_a_member_too(platform: Platform) -> None:
    """A wrong id must not look like a missing role, or nobody would correct it."""
    with member(platform, "imodels_read", "storage_read"):
        answers = [
            platform.get(f"/imodels/{NOBODY}"),
            platform.get(f"{STORAGE}/{NOBODY}"),
            platform.get("/storage/files/none"),
            platform.get(f"/itwins/{NOBODY}"),
            platform.get("/storage", params={"iTwinId": "no-guid"}),
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 404, 422]


def test_a_role_is_made_given_changed_and_taken_over_http(platform: Platform) -> None:
    """An administrator does it in the portal; a rehearsal does it here."""
    here = f"/accesscontrol/itwins/{platform.itwin_id}"
    file = platform.upload("a.ifc", b"wall")
    client_id, _ = platform.world.access.register("Least")
    user_id = platform.world.access.user_id(client_id)
    made = platform.post(f"{here}/roles", json={"displayName": "Sync", "description": "Uploads"})
    role = expect(made, 201)["role"]
    wanted = {"permissions": ["storage_read"]}
    changed = expect(platform.patch(f"{here}/roles/{role['id']}", json=wanted), 200)["role"]
    address = f"{client_id}@apps.imsoidc.bentley.com"
    new = {"members": [{"email": address, "roleIds": [role["id"]]}]}
    added = expect(platform.post(f"{here}/members/users", json=new), 201)
    owner = platform.headers["Authorization"]
    member = f"Bearer {platform.world.access.issue(client_id, issuer=ORIGIN)}"

    platform.headers["Authorization"] = member
    mine = expect(platform.get(f"{here}/permissions"), 200)
    refused = platform.post(f"/storage/files/{file}/updatecontent")
    platform.headers["Authorization"] = owner
    wanted = {"permissions": ["storage_read", "storage_write"]}
    expect(platform.patch(f"{here}/roles/{role['id']}", json=wanted), 200)
    platform.headers["Authorization"] = member
    allowed = platform.post(f"/storage/files/{file}/updatecontent")
    platform.headers["Authorization"] = owner
    removed = platform.delete(f"{here}/members/users/{user_id}")
    gone = platform.get(f"{here}/members/{user_id}")
    platform.headers["Authorization"] = member
    hidden = platform.get(f"/storage/files/{file}")

    assert (role["permissions"], changed["permissions"]) == ([], ["storage_read"])
    assert [each["roles"] for each in added["members"]] == [[changed]]
    assert mine == {"permissions": ["storage_read"]}
    assert error_of(refused) == DENIED
    assert allowed.status_code == 202
    assert removed.status_code == 204
    assert error_of(gone)[:2] == (404, "TeamMemberNotFound")
    assert error_of(hidden)[:2] == (404, "FileNotFound")


def test_a_deleted_role_permits_nothing(platform: Platform) -> None:
    """Its members keep no permission that nobody can see any more."""
    with member(platform, "storage_read") as user_id:
        pass
    here = f"/accesscontrol/itwins/{platform.itwin_id}"
    _, role = expect(platform.get(f"{here}/roles"), 200)["roles"]
    before = platform.world.roles.permissions(user_id, platform.itwin_id)

    deleted = platform.delete(f"{here}/roles/{role['id']}")

    assert (set(before), deleted.status_code) == ({"storage_read"}, 204)
    assert platform.world.roles.permissions(user_id, platform.itwin_id) == frozenset()


def test_the_owners_role_stays(platform: Platform) -> None:
    """Without it nobody could give a role any more."""
    here = f"/accesscontrol/itwins/{platform.itwin_id}/roles"
    (owner,) = expect(platform.get(here), 200)["roles"]

    answers = [
        platform.patch(f"{here}/{owner['id']}", json={"permissions": []}),
        platform.delete(f"{here}/{owner['id']}"),
    ]

    assert [error_of(answer) for answer in answers] == [DENIED, DENIED]


def test_who_owns_every_itwin_keeps_doing_so(platform: Platform) -> None:
    """Other roles would be accepted and permit as much as before: nothing is said and not done."""
    here = f"/accesscontrol/itwins/{platform.itwin_id}"
    owner = expect(platform.get("/users/me"), 200)["user"]
    made = expect(platform.post(f"{here}/roles", json={"displayName": "Reader"}), 201)["role"]
    members = f"{here}/members/users"
    before = expect(platform.get(f"{members}/{owner['id']}"), 200)

    answers = [
        platform.patch(f"{members}/{owner['id']}", json={"roleIds": [made["id"]]}),
        platform.delete(f"{members}/{owner['id']}"),
        platform.post(
            members, json={"members": [{"email": owner["email"], "roleIds": [made["id"]]}]}
        ),
    ]

    assert [error_of(answer) for answer in answers] == [DENIED] * 3
    assert expect(platform.get(f"{members}/{owner['id']}"), 200) == before


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({"displayName": "x", "permissions": ["fly"]}, "permissions"),
        ({"description": "x"}, "displayName"),
    ],
)
def test_a_role_without_a_name_or_of_nothing_known_is_refused(
    platform: Platform, body: dict[str, Any], target: str
) -> None:
    """A permission that is misspelt would be one that nobody gets."""
    answer = platform.post(f"/accesscontrol/itwins/{platform.itwin_id}/roles", json=body)

    assert error_of(answer)[0] == 422
    assert {name for _, name in error_of(answer)[2]} == {target}


def test_nobody_is_invited(platform: Platform) -> None:
    """Nothing is accepted and not done: there is no post here."""
    here = f"/accesscontrol/itwins/{platform.itwin_id}"
    (owner,) = expect(platform.get(f"{here}/roles"), 200)["roles"]
    new = {"members": [{"email": "ann@example.com", "roleIds": [owner["id"]]}]}

    answer = platform.post(f"{here}/members/users", json=new)

    assert error_of(answer)[0] == 422


def test_a_webhook_is_seen_by_who_maintains_them(platform: Platform) -> None:
    """Its events tell what happens in the iTwin."""
    hook = {
        "callbackUrl": "http://127.0.0.1:9/",
        "scope": "iTwin",
        "scopeId": platform.itwin_id,
        "eventTypes": ["synchronization.jobCompleted.v1"],
    }
    made = expect(platform.post("/webhooks", json=hook), 201)["webhook"]["id"]

    with member(platform, "storage_read"):
        refused = [platform.post("/webhooks", json=hook), platform.get(f"/webhooks/{made}")]
        unseen = expect(platform.get("/webhooks"), 200)["webhooks"]
    with member(platform, "webhooks_maintainer"):
        allowed = platform.get(f"/webhooks/{made}")
        account = platform.post("/webhooks", json=hook | {"scope": "Account", "scopeId": None})
        seen = expect(platform.get("/webhooks"), 200)["webhooks"]

    assert [error_of(answer) for answer in [*refused, account]] == [DENIED] * 3
    assert (allowed.status_code, unseen) == (200, [])
    assert [each["id"] for each in seen] == [made]


def test_roles_survive_a_restart(tmp_path: Any) -> None:
    """A member that became an owner overnight would prove nothing."""
    with opened(tmp_path) as world:
        itwin = world.credentials.itwin_id
        client_id, _ = world.access.register("Member")
        user_id = world.access.user_id(client_id)
        world.roles.exclude(user_id)
        role = world.roles.create(itwin, "Reader", "", ["storage_read"])
        world.roles.give(itwin, user_id, [role.id])

    with opened(tmp_path) as world:
        held = world.roles.permissions(user_id, itwin)
        elsewhere = world.roles.permissions(user_id, NOBODY)
        owner = world.roles.permissions(world.access.user_id(world.credentials.client_id), itwin)

    assert (held, elsewhere) == (frozenset({"storage_read"}), frozenset())
    assert {"storage_write", "imodels_write"} <= owner


def test_a_start_with_permissions_hands_out_a_client_that_has_just_these(tmp_path: Any) -> None:
    """A rollout can be rehearsed with the role that the real application will get."""
    with opened(tmp_path) as world:
        itwin = world.credentials.itwin_id
        first = world.restricted_credentials(itwin, ["storage_read", "storage_write"])
        second = world.restricted_credentials(itwin, ["imodels_read"])
        user_id = world.access.user_id(second.client_id)

        held, everywhere = world.roles.permissions(user_id, itwin), world.roles.owns_all(user_id)
        roles = [role.display_name for role in world.roles.of_itwin(itwin)]
        with pytest.raises(SetupError, match=r"no such permission: fly; there are: .*storage_read"):
            world.restricted_credentials(itwin, ["fly"])

    assert (first.client_id, first.client_secret) == (second.client_id, second.client_secret)
    assert (set(held), everywhere, roles) == ({"imodels_read"}, False, ["Owner", "Restricted"])
