"""What a tool wants to do, shown to the person first, and what they say to it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.async_api import Locator, expect

from tests.browser.chat_page import ChatPage, scripted
from tests.browser.conftest import OpenTab
from tests.browser.test_access import AUDIT, PHONE
from tests.support.colloquy import server_process
from tests.support.effect_sink import EffectSink, effect_sink

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True, slots=True)
class Desk:
    """A page on which calls wait for the person, and what became of them outside."""

    chat: ChatPage
    sink: EffectSink
    of: str

    @property
    def cards(self) -> Locator:
        """What waits for the person."""
        return cards_of(self.chat)

    @property
    def tools(self) -> Locator:
        """The lines that say what was called."""
        return self.chat.page.locator("details.work > summary")

    async def ask(self, *words: str, before: str = "") -> None:
        """Ask for posts, and wait until each of them waits for the person."""
        await self.chat.ask(posts(self.of, *words, before=before))
        await expect(self.cards).to_have_count(len(words))

    def posted(self) -> list[Any]:
        """Return the words that were posted, in order."""
        bodies = [json.loads(body) for _, body in self.sink.effects]
        return [body["word"] for body in bodies if body["of"] == self.of]


def cards_of(chat: ChatPage) -> Locator:
    """Return what waits for the person in a tab."""
    waiting = chat.page.get_by_role("region", name="Waiting for you")
    return waiting.get_by_role("region")


def button(card: Locator, name: str) -> Locator:
    """Return one of a card's buttons."""
    return card.get_by_role("button", name=name, exact=True)


def posts(of: str, *words: str, before: str = "") -> str:
    """Return a question upon which the model wants these words posted, each by a call."""
    calls = [
        {"name": "send_webhook", "arguments": {"name": "ops", "body": {"of": of, "word": word}}}
        for word in words
    ]
    script = {"before": before} if before else {}
    return scripted("Post it.", "Came to: {results}", calls=json.dumps(calls), **script)


@pytest.fixture(scope="module")
def sink() -> Iterator[EffectSink]:
    """Give the outside."""
    with effect_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def base_url(
    tmp_path_factory: pytest.TempPathFactory, with_model: dict[str, str], sink: EffectSink
) -> Iterator[str]:
    """Where the page of a server is that may post to the outside once a person said yes."""
    settings = {**with_model, "WEBHOOKS": f"ops={sink.url}"}
    with server_process(tmp_path_factory.mktemp("approvals"), **settings) as server:
        yield server.url


@pytest.fixture
def desk(chat: ChatPage, sink: EffectSink) -> Desk:
    """Give a page of its own."""
    return Desk(chat, sink, uuid4().hex)


async def test_the_card_says_what_would_be_done_and_nothing_is_done_before(desk: Desk) -> None:
    await desk.ask("one", before="I will tell the others.")
    card = desk.cards
    await expect(card.get_by_role("heading")).to_have_text("May I use send_webhook?")
    shown = json.loads(await card.locator("pre").inner_text())
    assert shown == {"name": "ops", "body": {"of": desk.of, "word": "one"}}
    await expect(card).to_contain_text("can't be taken back")
    until = await card.locator("time").get_attribute("datetime")
    assert datetime.fromisoformat(until or "") > datetime.now(UTC)
    await expect(desk.chat.box).to_be_enabled()
    assert desk.posted() == []


async def test_an_approved_call_is_made_once_and_the_answer_goes_on(desk: Desk) -> None:
    await desk.ask("one")
    await button(desk.cards, "Approve").dblclick(force=True)
    await expect(desk.chat.text).to_contain_text("answered 200")
    await expect(desk.cards).to_have_count(0)
    assert desk.posted() == ["one"]
    await expect(desk.tools).to_have_text("Used send_webhook · you approved it")


async def test_a_call_stands_below_what_was_said_before_it(desk: Desk) -> None:
    await desk.ask("one", before="I will tell the others.")
    await expect(desk.tools).to_have_text("Waiting for you: send_webhook")
    parts = desk.chat.answer.locator(":scope > *")
    await expect(parts.first).to_have_text("I will tell the others.")
    await expect(parts.last).not_to_have_text("I will tell the others.")


async def test_what_is_said_after_a_call_stands_below_it(chat: ChatPage) -> None:
    calls = json.dumps([{"name": "calculate", "arguments": {"expression": "6*7"}}])
    await chat.ask(scripted("Reckon.", "It is done.", calls=calls, before="Let me see."))
    await chat.is_answered()
    parts = await chat.answer.locator(".markdown, summary").all_inner_texts()
    assert parts == ["Let me see.", "Used calculate", "It is done."]


async def test_a_rejected_call_is_not_made_and_the_model_hears_of_it(desk: Desk) -> None:
    await desk.ask("one")
    await button(desk.cards, "Reject").click()
    await expect(desk.chat.text).to_contain_text("The person said no")
    await expect(desk.tools).to_have_text("Did not use send_webhook · you rejected it")
    assert desk.posted() == []


async def test_an_edited_call_is_made_with_what_the_person_wrote(desk: Desk) -> None:
    await desk.ask("one")
    await button(desk.cards, "Edit").click()
    box = desk.cards.get_by_role("textbox", name="Arguments, as JSON")
    await expect(box).to_be_focused()
    await box.fill((await box.input_value()).replace("one", "other"))
    await button(desk.cards, "Approve these").click()
    await expect(desk.chat.text).to_contain_text("answered 200")
    assert desk.posted() == ["other"]
    await expect(desk.tools).to_contain_text("you changed and approved it")
    await desk.tools.click()
    await expect(desk.chat.page.locator("details.work")).to_contain_text("other")


