"""Adding documents, and opening what an answer rests on."""

from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.browser.chat_page import ChatPage, scripted, text_file

pytestmark = pytest.mark.asyncio(loop_scope="session")

HANDBOOK = """The house of {word}

Bicycles are kept in the cellar, next to the boiler, and never in the hall.

The zorblat of {word} is purple on weekdays. It is washed on the first Monday of each month.
"""
FACT = "The zorblat of {word} is purple on weekdays."


def unique_word() -> str:
    """Return a word that no other test's document has."""
    return f"Quendra{uuid4().hex[:8]}"


async def ask_of(chat: ChatPage, word: str) -> None:
    """Upload a document about `word`, ask about it, and wait for a cited answer."""
    await chat.upload(text_file(f"{word}.txt", HANDBOOK.format(word=word)))
    await chat.is_read(word)
    question = f"According to the document, which colour is the zorblat of {word}?"
    await chat.ask(scripted(question, "It is **purple** [1]."))
    await chat.is_answered()


async def test_a_citation_opens_the_passage_with_the_quote_marked(chat: ChatPage) -> None:
    word = unique_word()
    await ask_of(chat, word)
    await chat.text.get_by_role("button", name="Source 1").click()
    await expect(chat.panel.get_by_role("heading", name=f"{word}.txt")).to_be_visible()
    await expect(chat.panel.get_by_role("blockquote")).to_contain_text("Bicycles are kept")
    await expect(chat.panel.locator("mark")).to_contain_text("zorblat")
    await chat.keep_picture("page-citation")


async def test_a_citation_still_opens_after_a_reload(chat: ChatPage) -> None:
    word = unique_word()
    await ask_of(chat, word)
    await chat.page.evaluate("sessionStorage.clear()")
    await chat.page.reload()
    await chat.page.get_by_role("list", name="Sources").get_by_role("button").first.click()
    await expect(chat.panel.locator("mark")).to_contain_text("zorblat")


async def test_a_dropped_file_becomes_a_document(chat: ChatPage) -> None:
    word = unique_word()
    await chat.drop(f"{word}.txt", HANDBOOK.format(word=word))
    await chat.is_read(word)
    await chat.page.get_by_role("button", name="Documents", exact=True).click()
    await expect(chat.panel.get_by_text(f"{word}.txt")).not_to_have_count(0)


async def test_a_file_that_can_not_be_read_says_why(chat: ChatPage) -> None:
    await chat.upload(text_file("nothing.txt", ""))
    row = chat.page.get_by_role("list", name="Uploads").get_by_role("listitem")
    await expect(row.get_by_role("status")).to_contain_text("empty")
    await row.get_by_role("button", name="Dismiss").click()
    await expect(row).to_have_count(0)


async def test_a_document_is_deleted_after_a_question(chat: ChatPage) -> None:
    word = unique_word()
    await chat.upload(text_file(f"{word}.txt", HANDBOOK.format(word=word)))
    await chat.is_read(word)
    await chat.page.get_by_role("button", name="Documents", exact=True).click()
    row = chat.panel.get_by_role("list", name="Documents").get_by_text(f"{word}.txt")
    await chat.panel.get_by_role("button", name=f"Delete {word}.txt").click()
    await chat.page.get_by_role("alertdialog").get_by_role("button", name="Cancel").click()
    await expect(row).to_be_visible()
    await chat.panel.get_by_role("button", name=f"Delete {word}.txt").click()
    await chat.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(row).to_have_count(0)
