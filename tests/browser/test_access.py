"""The page for who has no mouse, no sight of it, a small window, or the lights off."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import expect

from tests.browser.chat_page import ChatPage, scripted
from tests.browser.conftest import OpenTab
from tests.browser.test_documents import ask_of, unique_word

pytestmark = pytest.mark.asyncio(loop_scope="session")

AUDIT = (Path(__file__).parent / "audit.js").read_text()
ANSWER = "# Rules\n\n1. *One* and `two`\n2. [three](https://example.org)\n\n| a | b |\n|---|---|\n"
PHONE = {"width": 360, "height": 740}


async def test_everything_can_be_done_with_the_keyboard(chat: ChatPage) -> None:
    await ask_of(chat, unique_word())
    mark = chat.text.get_by_role("button", name="Source 1")
    await chat.tab_to(mark, "Shift+Tab")
    await chat.page.keyboard.press("Enter")
    await expect(chat.panel.get_by_role("heading")).to_be_focused()
    await chat.page.keyboard.press("Escape")
    await expect(chat.panel).to_have_count(0)
    await expect(mark).to_be_focused()
    await chat.tab_to(chat.page.get_by_role("button", name="New conversation"))
    await chat.page.keyboard.press("Enter")
    await expect(chat.page.get_by_role("heading", name="What would you like")).to_be_visible()
    await expect(chat.box).to_be_focused()


async def test_one_key_leads_past_the_list(chat: ChatPage) -> None:
    skip = chat.page.get_by_role("button", name="Go to the question box")
    await chat.tab_to(skip)
    await chat.page.keyboard.press("Enter")
    await expect(chat.box).to_be_focused()


async def test_the_focus_can_be_seen(chat: ChatPage) -> None:
    button = chat.page.get_by_role("button", name="New conversation")
    await chat.tab_to(button)
    outline = await button.evaluate("element => getComputedStyle(element).outlineStyle")
    assert outline == "solid"


async def test_an_answer_is_read_out_once_and_not_word_by_word(chat: ChatPage) -> None:
    await chat.page.evaluate(
        """() => {
            window.heard = [];
            const region = document.querySelector(".for-screen-readers[role=status]");
            new MutationObserver(() => window.heard.push(region.textContent))
                .observe(region, { childList: true, characterData: true, subtree: true });
        }"""
    )
    await chat.ask(scripted("Count.", "one two three four five six", rate=10))
    await chat.is_answered()
    await expect(chat.page.locator(".for-screen-readers")).to_contain_text("five six")
    heard = await chat.page.evaluate("window.heard")
    assert heard == ["The answer is being written.", "Answer: one two three four five six"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everything_has_a_name_and_enough_contrast(
    open_tab: OpenTab, scheme: Literal["light", "dark"]
) -> None:
    chat = await open_tab(color_scheme=scheme)
    await chat.ask(scripted("Show me all.", ANSWER, reasoning=3))
    await chat.is_answered()
    await chat.page.get_by_role("button", name="Documents", exact=True).click()
    await expect(chat.panel).to_be_visible()
    assert await chat.page.evaluate(AUDIT) == []
    await chat.keep_picture(f"page-{scheme}")


async def test_nothing_is_cut_off_at_phone_width(open_tab: OpenTab) -> None:
    chat = await open_tab(viewport=PHONE, has_touch=True, is_mobile=True)
    await chat.has_no_sideways_scroll()
    long = f"{'unbreakable' * 20}\n\n| {' | '.join(['column'] * 12)} |\n|{'---|' * 12}\n\n{ANSWER}"
    await chat.ask(scripted("Show me all.", long))
    await chat.is_answered()
    await chat.has_no_sideways_scroll()
    await chat.keep_picture("page-phone")
    for opens in ("Conversations", "Documents"):
        await chat.page.get_by_role("button", name=opens, exact=True).click()
        await expect(chat.panel).to_be_visible()
        await chat.has_no_sideways_scroll()
        assert await chat.page.evaluate(AUDIT) == []
        await chat.page.keyboard.press("Escape")
        await expect(chat.panel).to_have_count(0)
