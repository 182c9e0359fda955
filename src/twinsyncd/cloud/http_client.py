"""The HTTP client without cookies: neither the platform nor the blob host needs any.

Looking for them in an answer, where there are none, takes a fifteenth of what a small file costs;
and one that a proxy on the way sets would tie later requests to earlier ones.
"""

from __future__ import annotations

import httpx


class NoCookies(httpx.Cookies):
    """Keeps no cookie of an answer, so none is ever sent."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep none."""


class HttpClient(httpx.Client):
    """Sends requests that depend on no earlier answer."""

    _none = NoCookies()

    @property
    def cookies(self) -> httpx.Cookies:
        """Return those that go with every request: none."""
        return self._none

    @cookies.setter
    def cookies(self, _cookies: object) -> None:
        raise AssertionError("this client has no cookies")
