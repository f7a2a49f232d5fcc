"""What a model's server may do wrong opens its breaker, and nothing else does, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from uuid import uuid4

import pytest

from app.infra.llm.deadlines import ModelDeadlines
from app.infra.llm.guarded_chat_model import GuardedChatModel
from app.infra.llm.retrying_chat_model import RetryingChatModel
from app.infra.memory.circuits import MemoryCircuits
from app.infra.resilience.breakers import PyBreakers
from core.errors import AppError, DeadlineExceeded, ModelRefused, ModelUnavailable
from core.ports.breakers import CircuitState
from tests.contract.test_chat_model import Notes, ask, made
from tests.support.breaker_nodes import all_are, state
from tests.support.model_server import ModelServer
from tests.support.redis_nodes import until

FAILURES = 3
NAME = "model:scripted/scripted-1"
SHORT = ModelDeadlines(connect=10, first_token=0.3, idle=0.3, total=0.6)
GENEROUS = ModelDeadlines(connect=10, first_token=20, idle=20, total=60)

FAULTS = {
    "no head of an answer": ("fault=hang at=-1", DeadlineExceeded),
    "no first token": ("fault=hang at=0", DeadlineExceeded),
    "silence in the middle": ("fault=hang at=2", DeadlineExceeded),
    "drips without end": ("tokens=1000 rate=20", DeadlineExceeded),
    "429": ("status=429", ModelUnavailable),
    "429 with a pause": ("status=429 retry_after=7", ModelUnavailable),
    "500": ("status=500", ModelUnavailable),
    "503": ("status=503", ModelUnavailable),
    "reset before the head": ("fault=reset at=-1", ModelUnavailable),
    "reset in the middle": ("fault=reset at=2 rate=50", ModelUnavailable),
    "truncated": ("fault=truncate at=2", ModelUnavailable),
    "malformed": ("fault=malformed at=2", ModelUnavailable),
    "an error in the stream": ("fault=error at=2", ModelUnavailable),
}


@asynccontextmanager
async def guarded(
    server: ModelServer,
    deadlines: ModelDeadlines = GENEROUS,
    *,
    kind: str = "fast",
    open_seconds: float = 60,
) -> AsyncIterator[tuple[GuardedChatModel, PyBreakers]]:
    breakers = PyBreakers(MemoryCircuits(), failures=FAILURES, open_seconds=open_seconds)
    retrying = RetryingChatModel(made(kind, server.openai_url, deadlines), pause_seconds=0)
    chat = GuardedChatModel(retrying, breakers, provider="scripted", seconds=60)
    try:
        yield chat, breakers
    finally:
        await chat.close()


async def fail(chat: GuardedChatModel, script: str, error: type[AppError]) -> None:
    with pytest.raises(error):
        await chat.stream(ask(script), Notes())


async def opened(chat: GuardedChatModel) -> None:
    for _ in range(FAILURES):
        await fail(chat, "[[status=500]]", ModelUnavailable)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_opens_the_breaker_after_so_many_in_a_row(
    model: ModelServer, fault: str
) -> None:
    script, error = FAULTS[fault]
    mark = uuid4().hex
    # Only what waits for a deadline needs a short one: a busy machine may miss it at any time.
    deadlines = SHORT if error is DeadlineExceeded else GENEROUS
    async with guarded(model, deadlines) as (chat, breakers):
        for number in range(FAILURES):
            assert state(breakers, NAME) is not CircuitState.OPEN, number
            await fail(chat, f"[[{script}]]", error)
        started_at = perf_counter()
        with pytest.raises(ModelUnavailable) as caught:
            await chat.stream(ask(mark), Notes())
        print(f"open: {(perf_counter() - started_at) * 1000:.3f} ms")
        assert caught.value.retry_after_seconds
        assert caught.value.retry_after_seconds > 50
    assert await model.requests_with(mark) == []


async def test_a_reply_that_came_with_a_retry_does_not_count(model: ModelServer) -> None:
    async with guarded(model) as (chat, breakers):
        for _ in range(FAILURES * 2):
            mark = uuid4().hex
            await chat.stream(ask(f"{mark} [[tokens=1 status=503 failures=1]]"), Notes())
        assert state(breakers, NAME) is CircuitState.CLOSED


async def test_a_server_that_refuses_works(model: ModelServer) -> None:
    async with guarded(model) as (chat, breakers):
        for status in (400, 401, 403, 404, 422):
            await fail(chat, f"[[status={status}]]", ModelRefused)
        assert state(breakers, NAME) is CircuitState.CLOSED


@pytest.mark.parametrize("kind", ["fast", "langchain"])
async def test_a_hundred_users_who_cancel_keep_it_closed(model: ModelServer, kind: str) -> None:
    async with guarded(model, kind=kind) as (chat, breakers):
        all_notes = [Notes() for _ in range(100)]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(chat.stream(ask("[[fault=hang at=1]]"), notes))
                for notes in all_notes
            ]
            for notes in all_notes:
                await notes.begun.wait()
            for task in tasks:
                task.cancel()
        assert all(task.cancelled() for task in tasks)
        assert [(one.state, one.failures) for one in breakers.reports()] == [
            (CircuitState.CLOSED, 0)
        ]


async def test_one_of_a_hundred_asks_whether_the_model_is_back(model: ModelServer) -> None:
    mark = uuid4().hex

    async with guarded(model, open_seconds=0.3) as (chat, breakers):

        async def try_it() -> str:
            try:
                return (await chat.stream(ask(f"{mark} [[tokens=2 delay=0.3]]"), Notes())).text
            except ModelUnavailable:
                return "refused"

        await opened(chat)
        await all_are(CircuitState.HALF_OPEN, breakers, name=NAME)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(try_it()) for _ in range(100)]
        texts = [task.result() for task in tasks]
        assert (texts.count("word1 word2 "), texts.count("refused")) == (1, 99)
        assert len(await model.requests_with(mark)) == 1
        assert await try_it() == "word1 word2 "


async def test_the_first_word_of_a_probe_lets_the_others_in(model: ModelServer) -> None:
    async with guarded(model, open_seconds=0.3) as (chat, breakers):
        await opened(chat)
        await all_are(CircuitState.HALF_OPEN, breakers, name=NAME)
        notes = Notes()
        async with asyncio.TaskGroup() as group:
            probe = group.create_task(chat.stream(ask("[[fault=hang at=1]]"), notes))
            await notes.begun.wait()
            await until(lambda: state(breakers, NAME) is CircuitState.CLOSED)
            assert (await chat.stream(ask("[[tokens=1]]"), Notes())).text == "word1 "
            probe.cancel()
