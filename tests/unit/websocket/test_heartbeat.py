"""When sockets are visited."""

import asyncio
from collections import Counter

import pytest

from app.infra.websocket.heartbeat import Heartbeat

SLOTS = 10


class Visited:
    """Counts its visits."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.visits = 0
        self.beats = 0
        self._failure = failure

    def visit(self, now: float, *, is_beat: bool) -> None:
        self.visits += 1
        self.beats += is_beat
        if self._failure:
            raise self._failure


@pytest.mark.parametrize("beat_seconds", [0.05, 1.0, 2.0, 7.0])
def test_every_socket_beats_once_in_the_time_of_a_beat(beat_seconds: float) -> None:
    heartbeat = Heartbeat(beat_seconds)
    sockets = [Visited() for _ in range(25)]
    for socket in sockets:
        heartbeat.add(socket)
    rounds = max(1, round(beat_seconds))
    for step in range(rounds * SLOTS):
        heartbeat.visit_slot(step, now=0)
    assert {socket.beats for socket in sockets} == {1}
    assert {socket.visits for socket in sockets} == {rounds}


def test_the_beats_are_spread_over_time() -> None:
    heartbeat = Heartbeat(2.0)
    sockets = [Visited() for _ in range(100)]
    for socket in sockets:
        heartbeat.add(socket)
    spread = Counter[int]()
    for step in range(2 * SLOTS):
        before = sum(socket.beats for socket in sockets)
        heartbeat.visit_slot(step, now=0)
        spread[step] = sum(socket.beats for socket in sockets) - before
    assert max(spread.values()) == SLOTS


def test_a_socket_that_left_is_not_visited() -> None:
    heartbeat = Heartbeat(1.0)
    socket = Visited()
    heartbeat.add(socket)
    heartbeat.discard(socket)
    for step in range(SLOTS):
        heartbeat.visit_slot(step, now=0)
    assert socket.visits == 0


def test_a_bug_in_one_socket_does_not_stop_the_others() -> None:
    heartbeat = Heartbeat(1.0)
    sockets = [Visited(ValueError()), *(Visited() for _ in range(2 * SLOTS))]
    for socket in sockets:
        heartbeat.add(socket)
    for step in range(SLOTS):
        heartbeat.visit_slot(step, now=0)
    assert {socket.visits for socket in sockets} == {1}


async def test_it_goes_round_until_it_is_cancelled() -> None:
    heartbeat = Heartbeat(0.01)
    beaten = asyncio.Event()

    class Beaten:
        def visit(self, now: float, *, is_beat: bool) -> None:
            beaten.set()

    heartbeat.add(Beaten())
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(heartbeat.run())
        await beaten.wait()
        running.cancel()
