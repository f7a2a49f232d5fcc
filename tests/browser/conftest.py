"""Gives every test of the page a tab in a real browser; `base_url` is the server's address."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.chat_page import ChatPage
from tests.browser.watch import Watch

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# Chromium's own sandbox needs rights that containers don't have; the only page it sees is ours.
ARGUMENTS = ["--no-sandbox"]
PATIENCE_MS = 20_000

OpenTab = Callable[..., Awaitable[ChatPage]]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return where the browser is; `CHROMIUM` names one, else it is looked for on the path."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip("there is no Chromium; CHROMIUM=path names one")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Give the browser that all tests of one process share."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_tab(browser: Browser, base_url: str) -> AsyncIterator[OpenTab]:
    """Give a way to open tabs, each of a person of its own.

    When the test is over, none of them may have asked a stranger, broken the content security
    policy, or left an error uncaught.
    """
    watches: list[Watch] = []
    async with AsyncExitStack() as stack:

        async def open_tab(
            prepare: Callable[[Page], Awaitable[None]] | None = None, **options: Any
        ) -> ChatPage:
            # What moves can't be measured.
            context = await browser.new_context(reduced_motion="reduce", **options)
            stack.push_async_callback(context.close)
            page = await context.new_page()
            watches.append(Watch(page, base_url))
            if prepare:
                await prepare(page)
            chat = ChatPage(page, base_url)
            await chat.open()
            return chat

        yield open_tab
    assert [fault for watch in watches for fault in watch.faults] == []


@pytest_asyncio.fixture(loop_scope="session")
async def chat(open_tab: OpenTab) -> ChatPage:
    """Give the page in one tab."""
    return await open_tab()
