"""The fetcher reaches public pages, and nothing else whatever a URL, name or redirect says (S8)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from app.infra.web.safe_web_fetcher import BYTES, SafeWebFetcher
from core.ports.web import FetchFailed, FetchRefused
from tests.support.forbidden_urls import HOSTS, NAMES, URLS, forbidden_urls
from tests.support.public_web import (
    NAT64,
    OTHER_4,
    PUBLIC,
    PUBLIC_4,
    PUBLIC_6,
    SECRET,
    SILENT,
    PublicWeb,
    StubResolver,
    public_web,
)

GOOD = {
    "good.example": [[PUBLIC_4]],
    "www.good.example": [[PUBLIC_4]],
    "xn--bcher-kva.example": [[PUBLIC_4]],
    "six.example": [[PUBLIC_6, PUBLIC_4]],
    "nat64.example": [[NAT64]],
    "half-dead.example": [[SILENT, OTHER_4]],
}
# What each says, with a part of the text that is expected.
GOOD_URLS = {
    "http://good.example/": "welcome",
    "http://good.example": "welcome",
    "https://good.example/": "welcome",
    "HTTP://GOOD.Example/": "welcome",
    "http://good.example./": "welcome",
    "http://good.example:80/": "welcome",
    "https://good.example:443/": "welcome",
    "http://www.good.example/a/b;c?q=1&r=%20#part": "welcome",
    "http://bücher.example/": "welcome",
    "http://six.example/": "welcome",
    "http://nat64.example/": "welcome",
    "http://half-dead.example/": "welcome",
    f"http://{PUBLIC_4}/": "welcome",
    f"https://{OTHER_4}/": "welcome",
    f"http://[{PUBLIC_6}]/": "welcome",
    "https://good.example/html": "Opening hours\nShop\nOpen daily.",
    "http://good.example/json": '{"a": 1}',
    "http://good.example/feed": "<feed/>",
    "http://good.example/latin": "café",
    "http://good.example/packed": "packed text",
    "http://good.example/to?url=/html": "Opening hours",
    "http://good.example/to?status=308&url=https://www.good.example/json": '{"a": 1}',
    "https://good.example/to?url=//six.example/": "welcome",
}
REFUSALS = ("FetchRefused", "FetchFailed")
CERTIFIED = ("good.example", "www.good.example", "six.example", OTHER_4)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[PublicWeb]:
    async with public_web(tmp_path, CERTIFIED) as web:
        yield web


@pytest.fixture
def resolver() -> StubResolver:
    return StubResolver({**NAMES, **GOOD})


@pytest.fixture
def fetcher(web: PublicWeb, resolver: StubResolver) -> SafeWebFetcher:
    return SafeWebFetcher(resolver, web.transport)


async def outcome(fetcher: SafeWebFetcher, url: str) -> str:
    """Return the page's text, or the name of what was raised instead."""
    try:
        return (await fetcher.fetch(url)).text
    except (FetchRefused, FetchFailed) as refused:
        return type(refused).__name__ if str(refused) else "no reason"


async def test_no_forbidden_url_is_fetched_and_no_canary_sees_a_connection(
    web: PublicWeb, fetcher: SafeWebFetcher
) -> None:
    urls = forbidden_urls()
    assert len(urls) > 80
    came_through = {
        url: text for url in urls if (text := await outcome(fetcher, url)) not in REFUSALS
    }
    assert came_through == {}
    assert web.transport.reached == []
    assert web.canary.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_leads_to_a_forbidden_url(
    web: PublicWeb, fetcher: SafeWebFetcher, status: int
) -> None:
    for url in forbidden_urls():
        text = await outcome(fetcher, redirect_to(url, status))
        # Without scheme or host a redirect is to a path of the same server: nothing is amiss.
        is_relative = url in (*URLS, "http:///") and text == "welcome"
        assert text in REFUSALS or is_relative, url
    assert set(web.transport.reached) == {PUBLIC_4}
    assert web.canary.connections == 0


def redirect_to(url: str, status: int = 302) -> str:
    return f"http://good.example/to?status={status}&url={quote(url, safe='')}"


async def test_the_canary_sees_a_request_that_was_not_checked(web: PublicWeb) -> None:
    response = await web.transport.handle_async_request(httpx.Request("GET", "http://127.0.0.1/"))
    assert (await response.aread()).decode() == SECRET
    await response.aclose()
    assert web.canary.connections == 1


async def test_good_urls_work(web: PublicWeb, fetcher: SafeWebFetcher) -> None:
    assert len(GOOD_URLS) >= 20
    for url, expected in GOOD_URLS.items():
        page = await fetcher.fetch(url)
        assert (page.status, page.is_cut) == (200, False), url
        assert page.text == expected or expected in page.text, url
    assert set(web.transport.reached) <= PUBLIC | {SILENT}
    assert web.canary.connections == 0


async def test_a_name_that_turns_private_after_the_check_is_reached_where_it_was_checked(
    web: PublicWeb,
) -> None:
    resolver = StubResolver({"rebind.example": [[PUBLIC_4], ["127.0.0.1"]]})
    page = await SafeWebFetcher(resolver, web.transport).fetch("http://rebind.example/")
    assert page.text == "welcome"
    assert resolver.asked == ["rebind.example"]
    assert web.transport.reached == [PUBLIC_4]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_name_that_turns_private_before_a_redirect_is_refused_there(
    web: PublicWeb, status: int
) -> None:
    resolver = StubResolver({"rebind.example": [[PUBLIC_4], ["169.254.169.254"]]})
    with pytest.raises(FetchRefused, match="redirects elsewhere"):
        await SafeWebFetcher(resolver, web.transport).fetch(
            f"http://rebind.example/to?status={status}&url=http://rebind.example/"
        )
    assert web.transport.reached == [PUBLIC_4]


