"""The list of conversations."""

from uuid import uuid4

import pytest
from playwright.async_api import Locator, expect

from tests.browser.chat_page import ChatPage, scripted

pytestmark = pytest.mark.asyncio(loop_scope="session")


def listed(chat: ChatPage) -> Locator:
    """Return the list."""
    return chat.page.get_by_role("navigation", name="Conversations")


async def begin(chat: ChatPage, answer: str) -> str:
    """Begin a conversation and return the word that its title begins with."""
    word = f"Topic{uuid4().hex[:8]}"
    await chat.page.get_by_role("button", name="New conversation").click()
    await chat.ask(scripted(word, answer))
    await chat.is_answered()
    await expect(listed(chat).get_by_role("link", name=word)).to_be_visible()
    return word


async def test_a_conversation_is_found_again(chat: ChatPage) -> None:
    first = await begin(chat, "The first answer.")
    second = await begin(chat, "The second answer.")
    await listed(chat).get_by_role("link", name=first).click()
    await expect(chat.text).to_have_text("The first answer.")
    link = listed(chat).get_by_role("link", name=first)
    await expect(link).to_have_attribute("aria-current", "page")
    await chat.page.go_back()
    await expect(chat.text).to_have_text("The second answer.")
    await expect(listed(chat).get_by_role("link", name=second)).to_be_visible()


async def test_a_conversation_gets_another_name(chat: ChatPage) -> None:
    word = await begin(chat, "An answer.")
    await listed(chat).get_by_role("link", name=word).hover()
    await listed(chat).get_by_role("button", name="Rename").first.click()
    title = chat.page.get_by_label("Title of the conversation")
    await title.fill(f"Renamed {word}")
    await title.press("Enter")
    link = listed(chat).get_by_role("link", name=f"Renamed {word}")
    await expect(link).to_be_focused()
    await chat.page.reload()
    await expect(link).to_be_visible()


async def test_escape_leaves_the_name_as_it_was(chat: ChatPage) -> None:
    word = await begin(chat, "An answer.")
    await listed(chat).get_by_role("link", name=word).hover()
    await listed(chat).get_by_role("button", name="Rename").first.click()
    title = chat.page.get_by_label("Title of the conversation")
    await title.fill("Something else")
    await title.press("Escape")
    await expect(listed(chat).get_by_role("link", name=word)).to_be_visible()


async def test_a_conversation_is_deleted_after_a_question(chat: ChatPage) -> None:
    word = await begin(chat, "An answer.")
    address = chat.page.url
    await listed(chat).get_by_role("link", name=word).hover()
    await listed(chat).get_by_role("button", name="Delete").first.click()
    await chat.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(listed(chat).get_by_role("link", name=word)).to_have_count(0)
    await chat.page.goto(address)
    await expect(chat.page.get_by_text("not there any more")).to_be_visible()
