"""Connections that act for a user: asking for consent, and what happens without."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from platform_scene import ORIGIN, Clock, Platform, error_of, expect

from localtwin.faults import parse
from localtwin.world.access.clients import NATIVE_CLIENT

pytest_plugins = ["platform_fixtures"]

CONNECTIONS = "/synchronization/imodels/storageconnections"
AUTHORIZATION = "/synchronization/imodels/connections/authorizationinformation"
RETURN = "http://localhost:3301/callback?state=a&b=c"


@pytest.fixture
def person(platform: Platform, clock: Clock) -> Platform:
    """A platform that a person signed in to, whose earlier consent has lapsed."""
    clock.advance(days=31)
    as_person(platform)
    return platform


def as_person(platform: Platform) -> None:
    """Carry the token of the person from now on."""
    access = platform.world.access
    token = access.issue_to_user(NATIVE_CLIENT, scope="itwin-platform", issuer=ORIGIN)
    platform.headers["Authorization"] = f"Bearer {token}"


def for_user(platform: Platform, **more: Any) -> str:
    """Create a connection that acts for the user, as is the default."""
    source = {"storageFileId": platform.upload("a.ifc", b"wall"), "connectorType": "IFC"}
    body = {"iModelId": platform.new_imodel(), "sourceFiles": [source]}
    made = platform.post(CONNECTIONS, json=body | more)
    return str(expect(made, 201)["connection"]["id"])


def information(platform: Platform, **query: str) -> dict[str, Any]:
    answer = expect(platform.get(AUTHORIZATION, params=query), 200)
    found: dict[str, Any] = answer["authorizationInformation"]
    return found


def opened(platform: Platform, answers: dict[str, Any]) -> httpx.Response:
    """Open the page as a browser would, which has no token."""
    request = platform.build_request("GET", answers["_links"]["authorizationUrl"]["href"])
    del request.headers["Authorization"]
    return platform.send(request)


def agreed(platform: Platform, page: httpx.Response) -> httpx.Response:
    """Press the button of the page."""
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    request = platform.build_request("POST", "/connect/consent", data=fields)
    del request.headers["Authorization"]
    return platform.send(request)


def trouble(platform: Platform, connection: str) -> Any:
    found = expect(platform.get(f"{CONNECTIONS}/{connection}"), 200)["connection"]
    return found["error"] and found["error"]["errorKey"]


def test_a_run_for_a_user_who_has_not_agreed_ends_so(person: Platform) -> None:
    """The first thing that goes wrong on the real platform, and the error says what to do."""
    connection = for_user(person)

    run = person.run(connection)

    (task,) = run["jobs"][0]["tasks"]
    assert (run["state"], run["result"]) == ("Completed", "Error")
    assert run["error"]["errorKey"] == "UserNotAuthenticated"
    assert task["error"]["canUserFix"] is True
    assert "authorizationUrl" in run["error"]["description"]
    assert (task["state"], task["result"]) == ("Completed", "Error")
    assert trouble(person, connection) == "UserNotAuthenticated"


def test_a_person_agrees_once_and_runs_go_through(person: Platform) -> None:
    """Ask, open the link, press the button, come back: the whole way of a client."""
    connection = for_user(person)
    person.run(connection)
    before = information(person, redirectUrl=RETURN)

    back = agreed(person, opened(person, before))
    after = information(person, redirectUrl=RETURN)
    run = person.run(connection)

    assert (back.status_code, back.headers["location"]) == (303, RETURN)
    assert (before["isUserAuthorized"], after["isUserAuthorized"]) == (False, True)
    assert run["result"] == "Success"
    assert trouble(person, connection) is None


def test_a_run_acts_for_the_owner_whoever_starts_it(person: Platform) -> None:
    """It is the owner's sign-in that the platform keeps, or does not."""
    connection = for_user(person)
    person.sign_in()
    before = person.run(connection)["result"]
    as_person(person)
    agreed(person, opened(person, information(person)))

    person.sign_in()

    assert (before, person.run(connection)["result"]) == ("Error", "Success")


def test_consent_lapses_as_the_sign_in_does(person: Platform, clock: Clock) -> None:
    """After a month of silence a person has to be asked again."""
    agreed(person, opened(person, information(person)))
    connection = for_user(person)
    before = person.run(connection)["result"]

    clock.advance(days=30)

    as_person(person)
    assert information(person)["isUserAuthorized"] is False
    assert (before, person.run(connection)["result"]) == ("Success", "Error")


