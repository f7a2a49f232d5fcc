"""Asking, and what comes back."""

import re
from itertools import pairwise

import pytest
from playwright.async_api import expect

from tests.browser.chat_page import ChatPage, scripted
from tests.browser.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="session")

COUNTED = "one two three four five six seven eight nine ten eleven twelve"
ENDLESS = " ".join([COUNTED] * 10)


async def test_an_answer_grows_until_it_is_whole(chat: ChatPage) -> None:
    await chat.page.evaluate(
        """() => {
            window.shown = [];
            const note = () => window.shown.push(document.querySelector(".markdown")?.innerText);
            new MutationObserver(note).observe(document.querySelector("[role=log]"),
                { childList: true, characterData: true, subtree: true });
        }"""
    )
    await chat.ask(scripted("Count.", COUNTED, rate=8))
    await chat.is_answered()
    shown = [text for text in await chat.page.evaluate("window.shown") if text]
    assert shown[-1] == COUNTED
    assert len(set(shown)) > 2
    assert all(after.startswith(before) for before, after in pairwise(shown))


async def test_a_question_stands_there_at_once_and_once(chat: ChatPage) -> None:
    question = scripted("Is it there?", "Yes.", delay=1)
    await chat.ask(question)
    asked = chat.page.get_by_role("article", name="You asked")
    await expect(asked).to_have_text(question)
    await expect(chat.box).to_have_value("")
    await chat.is_answered()
    await expect(asked).to_have_count(1)


async def test_a_second_question_is_answered_below_the_first(chat: ChatPage) -> None:
    await chat.ask(scripted("First?", "First answer."))
    await chat.is_answered()
    await chat.ask(scripted("Second?", "Second answer."))
    await expect(chat.text).to_have_text("Second answer.")
    await expect(chat.page.get_by_role("article", name="Answer")).to_have_count(2)


async def test_it_says_which_agent_is_at_work(chat: ChatPage) -> None:
    await chat.ask(scripted("Who is it?", "Me.", delay=2))
    await expect(chat.answer).to_contain_text("Writing")
    await chat.is_answered()
    await expect(chat.answer).not_to_contain_text("Writing")


async def test_stop_ends_the_answer_and_keeps_what_was_said(chat: ChatPage) -> None:
    await chat.ask(scripted("Count.", ENDLESS, rate=5))
    await expect(chat.text).to_contain_text("two")
    await chat.stop.click()
    await expect(chat.answer).to_contain_text("Stopped")
    await chat.is_answered()
    said = await chat.text.inner_text()
    assert ENDLESS.startswith(said)
    assert said != ENDLESS


async def test_escape_in_the_box_stops_too(chat: ChatPage) -> None:
    await chat.ask(scripted("Count.", ENDLESS, rate=5))
    await expect(chat.text).to_contain_text("two")
    await chat.box.press("Escape")
    await expect(chat.answer).to_contain_text("Stopped")


async def test_a_failure_is_told_in_words_and_the_question_can_be_asked_again(
    chat: ChatPage,
) -> None:
    await chat.ask(scripted("Does it work?", status=401))
    alert = chat.answer.get_by_role("alert")
    await expect(alert).to_contain_text(re.compile(r"\w+ \w+ \w+"))
    await alert.get_by_role("button", name="Ask again").click()
    await expect(chat.page.get_by_role("article", name="You asked")).to_have_count(2)


async def test_reasoning_is_there_for_who_asks(chat: ChatPage) -> None:
    await chat.ask(scripted("Think.", "Done.", reasoning=5))
    await chat.is_answered()
    thoughts = chat.answer.get_by_role("group")
    await expect(thoughts.locator("p")).to_be_hidden()
    await thoughts.get_by_text("What it thought").click()
    await expect(thoughts.locator("p")).to_be_visible()


async def test_another_tab_sees_the_same_answer_grow(chat: ChatPage, open_tab: OpenTab) -> None:
    await chat.ask(scripted("Count.", COUNTED, rate=6))
    await expect(chat.text).to_contain_text("one")
    other = await open_tab()
    await other.open("#" + chat.page.url.partition("#")[2])
    await expect(other.text).to_contain_text("one")
    await chat.is_answered()
    await other.is_answered()
    assert await other.text.inner_text() == COUNTED
