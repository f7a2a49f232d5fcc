"""How the one application lives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Message, Scope

from app.api.entrance import Doors, Entrance
from core.errors import SettingsError
from tests.support.asgi import echo

LIFESPAN: Scope = {"type": "lifespan"}


async def nothing() -> None:
    return


async def live(entrance: Entrance) -> list[Message]:
    """Start the application and shut it down; return what it said."""
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    said: list[Message] = []

    async def receive() -> Message:
        return next(asked)

    async def send(message: Message) -> None:
        said.append(message)

    await entrance(LIFESPAN, receive, send)
    return said


async def test_the_house_is_open_between_start_and_shutdown() -> None:
    moments: list[str] = []

    @asynccontextmanager
    async def open_house() -> AsyncIterator[Doors]:
        moments.append("opened")
        yield Doors(echo, echo, nothing)
        moments.append("closed")

    said = await live(Entrance(open_house))

    assert moments == ["opened", "closed"]
    assert [message["type"] for message in said] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_a_house_that_cannot_be_opened_says_why_in_a_sentence() -> None:
    @asynccontextmanager
    async def open_house() -> AsyncIterator[Doors]:
        raise SettingsError("DATA_DIR: in use by another server.")
        yield

    entrance = Entrance(open_house)
    ended: list[bool] = []
    entrance.on_failure = lambda: ended.append(True)
    said = await live(entrance)

    assert ended
    assert said == [
        {"type": "lifespan.startup.failed", "message": "DATA_DIR: in use by another server."}
    ]


async def test_a_house_that_falls_in_ends_the_process() -> None:
    @asynccontextmanager
    async def open_house() -> AsyncIterator[Doors]:
        yield Doors(echo, echo, nothing)
        raise ZeroDivisionError

    entrance = Entrance(open_house)
    ended: list[bool] = []
    entrance.on_failure = lambda: ended.append(True)
    said = await live(entrance)

    assert ended
    assert said[-1]["type"] == "lifespan.shutdown.failed"