@pytest.mark.parametrize("text", ["{", "[1]", "null", ""])
async def test_arguments_that_are_no_json_object_can_not_be_approved(desk: Desk, text: str) -> None:
    await desk.ask("one")
    await button(desk.cards, "Edit").click()
    await desk.cards.get_by_role("textbox").fill(text)
    await expect(desk.cards.get_by_role("alert")).to_have_text("This is not a JSON object.")
    await expect(button(desk.cards, "Approve these")).to_be_disabled()
    await button(desk.cards, "Back").click()
    await expect(button(desk.cards, "Approve")).to_be_enabled()
    await expect(desk.cards.locator("pre")).to_contain_text('"one"')


async def test_two_cards_are_answered_one_by_one(desk: Desk) -> None:
    await desk.ask("one", "two")
    first, second = desk.cards.filter(has_text='"one"'), desk.cards.filter(has_text='"two"')
    await expect(first).to_contain_text("1 of 2")
    # What is written in one card outlives the answer to the other.
    await button(first, "Edit").click()
    draft = first.get_by_role("textbox")
    await draft.fill((await draft.input_value()).replace('"one"', '"three"'))
    await button(second, "Approve").click()
    await expect(second).to_have_count(0)
    await expect(desk.tools).to_have_text(
        ["Waiting for you: send_webhook", "Used send_webhook · you approved it"]
    )
    assert desk.posted() == ["two"]
    await expect(desk.cards.get_by_role("textbox")).to_have_value(re.compile('"three"'))
    await button(desk.cards, "Approve these").click()
    await expect(desk.chat.text).to_contain_text("answered 200")
    assert desk.posted() == ["two", "three"]
    await expect(desk.chat.page.get_by_role("article", name="Answer")).to_have_count(2)


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_card_is_there_again_after_a_reload(desk: Desk, keeps: bool) -> None:
    await desk.ask("one", before="I will tell the others.")
    if not keeps:
        await desk.chat.page.evaluate("sessionStorage.clear()")
    await desk.chat.page.reload()
    await expect(desk.cards).to_have_count(1)
    await expect(desk.tools).to_have_text("Waiting for you: send_webhook")
    await button(desk.cards, "Approve").click()
    await expect(desk.chat.text.last).to_contain_text("answered 200")
    assert desk.posted() == ["one"]


async def test_a_card_is_in_every_tab_and_goes_where_another_one_answers(
    desk: Desk, open_tab: OpenTab
) -> None:
    await desk.ask("one")
    other = await open_tab()
    await other.open(urlsplit(desk.chat.page.url).fragment.join(["#", ""]))
    await expect(cards_of(other)).to_have_count(1)
    await button(cards_of(other), "Approve").click()
    await expect(other.text.last).to_contain_text("answered 200")
    await expect(desk.cards).to_have_count(0)
    await expect(desk.chat.text.last).to_contain_text("answered 200")
    await expect(desk.tools).to_have_text("Used send_webhook · you approved it")
    assert desk.posted() == ["one"]


async def test_another_question_passes_the_card_over(desk: Desk) -> None:
    await desk.ask("one")
    await desk.chat.ask(scripted("Never mind.", "All right."))
    await desk.chat.is_answered()
    await expect(desk.cards).to_have_count(0)
    await expect(desk.tools).to_have_text("Did not use send_webhook")
    assert desk.posted() == []


async def test_cards_are_answered_with_the_keyboard_alone(desk: Desk) -> None:
    await desk.ask("one", "two")
    page = desk.chat.page
    await desk.chat.tab_to(button(desk.cards.first, "Edit"), "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(desk.cards.get_by_role("textbox")).to_be_focused()
    await desk.chat.tab_to(button(desk.cards.first, "Back"))
    await page.keyboard.press("Enter")
    await expect(button(desk.cards.first, "Edit")).to_be_focused()
    await desk.chat.tab_to(button(desk.cards.first, "Approve"), "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(desk.cards).to_have_count(1)
    await expect(desk.cards.get_by_role("heading")).to_be_focused()
    await desk.chat.tab_to(button(desk.cards, "Reject"))
    await page.keyboard.press("Enter")
    await expect(desk.cards).to_have_count(0)
    await expect(desk.chat.box).to_be_focused()
    assert desk.posted() == ["one"]


async def test_a_card_is_announced(desk: Desk) -> None:
    await desk.ask("one", before="I will tell the others.")
    heard = desk.chat.page.locator(".for-screen-readers[role=status]")
    await expect(heard).to_contain_text("I will tell the others. Something waits for your answer")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_cards_have_names_and_enough_contrast(
    open_tab: OpenTab, sink: EffectSink, scheme: Literal["light", "dark"]
) -> None:
    desk = Desk(await open_tab(color_scheme=scheme), sink, uuid4().hex)
    await desk.ask("one", "two", before="I will tell the others.")
    await button(desk.cards.last, "Edit").click()
    await desk.cards.last.get_by_role("textbox").fill("{")
    assert await desk.chat.page.evaluate(AUDIT) == []
    await desk.chat.keep_picture(f"page-approval-{scheme}")


async def test_a_card_fits_on_a_phone(open_tab: OpenTab, sink: EffectSink) -> None:
    chat = await open_tab(viewport=PHONE, has_touch=True, is_mobile=True)
    desk = Desk(chat, sink, uuid4().hex)
    await desk.ask("unbreakable" * 40, "two")
    await chat.has_no_sideways_scroll()
    assert await chat.page.evaluate(AUDIT) == []
    await chat.keep_picture("page-approval-phone")
    await button(desk.cards.last, "Approve").click()
    await expect(desk.cards).to_have_count(1)
    assert desk.posted() == ["two"]