async def test_the_server_and_its_certificate_are_asked_by_name(
    web: PublicWeb, fetcher: SafeWebFetcher
) -> None:
    await fetcher.fetch("https://WWW.good.example./json")
    assert web.server.hosts == ["www.good.example"]
    assert web.server.tls_names == ["www.good.example"]


async def test_a_server_without_a_certificate_for_the_name_is_not_read(
    web: PublicWeb, fetcher: SafeWebFetcher
) -> None:
    with pytest.raises(FetchFailed, match="could not be reached"):
        await fetcher.fetch("https://nat64.example/")
    assert web.server.heads == []


async def test_three_redirects_are_followed_and_a_fourth_is_not(fetcher: SafeWebFetcher) -> None:
    url = "http://good.example/"
    for _ in range(3):
        url = redirect_to(url)
    assert (await fetcher.fetch(url)).text == "welcome"
    with pytest.raises(FetchFailed, match="more than 3 times"):
        await fetcher.fetch(redirect_to(url))


async def test_only_allowed_hosts_and_their_subdomains_are_fetched_where_there_is_a_list(
    web: PublicWeb, fetcher: SafeWebFetcher
) -> None:
    for allowed in (["good.example"], ["*.Good.Example."], ["six.example", "good.example"]):
        page = await fetcher.fetch("http://www.good.example/", allowed_hosts=allowed)
        assert page.text == "welcome"
    reached = len(web.transport.reached)
    for allowed in (
        [],
        [""],
        ["ood.example"],
        ["other.example"],
        ["m.www.good.example"],
    ):
        with pytest.raises(FetchRefused, match="not among"):
            await fetcher.fetch("http://www.good.example/", allowed_hosts=allowed)
    with pytest.raises(FetchRefused, match="redirects elsewhere"):
        await fetcher.fetch(redirect_to("http://six.example/"), allowed_hosts=["good.example"])
    assert len(web.transport.reached) == reached + 1


async def test_a_list_allows_no_address_that_is_not_public(fetcher: SafeWebFetcher) -> None:
    for host in ("localhost", "127.0.0.1"):
        with pytest.raises(FetchRefused, match="public internet"):
            await fetcher.fetch(f"http://{host}/", allowed_hosts=[host])


@pytest.mark.parametrize("path", ["large", "bomb"])
async def test_no_more_than_the_limit_is_read_or_unpacked(
    fetcher: SafeWebFetcher, path: str
) -> None:
    page = await fetcher.fetch(f"http://good.example/{path}")
    assert page.is_cut
    assert len(page.text) == BYTES


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("pdf", "application/pdf: only text"),
        ("damaged", "damaged"),
        ("brotli", "packed in a way"),
        ("no-http", "does not speak HTTP"),
    ],
)
async def test_what_cannot_be_read_as_text_is_refused_with_its_reason(
    fetcher: SafeWebFetcher, path: str, reason: str
) -> None:
    with pytest.raises(FetchFailed, match=reason):
        await fetcher.fetch(f"http://good.example/{path}")


async def test_a_page_that_is_missing_says_so_itself(fetcher: SafeWebFetcher) -> None:
    page = await fetcher.fetch("http://good.example/missing")
    assert (page.status, page.text) == (404, "Nothing here.")


async def test_nothing_is_kept_or_told_from_one_request_to_the_next(
    web: PublicWeb, fetcher: SafeWebFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{web.canary.port}")
    monkeypatch.setenv("NO_PROXY", "")
    for _ in range(2):
        assert (await fetcher.fetch("http://good.example/cookie")).text == "biscuit"
    assert not any("cookie:" in head.lower() for head in web.server.heads)
    assert all("connection: close" in head.lower() for head in web.server.heads)
    assert web.canary.connections == 0


async def test_the_environments_proxy_is_not_used_by_the_real_transport(
    web: PublicWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{web.canary.port}")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{web.canary.port}")
    fetcher = SafeWebFetcher.open()
    # The system's own resolver: the name is this machine's, and refused.
    for url in ("http://localhost/", f"http://127.0.0.1:{web.canary.port}/", "http://[::1]/"):
        with pytest.raises(FetchRefused):
            await fetcher.fetch(url)
    await fetcher.close()
    assert web.canary.connections == 0


async def test_a_server_or_a_name_server_that_hangs_ends_the_fetch(
    web: PublicWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr("app.infra.web.safe_web_fetcher.SECONDS", 0.05)
    with pytest.raises(FetchFailed, match="longer than"):
        await SafeWebFetcher(hang, web.transport).fetch("http://good.example/")


async def test_a_name_that_nobody_knows_is_a_failure(fetcher: SafeWebFetcher) -> None:
    with pytest.raises(FetchFailed, match="not known"):
        await fetcher.fetch("http://unknown.example/")


def test_the_list_has_every_host_once() -> None:
    assert len(set(HOSTS)) == len(HOSTS)
