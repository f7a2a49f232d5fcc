"""Reloads, lost sockets and lost frames: the answer is whole, and nobody is told."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from tests.browser.chat_page import ChatPage, scripted
from tests.browser.conftest import PATIENCE_MS, OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="session")

COUNTED = "one two three four five six seven eight nine ten eleven twelve"
ROUTE = "**/ws"


class Line:
    """The wire between page and server, with hands on it."""

    def __init__(self) -> None:
        self.sockets: list[WebSocketRoute] = []
        self.heard: list[str] = []
        self.news = asyncio.Event()
        self.is_mute = False
        self.frames_to_lose = 0

    async def lay(self, page: Page) -> None:
        """Stand between a page and the server from its first socket on."""
        await page.route_web_socket(ROUTE, self._connect)

    def _connect(self, route: WebSocketRoute) -> None:
        self.sockets.append(route)
        server = route.connect_to_server()
        is_first = len(self.sockets) == 1

        def pass_on(message: str | bytes) -> None:
            text = str(message)
            if self.is_mute and is_first:
                return
            if self.frames_to_lose and '"TEXT_MESSAGE_CONTENT"' in text:
                self.frames_to_lose -= 1
                return
            route.send(message)

        def hear(message: str | bytes) -> None:
            self.heard.append(str(message))
            self.news.set()
            server.send(message)

        server.on_message(pass_on)
        route.on_message(hear)

    async def hears(self, kind: str, times: int) -> None:
        """Wait until the page has said a command of one kind so many times."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while len(self.said(kind)) < times:
                self.news.clear()
                await self.news.wait()

    def said(self, kind: str) -> list[dict[str, object]]:
        """Return the page's commands of one kind."""
        commands = [json.loads(text) for text in self.heard]
        return [command for command in commands if command["type"] == kind]


async def is_whole(chat: ChatPage) -> None:
    """Check that there is one answer, whole, to one question, and no word about the trouble."""
    await chat.is_answered()
    assert await chat.text.inner_text() == COUNTED
    await expect(chat.page.get_by_role("article", name="Answer")).to_have_count(1)
    await expect(chat.page.get_by_role("article", name="You asked")).to_have_count(1)
    await expect(chat.page.get_by_text("can't be reached")).to_have_count(0)


async def test_a_reload_in_the_middle_ends_with_one_whole_answer(chat: ChatPage) -> None:
    await chat.ask(scripted("Count.", COUNTED, rate=6))
    await expect(chat.text).to_contain_text("three")
    await chat.page.reload()
    await is_whole(chat)


async def test_a_reload_right_after_the_question_loses_nothing(chat: ChatPage) -> None:
    await chat.ask(scripted("Count.", COUNTED, rate=20))
    await chat.page.reload()
    await is_whole(chat)


async def test_a_reload_asks_only_for_what_it_missed(open_tab: OpenTab) -> None:
    line = Line()
    chat = await open_tab(line.lay)
    await chat.ask(scripted("Count.", COUNTED, rate=20))
    await chat.is_answered()
    await chat.page.reload()
    await is_whole(chat)
    await line.hears("subscribe", 2)
    assert "after" in line.said("subscribe")[1]


async def _lose(open_tab: OpenTab, trouble: Callable[[Line], Awaitable[None]]) -> Line:
    """Ask, make trouble in the middle of the answer, and check that it ends whole."""
    line = Line()
    chat = await open_tab(line.lay)
    await chat.ask(scripted("Count.", COUNTED, rate=6))
    await expect(chat.text).to_contain_text("two")
    await trouble(line)
    await is_whole(chat)
    return line


async def test_a_socket_that_breaks_is_replaced_unnoticed(open_tab: OpenTab) -> None:
    async def break_it(line: Line) -> None:
        await line.sockets[-1].close(code=3000)

    line = await _lose(open_tab, break_it)
    assert len(line.sockets) == 2


async def test_a_server_that_goes_away_is_followed_unnoticed(open_tab: OpenTab) -> None:
    async def send_away(line: Line) -> None:
        await line.sockets[-1].close(code=4200)

    line = await _lose(open_tab, send_away)
    assert len(line.sockets) == 2


async def test_a_server_that_falls_silent_is_left(open_tab: OpenTab) -> None:
    async def mute(line: Line) -> None:
        line.is_mute = True

    line = await _lose(open_tab, mute)
    assert len(line.sockets) == 2


async def test_a_lost_frame_is_asked_for_again(open_tab: OpenTab) -> None:
    async def lose_one(line: Line) -> None:
        line.frames_to_lose = 1

    line = await _lose(open_tab, lose_one)
    assert len(line.sockets) == 1
    assert "after" in line.said("subscribe")[-1]


async def test_a_question_asked_without_a_socket_is_sent_once_there_is_one(
    open_tab: OpenTab,
) -> None:
    line = Line()
    chat = await open_tab(line.lay)
    await line.sockets[-1].close(code=3000)
    await chat.ask(scripted("Count.", COUNTED, rate=50))
    await is_whole(chat)


async def test_a_server_that_wants_no_return_is_told_in_a_sentence(open_tab: OpenTab) -> None:
    line = Line()
    chat = await open_tab(line.lay)
    await line.sockets[-1].close(code=4001)
    await expect(chat.page.get_by_text("Reload the page")).to_be_visible()
    assert len(line.sockets) == 1
