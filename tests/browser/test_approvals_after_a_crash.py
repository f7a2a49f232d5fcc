"""A server that dies while a call waits for the person: the page stays, and so does the card."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.test_approvals import Desk, button
from tests.support.colloquy import RunningServer, server_process
from tests.support.effect_sink import EffectSink, effect_sink

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Place:
    """A server that comes back where it was, after a crash."""

    folder: Path
    settings: dict[str, str]
    stack: ExitStack
    sink: EffectSink
    server: RunningServer | None = None

    @property
    def url(self) -> str:
        """Where it is, also while it is not."""
        return f"http://127.0.0.1:{self.settings['PORT']}/"

    def start(self, **settings: str) -> RunningServer:
        """Start it, with settings for this time only."""
        process = server_process(self.folder, **self.settings, **settings)
        self.server = self.stack.enter_context(process)
        return self.server

    async def crashed(self) -> None:
        """Wait until it has ended by itself."""
        assert self.server is not None
        await asyncio.to_thread(self.server.process.wait, 30)

    async def crash(self) -> None:
        """End it without a word."""
        assert self.server is not None
        await self.server.kill()


@pytest.fixture
def place(
    tmp_path: Path, with_model: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[Place]:
    """Give a server of the test's own. Parameters are its settings before the crash."""
    with ExitStack() as stack:
        sink = stack.enter_context(effect_sink())
        settings = {**with_model, "WEBHOOKS": f"ops={sink.url}", "PORT": str(_free_port())}
        place = Place(tmp_path, settings, stack, sink)
        place.start(**getattr(request, "param", {}))
        yield place


@pytest.fixture
def base_url(place: Place) -> str:
    """Where the page is."""
    return place.url


@pytest.fixture
def desk(chat: ChatPage, place: Place) -> Desk:
    """Give a page of its own."""
    return Desk(chat, place.sink, uuid4().hex)


async def test_a_card_outlives_the_server(place: Place, desk: Desk) -> None:
    await desk.ask("one", before="I will tell the others.")
    await place.crash()
    await asyncio.to_thread(place.start)
    await expect(desk.tools).to_have_text("Waiting for you: send_webhook")
    await button(desk.cards, "Approve").click()
    await expect(desk.chat.text.last).to_contain_text("answered 200")
    assert desk.posted() == ["one"]


async def test_a_card_is_there_for_who_opens_the_page_after_the_crash(
    place: Place, desk: Desk
) -> None:
    await desk.ask("one", "two", before="I will tell the others.")
    await place.crash()
    await asyncio.to_thread(place.start)
    await desk.chat.page.evaluate("sessionStorage.clear()")
    await desk.chat.page.reload()
    await expect(desk.cards).to_have_count(2)
    parts = desk.chat.answer.locator(".markdown, summary")
    waiting = "Waiting for you: send_webhook"
    await expect(parts).to_have_text(["I will tell the others.", waiting, waiting])
    await button(desk.cards.first, "Reject").click()
    await expect(desk.cards).to_have_count(1)
    await button(desk.cards.first, "Approve").click()
    await expect(desk.chat.text.last).to_contain_text("answered 200")
    assert desk.posted() == ["two"]


@pytest.mark.parametrize("place", [{"COLLOQUY_FAILPOINT": "after_effect"}], indirect=True)
@pytest.mark.parametrize(
    ("says", "line", "times"),
    [
        ("It happened", "it happened, as you said", 1),
        ("Do it again", "done again, as you said", 2),
        ("Leave it", "left, as you said", 1),
    ],
)
async def test_where_nobody_knows_what_happened_the_person_is_asked(
    place: Place, desk: Desk, says: str, line: str, times: int
) -> None:
    await desk.ask("one")
    await button(desk.cards, "Approve").click()
    await place.crashed()
    await asyncio.to_thread(place.start)
    await expect(desk.cards.get_by_role("heading")).to_have_text("Did it happen: send_webhook?")
    await expect(desk.cards).to_contain_text("It may have happened or not")
    await expect(desk.cards.locator("pre")).to_contain_text('"one"')
    assert desk.posted() == ["one"]
    await desk.chat.keep_picture("page-approval-unknown")
    await button(desk.cards, says).click()
    await expect(desk.cards).to_have_count(0)
    await desk.chat.is_answered()
    await expect(desk.tools).to_contain_text(line)
    assert desk.posted() == ["one"] * times


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
