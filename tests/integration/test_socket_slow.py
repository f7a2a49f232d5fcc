"""The socket over the real server: clients that do not read what they asked for."""

import asyncio
import json
import socket
from contextlib import ExitStack

from core.principal import LOCAL
from tests.support.socket_peer import CONVERSATION, HELLO, RUN, subscribe
from tests.support.socket_server import (
    RunningDoor,
    deaf_client,
    masked,
    running_door,
    welcomed,
)

EVENT = json.dumps({"type": "CUSTOM", "name": "n", "value": "x" * 8_000})
GREETING = (json.dumps(HELLO), json.dumps(subscribe()))
# What a close frame with 4108 looks like: FIN and opcode 8, then the code in two bytes.
SLOW = (4108).to_bytes(2)


async def present(door: RunningDoor) -> int:
    """Return how many are welcomed and not gone; each look is a turn of the server's loop."""
    return len(await door.call(door.backstage.presence.connections(LOCAL.tenant_id)))


async def until_present(door: RunningDoor, count: int) -> None:
    while await present(door) != count:
        pass


async def talk_until_alone(door: RunningDoor) -> None:
    """Say things until the only one who is left is the one who listens."""
    conversation = door.backstage.readings.add(CONVERSATION)
    async with welcomed(door) as healthy:
        assert (await healthy.ask(subscribe()))["type"] == "subscribed"
        sequence = 0
        while sequence == 0 or await present(door) > 1:
            await door.do(lambda: conversation.say(RUN, EVENT))
            ((heard, _),) = await healthy.hear_events(1)
            sequence += 1
            assert heard == sequence


async def test_clients_that_never_read_are_cut_off_and_others_go_on() -> None:
    async with running_door(send_timeout_seconds=0.2, beat_seconds=0.1) as door:
        door.backstage.readings.add(CONVERSATION)
        with ExitStack() as deaf:
            for _ in range(5):
                deaf.enter_context(deaf_client(door, *GREETING))
            await until_present(door, 5)
            await talk_until_alone(door)


async def test_a_client_that_reads_again_hears_why_it_was_cut_off() -> None:
    async with running_door(send_timeout_seconds=10, beat_seconds=0.1) as door:
        door.backstage.readings.add(CONVERSATION)
        with deaf_client(door, *GREETING) as deaf:
            await until_present(door, 1)
            await talk_until_alone(door)
            taken = await asyncio.to_thread(take_all, deaf)
        assert SLOW in taken[-30:]


def take_all(raw: socket.socket) -> bytes:
    """Return all that comes up to the end of the connection, answering the close."""
    taken = b""
    raw.settimeout(10)
    while piece := raw.recv(65536):
        taken += piece
        if SLOW in taken[-30:]:
            raw.sendall(masked(SLOW, opcode=8))
    return taken