def test_a_service_is_its_own_user(platform: Platform) -> None:
    """It has nobody to ask, so what it forgets to say must not keep a rehearsal from working."""
    connection = for_user(platform)

    assert information(platform)["isUserAuthorized"] is True
    assert platform.run(connection)["result"] == "Success"


def test_a_connection_for_a_service_needs_nobodys_consent(person: Platform) -> None:
    """Which is why an unattended program has to say so."""
    connection = for_user(person, authenticationType="Service")

    assert person.run(connection)["result"] == "Success"


def test_the_way_of_signing_in_can_be_changed(person: Platform) -> None:
    """The mend for a connection that was made for a user by mistake."""
    connection = for_user(person)
    first = person.run(connection)["result"]

    expect(person.put(f"{CONNECTIONS}/{connection}", json={"authenticationType": "Service"}), 200)
    second = person.run(connection)["result"]
    expect(person.put(f"{CONNECTIONS}/{connection}", json={"authenticationType": "User"}), 200)
    third = person.run(connection)["result"]

    assert (first, second, third) == ("Error", "Success", "Error")


def test_a_lapsed_sign_in_is_reported_and_ends_runs(person: Platform) -> None:
    """A rehearsal of what happens months later, when nobody remembers the page."""
    agreed(person, opened(person, information(person)))
    connection = for_user(person)
    person.world.faults.add(parse("unauthenticated-run"))

    answers = information(person)["isUserAuthorized"]
    run = person.run(connection)
    person.world.faults.clear()

    assert (answers, run["error"]["errorKey"]) == (False, "UserNotAuthenticated")
    assert information(person)["isUserAuthorized"] is True


def test_without_an_address_to_return_to_the_page_ends_there(person: Platform) -> None:
    """The parameter is optional."""
    page = opened(person, information(person))

    thanks = agreed(person, page)

    assert (page.status_code, thanks.status_code) == (200, 200)
    assert "location" not in thanks.headers


def test_the_page_says_for_whom_and_runs_no_scripts(person: Platform) -> None:
    """A person must know what they agree to."""
    page = opened(person, information(person, redirectUrl=RETURN))

    assert "Local User" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"


def test_a_link_that_is_old_or_made_up_agrees_to_nothing(person: Platform, clock: Clock) -> None:
    """Anybody could send a person such a link."""
    answers = information(person, redirectUrl=RETURN)
    access = person.headers["Authorization"].removeprefix("Bearer ")
    made_up = agreed(person, httpx.Response(200, text=f'name="request" value="{access}"'))
    page = opened(person, answers)

    clock.advance(hours=1)

    late, opened_late = agreed(person, page), opened(person, answers)
    as_person(person)
    assert [each.status_code for each in (made_up, late, opened_late)] == [400, 400, 400]
    assert information(person)["isUserAuthorized"] is False


def test_a_link_is_no_token(person: Platform) -> None:
    """It goes through the browser, where others may see it."""
    href = information(person)["_links"]["authorizationUrl"]["href"]
    bearer = {"Authorization": f"Bearer {href.partition('request=')[2]}"}

    assert error_of(person.get("/itwins", headers=bearer))[:2] == (401, "Unauthorized")


@pytest.mark.parametrize("fault", ["unauthenticated-run", "expired-authorization"])
def test_consent_ends_the_rehearsal_of_a_lapse(person: Platform, fault: str) -> None:
    """A client that follows the link would otherwise come back to the page for ever."""
    agreed(person, opened(person, information(person)))
    connection = for_user(person)
    person.world.faults.add(parse(fault))
    lapsed = information(person)

    agreed(person, opened(person, lapsed))

    assert (lapsed["isUserAuthorized"], information(person)["isUserAuthorized"]) == (False, True)
    assert person.run(connection)["result"] == "Success"


def test_an_authorization_expires_on_demand(person: Platform) -> None:
    """The rehearsal of the thirtieth day: it stays expired until the person agrees again."""
    agreed(person, opened(person, information(person)))
    connection = for_user(person)
    person.world.faults.add(parse("expired-authorization x1"))

    first, second = person.run(connection), person.run(connection)

    assert [run["error"]["errorKey"] for run in (first, second)] == ["UserNotAuthenticated"] * 2
    assert information(person)["isUserAuthorized"] is False


def test_a_service_has_no_authorization_that_could_expire(platform: Platform) -> None:
    """Its own sign-in is enough, whatever its connections say."""
    connection = for_user(platform)
    platform.world.faults.add(parse("expired-authorization"))

    answers, run = information(platform)["isUserAuthorized"], platform.run(connection)

    assert (answers, run["result"]) == (True, "Success")
