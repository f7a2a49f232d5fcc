"""Webhooks reach the addresses that the settings name, and say honestly what became of a call."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from app.infra.web import configured_webhooks
from app.infra.web.configured_webhooks import ConfiguredWebhooks, read_addresses
from core.errors import SettingsError
from core.ports.web import FetchFailed

KEY = {"Idempotency-Key": "call-1"}
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Receiver:
    """Keeps what it was sent, and answers as it is told."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        length = next(line for line in head.lower().split("\r\n") if "content-length" in line)
        self.bodies.append(await reader.readexactly(int(length.partition(":")[2])))
        try:
            await self._answer(writer)
        finally:
            writer.close()


def answering(response: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(response)
        await writer.drain()

    return answer


async def never(writer: asyncio.StreamWriter) -> None:
    # The caller gives up and closes the connection.
    await writer.wait_closed()


@asynccontextmanager
async def receiving(answer: Answer) -> AsyncIterator[tuple[Receiver, ConfiguredWebhooks]]:
    receiver = Receiver(answer)
    async with await asyncio.start_server(receiver.serve, "127.0.0.1", 0) as listener:
        receiver.port = listener.sockets[0].getsockname()[1]
        address = f"http://ann:p%40ss@127.0.0.1:{receiver.port}/hook?token=hidden"
        webhooks = ConfiguredWebhooks.open(f"tickets={address}")
        try:
            yield receiver, webhooks
        finally:
            await webhooks.close()


async def test_a_webhook_is_posted_with_its_body_its_key_and_the_addresss_own_password() -> None:
    response = b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nmade"
    async with receiving(answering(response)) as (receiver, webhooks):
        assert webhooks.names == ("tickets",)
        assert await webhooks.send("tickets", {"title": "é"}, KEY) == (201, "made")
    assert [json.loads(body) for body in receiver.bodies] == [{"title": "é"}]
    head = receiver.heads[0].lower()
    assert head.startswith("post /hook?token=hidden http/1.1\r\n")
    assert "\r\nidempotency-key: call-1\r\n" in head
    assert "\r\ncontent-type: application/json\r\n" in head
    assert "\r\nauthorization: basic yw5uonbac3m=\r\n" in head


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    response = b"HTTP/1.1 307 Moved\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    async with receiving(answering(response)) as (receiver, webhooks):
        assert await webhooks.send("tickets", {}, KEY) == (307, "")
    assert len(receiver.heads) == 1


async def test_only_the_first_of_a_long_answer_is_read() -> None:
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 100_000
    async with receiving(answering(response)) as (_, webhooks):
        status, text = await webhooks.send("tickets", {}, KEY)
    assert (status, text) == (200, "x" * configured_webhooks.ANSWER_BYTES)


async def test_an_answer_that_breaks_off_after_its_status_is_an_answer() -> None:
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal"
    async with receiving(answering(response)) as (_, webhooks):
        assert await webhooks.send("tickets", {}, KEY) == (200, "hal")


@pytest.mark.parametrize("answer", [answering(b""), answering(b"what?\r\n\r\n"), never])
async def test_a_call_that_was_sent_and_not_answered_may_have_happened(
    answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configured_webhooks, "ANSWER_SECONDS", 0.1)
    async with receiving(answer) as (receiver, webhooks):
        with pytest.raises(FetchFailed, match="did not answer") as failed:
            await webhooks.send("tickets", {}, KEY)
    assert failed.value.may_have_happened
    assert len(receiver.bodies) == 1


async def test_a_call_that_reached_nobody_has_not_happened() -> None:
    async with receiving(never) as (_, webhooks):
        pass
    with pytest.raises(FetchFailed, match="could not be reached") as failed:
        await webhooks.send("tickets", {}, KEY)
    assert not failed.value.may_have_happened
    assert "hidden" not in str(failed.value)


async def test_a_name_that_is_not_configured_is_a_key_error() -> None:
    webhooks = ConfiguredWebhooks.open("")
    assert webhooks.names == ()
    with pytest.raises(KeyError):
        await webhooks.send("tickets", {}, KEY)


def test_several_addresses_are_read_by_their_names() -> None:
    addresses = read_addresses(" a=http://10.0.0.1:8080/x?k=v=w , b-2=https://example.org/%2C,")
    assert {name: url.get_secret_value() for name, url in addresses.items()} == {
        "a": "http://10.0.0.1:8080/x?k=v=w",
        "b-2": "https://example.org/%2C",
    }
    assert "10.0.0.1" not in repr(addresses)


@pytest.mark.parametrize(
    "setting",
    [
        "a",
        "a=",
        "=http://secret",
        "A=http://secret/",
        "a=ftp://secret/",
        "a=secret",
        "a=http://",
        "a=http://secret/,b",
        "a=http://secret/,a=http://secret/",
    ],
)
def test_a_setting_that_is_wrong_is_told_without_its_urls(setting: str) -> None:
    with pytest.raises(SettingsError, match="WEBHOOKS") as wrong:
        read_addresses(setting)
    assert "secret" not in str(wrong.value)
