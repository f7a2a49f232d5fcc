"""The breakers of several nodes are one, with a real Redis, and each goes on without it."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

import pytest

from app.infra.redis.channels import ControlChannel
from app.infra.redis.circuits import FACTS, RedisCircuits
from app.infra.redis.connection import connect
from app.infra.resilience.breakers import PyBreakers
from core.ports.breakers import Breakers, CircuitState
from core.ports.circuits import CircuitWord
from tests.support.breaker_nodes import (
    FAILURES,
    NAME,
    OPEN_SECONDS,
    Outside,
    all_are,
    breaker_node,
    breaker_nodes,
    fail,
    outcome,
    report,
    state,
)
from tests.support.redis_nodes import until
from tests.support.redis_server import LossyProxy, RedisServer, redis_cluster, redis_server

ROOT = Path(__file__).parents[2]
LONG = 60.0


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


async def storm(nodes: Sequence[PyBreakers], calls: int = 100) -> list[str]:
    """Make so many calls at once, spread over the nodes; all but one have to end by themselves.

    Fails where more than one reached the outside.
    """
    outside = Outside(is_up=True)
    outside.open_gate.clear()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(outcome(nodes[number % len(nodes)], outside))
            for number in range(calls)
        ]
        await until(lambda: sum(task.done() for task in tasks) == calls - 1)
        outside.open_gate.set()
    assert outside.reached == 1
    return [task.result() for task in tasks]


async def share_everything(nodes: Sequence[PyBreakers]) -> None:
    """Open it on one node, probe it from all, close it from another."""
    await fail(nodes[0])
    await all_are(CircuitState.OPEN, *nodes)
    await all_are(CircuitState.HALF_OPEN, *nodes)
    outcomes = await storm(nodes)
    assert (outcomes.count("fine"), outcomes.count("refused")) == (1, 99)
    await all_are(CircuitState.CLOSED, *nodes)
    await fail(nodes[1])
    await all_are(CircuitState.OPEN, *nodes)
    assert await nodes[2].reset(NAME)
    await all_are(CircuitState.CLOSED, *nodes)


async def test_what_opens_here_opens_everywhere_and_one_of_all_calls_probes(
    redis: RedisServer,
) -> None:
    async with breaker_nodes(redis.url) as nodes:
        await share_everything(nodes)


async def test_it_works_on_a_redis_cluster() -> None:
    with redis_cluster() as servers:
        async with breaker_nodes(servers[0].url, is_cluster=True) as nodes:
            await share_everything(nodes)


async def test_failures_in_a_row_are_counted_over_all_nodes(redis: RedisServer) -> None:
    async with breaker_nodes(redis.url, open_seconds=LONG) as nodes:
        for node in nodes:
            await fail(node, 1)
        await all_are(CircuitState.OPEN, *nodes)


async def test_a_success_anywhere_ends_the_row_everywhere(redis: RedisServer) -> None:
    async with breaker_nodes(redis.url, open_seconds=LONG) as nodes:
        await fail(nodes[0], FAILURES - 1)
        await until(lambda: failures_of(nodes[1]) == FAILURES - 1)
        assert await outcome(nodes[1], Outside(is_up=True)) == "fine"
        await until(lambda: [failures_of(node) for node in nodes] == [0, 0, 0])
        await fail(nodes[0], FAILURES - 1)
        assert state(nodes[0]) is CircuitState.CLOSED


async def test_a_hundred_cancellations_on_three_nodes_keep_it_closed(redis: RedisServer) -> None:
    async with breaker_nodes(redis.url, open_seconds=LONG) as nodes:
        outside = Outside()
        outside.open_gate.clear()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(outcome(nodes[number % 3], outside)) for number in range(100)
            ]
            await until(lambda: outside.reached == 100)
            for task in tasks:
                task.cancel()
        assert [state(node) for node in nodes] == [CircuitState.CLOSED] * 3
        # What was told before is known everywhere, so a failure that was told would be too.
        await fail(nodes[0], 1)
        await until(lambda: [failures_of(node) for node in nodes] == [1, 1, 1])


async def test_a_hundred_failures_at_once_open_it_once(redis: RedisServer) -> None:
    async with breaker_nodes(redis.url, open_seconds=LONG) as nodes:
        outside = Outside()
        outside.open_gate.clear()
        async with asyncio.TaskGroup() as group:
            for number in range(99):
                group.create_task(outcome(nodes[number % 3], outside))
            await until(lambda: outside.reached == 99)
            outside.open_gate.set()
        await all_are(CircuitState.OPEN, *nodes)
        assert [node.counts()[NAME].opened for node in nodes] == [1, 1, 1]


async def test_a_node_that_dies_while_it_probes_does_not_hold_the_others_for_good(
    redis: RedisServer,
) -> None:
    async with breaker_nodes(redis.url, 2) as (first, second):
        await fail(first)
        await all_are(CircuitState.HALF_OPEN, first, second)
        outside = Outside(is_up=True)
        outside.open_gate.clear()
        async with asyncio.TaskGroup() as group:
            probe = group.create_task(outcome(first, outside, seconds=1))
            await until(lambda: outside.reached == 1)
            # It never says how the probe ended, as if it was killed.
            first._shared.tell = nothing  # type: ignore[method-assign]  # no other way to fall silent
            assert await outcome(second, Outside(is_up=True)) == "refused"
            probe.cancel()

        async def is_well() -> bool:
            return await outcome(second, Outside(is_up=True)) == "fine"

        await until(is_well)


async def test_a_node_that_starts_late_or_hears_nothing_knows_what_is_open(
    redis: RedisServer,
) -> None:
    async with breaker_node(redis.url, "node-1", open_seconds=LONG) as first:
        async with breaker_node(redis.url, "node-2", open_seconds=LONG, is_deaf=True) as deaf:
            await fail(first)
            await all_are(CircuitState.OPEN, deaf)
        async with breaker_node(redis.url, "node-3", open_seconds=LONG) as late:
            await all_are(CircuitState.OPEN, late)
            assert await late.reset(NAME)
            await all_are(CircuitState.CLOSED, first)


async def test_every_node_knows_the_name_of_every_breaker(redis: RedisServer) -> None:
    async with breaker_nodes(redis.url, 2, open_seconds=LONG) as (first, second):
        assert await outcome(first, Outside(is_up=True)) == "fine"
        await all_are(CircuitState.CLOSED, second)


async def test_without_redis_each_node_goes_on_alone_and_with_it_they_agree_again(
    redis: RedisServer,
) -> None:
    async with breaker_nodes(redis.url) as nodes:
        redis.kill()
        await fail(nodes[0])
        assert [state(node) for node in nodes[1:]] == [None, None]
        await all_are(CircuitState.HALF_OPEN, nodes[0])
        assert await eventually(nodes[0], Outside()) == "failed"
        assert state(nodes[0]) is CircuitState.OPEN
        redis.start()
        await until(lambda: all(is_troubled(node) for node in nodes))
        await all_are(CircuitState.HALF_OPEN, *nodes)
        assert await eventually(nodes[1], Outside(is_up=True)) == "fine"
        await all_are(CircuitState.CLOSED, *nodes)


async def test_a_redis_that_loses_everything_does_not_close_what_is_open(
    redis: RedisServer,
) -> None:
    async with breaker_nodes(redis.url, open_seconds=LONG) as nodes:
        await fail(nodes[0])
        await all_are(CircuitState.OPEN, *nodes)
        redis.restart()
        async with breaker_node(redis.url, "node-9", open_seconds=LONG) as late:
            await all_are(CircuitState.OPEN, late, *nodes)
            assert await nodes[0].reset(NAME)
            await all_are(CircuitState.CLOSED, late, *nodes)


async def test_what_a_node_learned_alone_counts_where_nobody_knows_better() -> None:
    with redis_server(has_aof=True) as redis:
        async with breaker_nodes(redis.url, open_seconds=LONG) as nodes:
            await fail(nodes[0], 1)
            await until(lambda: [failures_of(node) for node in nodes] == [1, 1, 1])
            redis.kill()
            await fail(nodes[0], FAILURES - 1)
            assert state(nodes[0]) is CircuitState.OPEN
            redis.start()
            await all_are(CircuitState.OPEN, *nodes)


async def test_an_answer_of_redis_that_is_overtaken_changes_nothing(redis: RedisServer) -> None:
    async with (
        LossyProxy(redis.port) as proxy,
        breaker_node(proxy.url, "node-1", open_seconds=LONG) as node,
    ):
        proxy.delay_seconds = 0.1
        await fail(node, 1)
        await until(lambda: redis.ask("HEXISTS", FACTS, NAME) == ":1")
        await fail(node, FAILURES - 1)
        await fail(node, 1, name="tool:last")
        await until(lambda: all(facts.version for facts in node.facts()))
        assert state(node) is CircuitState.OPEN
        assert node.counts()[NAME].opened == 1


async def test_a_redis_that_is_late_again_and_again_is_not_asked(redis: RedisServer) -> None:
    client = connect(redis.url)
    channel = ControlChannel(client, "node-1")
    circuits = RedisCircuits(client, channel, failures=FAILURES, open_seconds=LONG)
    redis.pause()
    waits = [await circuits.take_probe(NAME, "token", 10) for _ in range(6)]
    redis.go_on()
    await client.aclose()
    assert [wait == 0 for wait in waits] == [False, False, True, True, True, True]


async def test_a_redis_that_hangs_is_not_waited_for(redis: RedisServer) -> None:
    async with breaker_nodes(redis.url, 1, open_seconds=0.1) as (node,):
        await fail(node)
        redis.pause()
        try:
            await all_are(CircuitState.HALF_OPEN, node)
            assert await eventually(node, Outside(is_up=True)) == "fine"
            assert state(node) is CircuitState.CLOSED
        finally:
            redis.go_on()


async def test_how_soon_an_open_breaker_answers_is_printed(redis: RedisServer) -> None:
    async with breaker_nodes(redis.url, open_seconds=LONG) as nodes:
        await fail(nodes[0])
        await all_are(CircuitState.OPEN, *nodes)
        with_redis = [await refusal_ms(nodes[number % 3]) for number in range(999)]
        redis.kill()
        without = [await refusal_ms(nodes[number % 3]) for number in range(999)]
    for what, times in (("with Redis", with_redis), ("without", without)):
        times.sort()
        print(
            f"open, {what}: p50 {times[499]:.3f} ms, p95 {times[949]:.3f} ms, max {times[-1]:.3f}"
        )


async def test_three_processes_send_one_probe(redis: RedisServer) -> None:
    release = asyncio.Event()
    reached = 0

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal reached
        reached += 1
        await release.wait()
        writer.write(b"fine\n")
        writer.close()

    outside = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = outside.sockets[0].getsockname()[1]
    lines: list[str] = []
    async with outside, asyncio.timeout(60), node_processes(redis.url, port, calls=34) as nodes:
        async with breaker_node(redis.url, "node-0") as first:
            await fail(first)
            for node in nodes:
                assert await line_of(node) == "ready"
        async with asyncio.TaskGroup() as group:
            for node in nodes:
                group.create_task(let_go(node, lines))
            # Whoever is refused says so at once; the outside answers when all have had their turn.
            await until(lambda: lines.count("refused") == 3 * 34 - 1)
            release.set()
    assert reached == 1
    assert lines.count("fine") == 1


@asynccontextmanager
async def node_processes(url: str, port: int, *, calls: int) -> AsyncIterator[list[Process]]:
    """Run three nodes, each in a process of its own."""
    command = [sys.executable, "-m", "tests.support.breaker_process", url]
    processes: list[Process] = []
    try:
        for number in range(1, 4):
            arguments = [f"node-{number}", str(port), str(OPEN_SECONDS), str(calls)]
            processes.append(
                await asyncio.create_subprocess_exec(
                    *command, *arguments, cwd=ROOT, stdin=PIPE, stdout=PIPE
                )
            )
        yield processes
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def line_of(process: Process) -> str:
    """Return the next thing that it says; empty where it says nothing more."""
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode().strip():
        # The rest is its log.
        if line in ("ready", "refused", "fine"):
            return line
    return ""


async def let_go(process: Process, lines: list[str]) -> None:
    """Let it make its calls, and gather what it says."""
    assert process.stdin is not None
    process.stdin.write(b"go\n")
    while line := await line_of(process):
        lines.append(line)


def nothing(name: str, word: CircuitWord, token: str = "") -> None:
    """Tell nobody."""


async def eventually(node: Breakers, outside: Outside) -> str:
    """Return what the first call comes to that is not refused."""
    found: list[str] = []

    async def is_made() -> bool:
        found[:] = [await outcome(node, outside)]
        return found != ["refused"]

    await until(is_made)
    return found[0]


async def refusal_ms(node: Breakers) -> float:
    """Return how long an open breaker takes to say so."""
    started_at = perf_counter()
    assert await outcome(node, Outside()) == "refused"
    return (perf_counter() - started_at) * 1000


def failures_of(node: Breakers) -> int:
    """Return how many failures in a row a node knows of."""
    found = report(node)
    return found.failures if found else 0


def is_troubled(node: Breakers) -> bool:
    """Return whether a node knows that not all is well."""
    return state(node) in (CircuitState.OPEN, CircuitState.HALF_OPEN)
