"""The ports to the web: fetching a page, calling a configured address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue


class FetchRefused(Exception):
    """The address may not be fetched; the message says why, to a person and to a model."""


class FetchFailed(Exception):
    """The server could not be reached, or answered badly; the message says how.

    may_have_happened: the request may have been carried out all the same.
    """

    def __init__(self, message: str, *, may_have_happened: bool = False) -> None:
        super().__init__(message)
        self.may_have_happened = may_have_happened


@dataclass(frozen=True, slots=True)
class Page:
    """What a fetch brought.

    url: where it ended, after redirects. media_type: lower case, without parameters.
    is_cut: there was more than the limit.
    """

    url: str
    status: int
    media_type: str
    text: str
    is_cut: bool


class WebFetcher(Protocol):
    """Fetches public pages, and reaches no other address whatever a name or a redirect says."""

    async def fetch(self, url: str, *, allowed_hosts: Sequence[str] | None = None) -> Page:
        """Return the page. allowed_hosts: only these and their subdomains; None: any public one.

        Raises `FetchRefused` where the URL, or a redirect on the way, leads to what may not be
        fetched, before a connection to it is made; else `FetchFailed`.
        """
        ...


class Webhooks(Protocol):
    """Calls the addresses that the settings name."""

    @property
    def names(self) -> Sequence[str]:
        """The names of the addresses there are; empty where none is configured."""
        ...

    async def send(self, name: str, body: JsonValue, headers: Mapping[str, str]) -> tuple[int, str]:
        """Post `body` as JSON; returns status and the first of the answer's text.

        Raises `FetchFailed`, and `KeyError` for a name that is not configured.
        """
        ...
