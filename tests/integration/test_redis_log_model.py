"""The log in Redis against a model of what was rightly said, under any order of harm.

The model keeps, for each epoch, what the attempt that has the run has said. A reader may be late,
but never sees anything else, nothing twice, and no gap.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.infra.redis.log import losses as log_losses
from app.infra.redis.log import mirrors as log_mirrors
from app.infra.redis.log import speaker as log_speaker
from app.infra.redis.log.event_log import RedisEventLog
from core.conversations import LogMark
from core.errors import StorageUnavailable
from core.runs import Run
from tests.support.event_logs import (
    Reader,
    conversation_of,
    eventually,
    next_run,
    redis_log,
    run_of,
)
from tests.support.redis_server import RedisServer, redis_server

# 400 of 50 steps are 20,000.
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "8"))
STEPS = 50
NODES = st.integers(0, 1)
SECONDS = 20

_servers: list[RedisServer] = []


class LogMachine(RuleBasedStateMachine):
    """Two nodes, one conversation, a run at a time, readers on both nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.server = _servers[0]
        self.stack = AsyncExitStack()
        self.nodes: list[RedisEventLog] = []
        # What the database knows.
        self.mark = LogMark("e0", 0, 0)
        self.run_row = run_of("r1")
        self.owner = 0
        # The truth: by epoch, the events by sequence, and how many messages tell all up to a base.
        self.said: dict[str, dict[int, str]] = {"e0": {}}
        self.messages = {("e0", 0): 0}
        self.head = 0
        self.zombies: list[tuple[int, Run]] = []
        self.readers: list[tuple[int, Reader]] = []
        self.count = 0

    @initialize()
    def begin(self) -> None:
        self.server.ask("FLUSHALL")
        self.runner.run(self._begin())

    async def _begin(self) -> None:
        async def is_held(run: Run) -> bool:
            return run.fence == self.run_row.fence

        for _ in range(2):
            log = redis_log(self.server.url, conversation_bytes=3000, is_held=is_held)
            self.nodes.append(await self.stack.enter_async_context(log))
        await self.nodes[0].take(self.run_row, lambda: None)

    @rule(size=st.integers(1, 4), length=st.sampled_from([5, 300]), flush=st.booleans())
    def speak(self, size: int, length: int, flush: bool) -> None:
        self.runner.run(self._speak(size, length, flush))

    async def _speak(self, size: int, length: int, flush: bool) -> None:
        events = [f'"{self.count + number:0{length}}"' for number in range(size)]
        self.count += size
        log = self.nodes[self.owner]
        for number, event in enumerate(events, self.head + 1):
            self.said[self.mark.epoch][number] = event
        try:
            assert log.append(self.run_row, events) == self.head + size
        except KeyError:
            # It kept too little to fill an empty Redis: it is taken over.
            await self._take_over(1 - self.owner)
            return
        self.head += size
        if flush and not await self._is_flushed():
            await self._take_over(1 - self.owner)

    async def _is_flushed(self) -> bool:
        try:
            assert await self.nodes[self.owner].flushed(self.run_row, SECONDS)
        except KeyError:
            return False
        return True

    @rule(node=NODES)
    def end_run(self, node: int) -> None:
        self.runner.run(self._end_run(node))

    async def _end_run(self, node: int) -> None:
        # Every run has a last event.
        await self._speak(1, 5, flush=False)
        if not await self._is_flushed():
            await self._take_over(node)
            return
        mark = self.nodes[self.owner].leave(self.run_row, self.mark.messages + 2)
        assert mark == LogMark(self.mark.epoch, self.head, self.mark.messages + 2)
        self.mark = mark
        self.messages[mark.epoch, mark.head] = mark.messages
        self.run_row = next_run(self.run_row, mark, f"r{self.run_row.fence + 1}")
        self.owner = node
        await self.nodes[node].take(self.run_row, lambda: None)

    @rule(node=NODES)
    def take_over(self, node: int) -> None:
        self.runner.run(self._take_over(node))

    async def _take_over(self, node: int) -> None:
        self.zombies.append((self.owner, self.run_row))
        row = self.run_row
        row = replace(row, fence=row.fence + 1, attempt=row.attempt + 1, log=self.mark)
        self.run_row, self.owner = row, node

        async def is_taken() -> bool:
            try:
                taken = await self.nodes[node].take(row, lambda: None)
            except StorageUnavailable:
                return False
            if taken.restarted_at is not None:
                self.mark = taken.restarted_at
                self.head = self.mark.head
                self.said[self.mark.epoch] = {}
                self.messages[self.mark.epoch, self.mark.head] = self.mark.messages
                return True
            epoch = self.said[self.mark.epoch]
            before = self.mark.head
            for number, event in enumerate(taken.said, before + 1):
                assert epoch[number] == event
            # What was not flushed was never heard.
            self.head = before + len(taken.said)
            for number in [number for number in epoch if number > self.head]:
                del epoch[number]
            return True

        await eventually(is_taken)

    @rule(choice=st.integers(0, 20))
    def let_a_zombie_speak(self, choice: int) -> None:
        # Not a choice of those there are: how many depends on the time that things take.
        if self.zombies:
            self.runner.run(self._let_speak(*self.zombies[choice % len(self.zombies)]))

    async def _let_speak(self, node: int, run: Run) -> None:
        try:
            self.nodes[node].append(run, ['"zombie"'])
            await self.nodes[node].flushed(run, SECONDS)
        except KeyError:
            return
        raise AssertionError("a zombie spoke")

    @rule()
    def empty_redis(self) -> None:
        assert self.server.ask("FLUSHALL") == "+OK"

    @rule()
    def cut_connections(self) -> None:
        self.server.ask("CLIENT", "KILL", "TYPE", "pubsub")
        self.server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    @rule()
    def restart_redis(self) -> None:
        self.server.restart()

    @precondition(lambda self: len(self.readers) < 6)
    @rule(node=NODES)
    def open_reader(self, node: int) -> None:
        self.runner.run(self._open_reader(node))

    async def _open_reader(self, node: int) -> None:
        reader = ModelReader(self.nodes[node], self)
        await reader.open()
        self.readers.append((node, reader))

    @precondition(lambda self: self.readers)
    @rule(choice=st.integers(0, 5))
    def move_reader(self, choice: int) -> None:
        self.runner.run(self._move(*self.readers.pop(choice % len(self.readers))))

    async def _move(self, node: int, reader: Reader) -> None:
        reader.close()
        moved = ModelReader(self.nodes[1 - node], self)
        moved.told = reader.told
        await moved.open(reader.cursor)
        self.readers.append((1 - node, moved))

    @rule()
    def wait(self) -> None:
        self.runner.run(asyncio.sleep(0.004))

    @invariant()
    def nobody_heard_anything_else(self) -> None:
        if self.nodes:
            self.runner.run(self._read())

    async def _read(self) -> None:
        for _, reader in self.readers:
            try:
                while reader.take():
                    pass
            except LookupError:
                reader.close()
                await reader.open(reader.cursor)
            self._check(reader)

    def _check(self, reader: Reader) -> None:
        assert reader.cursor is not None
        truth = self.said[reader.cursor.epoch]
        for sequence, event in reader.told.items():
            assert truth.get(sequence) == event, (sequence, event)

    def teardown(self) -> None:
        try:
            if self.nodes:
                self.runner.run(self._finish())
        finally:
            self.runner.close()

    async def _finish(self) -> None:
        await self._speak(1, 5, flush=True)
        await self._speak(1, 5, flush=True)
        for _, reader in self.readers:
            await reader.until(self._is_at_the_end)
            self._check(reader)
            first = min(reader.told, default=self.head + 1)
            assert sorted(reader.told) == list(range(first, self.head + 1))
        await self.stack.aclose()

    def _is_at_the_end(self, reader: Reader) -> bool:
        return reader.cursor == (self.mark.epoch, self.head)


