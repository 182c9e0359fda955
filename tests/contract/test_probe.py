# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What `check --probe` finds out of a platform, that it leaves nothing behind, and what follows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from contract_office import Whole

from localtwin.serve import Ready
from twinsyncd.cloud.platform_profile import PROFILE, PlatformProfile, read_profile
from twinsyncd.cloud.session import Cloud, CloudSettings, open_cloud
from twinsyncd.cloud.storage_probe import FOLDER, StorageProbe
from twinsyncd.cloud.upload_hosts import UploadHosts
from twinsyncd.errors import CloudError

API = "https://api.example.com"
KNOWN = PlatformProfile(API, 5.0, True, False, True, False, True, 0.5, ("retry-after",))


def names_at_the_top(cloud: Cloud, itwin_id: str) -> list[str]:
    """Return what is in the top-level folder."""
    root = cloud.platform.root_folder(itwin_id)
    return [each.name for each in cloud.platform.list_folder(root)]


def test_the_questions_are_answered_and_nothing_is_left_behind(
    cloud: Cloud, local: Ready, raw: httpx.Client
) -> None:
    """The office's Storage looks afterwards as it did before, and so does its recycle bin."""
    found = cloud.probe.examine(local.itwin_id)

    assert (found.lists_blocks, found.second_url_same_blob) == (True, True)
    assert (found.reopens_unfinished, found.second_url_voids_first) == (True, False)
    assert found.lists_unfinished is False
    assert found.listing_lag_s is not None
    assert cloud.probe.left_over == ""
    assert not any(FOLDER in name for name in names_at_the_top(cloud, local.itwin_id))
    binned = raw.get("/storage/recyclebin", params={"iTwinId": local.itwin_id}).text
    assert FOLDER not in binned


class Strange(httpx.BaseTransport):
    """A storage host that ends the first URL of a file with the second, and lists no blocks."""

    def __init__(self) -> None:
        """Let the first block through."""
        self.blocks = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.params.get("comp") == "block":
            self.blocks += 1
            return httpx.Response(201 if self.blocks == 1 else 403)
        return httpx.Response(403 if request.method == "GET" else 409)


def test_another_host_gives_other_answers(cloud: Cloud, local: Ready) -> None:
    """A probe that always finds the same has found nothing."""
    with httpx.Client(transport=Strange()) as http:
        probe = StorageProbe(cloud.platform, http, UploadHosts(), lambda _: None)

        found = probe.examine(local.itwin_id)

    assert (found.lists_blocks, found.second_url_voids_first) == (False, True)
    assert found.listing_lag_s is None


def test_a_host_that_breaks_leaves_no_folder_behind(cloud: Cloud, local: Ready) -> None:
    """The experiments fail where the network does; the folder must go all the same."""

    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    with httpx.Client(transport=httpx.MockTransport(broken)) as http:
        probe = StorageProbe(cloud.platform, http, UploadHosts(), lambda _: None)
        with pytest.raises(CloudError, match="no route"):
            probe.examine(local.itwin_id)

    assert not any(FOLDER in name for name in names_at_the_top(cloud, local.itwin_id))


def test_a_profile_is_kept_and_read_for_its_own_platform_only(tmp_path: Path) -> None:
    """What holds for localtwin says nothing of the public cloud."""
    KNOWN.write(tmp_path / "state")

    assert read_profile(tmp_path / "state", API) == KNOWN
    assert read_profile(tmp_path / "state", "https://other.example.com") == PlatformProfile()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"api_url": 3}', '{"rate_headers": 3}', "\0"])
def test_a_damaged_profile_is_none(tmp_path: Path, text: str) -> None:
    """The safest holds; a start must not fail for it."""
    (tmp_path / PROFILE).write_text(text)

    assert read_profile(tmp_path, API) == PlatformProfile()


@pytest.mark.parametrize(
    ("lists", "same_blob", "asked"),
    [(None, None, 1), (True, True, 1), (False, True, 0), (True, False, 0), (True, None, 1)],
)
def test_blocks_are_asked_for_only_where_the_answer_can_be_of_use(
    lists: bool | None, same_blob: bool | None, asked: int
) -> None:
    """One call less for every large file that is replaced."""
    listings = []

    def host(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            listings.append(request.url)
            return httpx.Response(403)
        return httpx.Response(201)

    profile = replace(KNOWN, lists_blocks=lists, second_url_same_blob=same_blob)
    settings = CloudSettings("id", lambda: "secret", api_url=API, profile=profile)
    with open_cloud(settings, transport=httpx.MockTransport(host)) as cloud:
        url = "https://store.example.net/c/b?sig=1"
        cloud.blobs.upload(Whole(bytes(9 * 2**20)), url, lambda: url, first=False)

    assert len(listings) == asked


@pytest.mark.parametrize(
    ("probed_s", "lag_s", "wait_s"),
    [(0.0, None, 0.0), (5.0, 0.0, 0.0), (5.0, 0.1, 0.0), (5.0, 2.0, 6.0), (5.0, None, 10.0)],
)
def test_a_lag_that_was_seen_is_waited_for_with_a_margin(
    probed_s: float, lag_s: float | None, wait_s: float
) -> None:
    """One probe saw one lag; what was never probed is left as it is."""
    profile = replace(KNOWN, probed_s=probed_s, listing_lag_s=lag_s)

    assert profile.listing_wait_s() == wait_s


@pytest.mark.parametrize(
    ("profile", "stages", "renews_early", "renews_unfinished", "finds_unfinished"),
    [
        (PlatformProfile(), False, False, True, True),
        (KNOWN, True, True, False, True),
        (replace(KNOWN, lists_blocks=None), False, True, False, True),
        (replace(KNOWN, second_url_same_blob=False), False, False, False, True),
        (replace(KNOWN, second_url_voids_first=True), True, False, False, True),
        (replace(KNOWN, reopens_unfinished=True), True, True, True, True),
        (replace(KNOWN, lists_unfinished=False), True, True, False, False),
    ],
)
def test_what_follows_from_a_profile(
    profile: PlatformProfile,
    stages: bool,
    renews_early: bool,
    renews_unfinished: bool,
    finds_unfinished: bool,
) -> None:
    """A question without an answer allows nothing that could harm."""
    found = (profile.may_stage(), profile.renews_early())

    assert (stages, renews_early) == found
    assert (renews_unfinished, finds_unfinished) == (
        profile.renews_unfinished(),
        profile.finds_unfinished(),
    )
