"""What the page makes of what the server says of itself."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.chat_page import text_file
from tests.browser.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="session")


def server_with(**facts: Any) -> Callable[[Page], Awaitable[None]]:
    """Return a preparation of a tab in which the server says something else of itself."""

    async def answer(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(response=response, json={**await response.json(), **facts})

    async def prepare(page: Page) -> None:
        await page.route("**/api/v1/server", answer)

    return prepare


async def test_it_says_plainly_that_there_is_no_language_model(open_tab: OpenTab) -> None:
    chat = await open_tab(server_with(model={"kind": "extractive", "name": "extractive"}))
    banner = chat.page.get_by_role("complementary", name="About the answers")
    await expect(banner.get_by_text("No language model is configured.")).to_be_visible()
    await expect(banner.get_by_text("OPENAI_API_KEY")).to_be_hidden()
    await banner.get_by_text("How to set one").click()
    await expect(banner.get_by_text("OPENAI_API_KEY")).to_be_visible()


async def test_a_language_model_is_named_and_needs_no_banner(open_tab: OpenTab) -> None:
    chat = await open_tab(server_with(model={"kind": "openai", "name": "some-model-9"}))
    await expect(chat.page.get_by_text("some-model-9")).to_be_visible()
    await expect(chat.page.get_by_text("No language model")).to_have_count(0)


async def test_a_file_that_is_too_large_is_not_even_sent(open_tab: OpenTab) -> None:
    chat = await open_tab(server_with(limits={"upload_max_bytes": 10, "frame_max_bytes": 65536}))
    sent: list[str] = []
    chat.page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    # The limit is known once the server has said what it is.
    await expect(chat.page.locator(".sidebar-foot")).not_to_be_empty()
    await chat.upload(text_file("long.txt", "more than ten bytes"))
    row = chat.page.get_by_role("list", name="Uploads").get_by_role("listitem")
    await expect(row).to_contain_text("the server takes up to 10 bytes")
    assert not [line for line in sent if line.startswith("POST")]