class ModelReader(Reader):
    """A reader that looks the conversation up in the model each time it opens the log."""

    def __init__(self, log: RedisEventLog, machine: LogMachine) -> None:
        super().__init__(log, conversation_of(machine.mark))
        self._machine = machine

    async def open(self, after: object = None) -> None:
        """See `Reader`; a Redis that is just coming back is tried again."""

        async def is_open() -> bool:
            self.conversation = conversation_of(self._machine.mark)
            try:
                await super(ModelReader, self).open(after)  # type: ignore[arg-type]
            except StorageUnavailable:
                return False
            return True

        await eventually(is_open)
        assert self.cursor is not None
        bounds = await self._tail.open(self.conversation, None)
        assert self._machine.messages[bounds.epoch, bounds.base] == bounds.base_messages


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(log_mirrors, "CHECK_SECONDS", 0.02)
    monkeypatch.setattr(log_losses, "CHECK_SECONDS", 0.02)
    monkeypatch.setattr(log_mirrors, "REBUILD_SECONDS", 0.02)
    # A run may be taken away at any moment here, not only when its lease has run out.
    monkeypatch.setattr(log_speaker, "SURE_SECONDS", 0.0)
    with redis_server() as running:
        _servers.append(running)
        yield
        _servers.clear()


@pytest.mark.timeout(3600)
def test_whatever_happens_readers_see_what_was_rightly_said(server: None) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        LogMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            # The same steps meet another timing each time: there is nothing to shrink.
            phases=[Phase.generate],
        ),
    )
