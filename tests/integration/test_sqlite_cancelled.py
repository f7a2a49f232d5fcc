"""What a statement that was cancelled leaves behind on SQLite: nothing."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from app.infra.sql.eager_sqlite import EagerConnection, connect
from app.infra.sql.engine import Database

SECONDS = 20


async def opened(path: Path) -> EagerConnection:
    connection = connect(path)
    await connection
    return connection


async def let_others_run() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_close_ends_though_the_thread_was_stopped_meanwhile(
    tmp_path: Path, is_cancelled: bool
) -> None:
    connection, gate = await opened(tmp_path / "db"), threading.Event()
    working = asyncio.ensure_future(connection.call(lambda: gate.wait(SECONDS)))
    await let_others_run()
    closing = asyncio.ensure_future(connection.close())
    await let_others_run()
    connection.stop()
    if is_cancelled:
        closing.cancel()
        await let_others_run()
    gate.set()

    done, _ = await asyncio.wait([working, closing], timeout=SECONDS)

    assert done == {working, closing}


async def test_a_statement_that_is_cancelled_twice_leaves_no_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_begun, gate = asyncio.Event(), threading.Event()
    call, loop = EagerConnection.call, asyncio.get_running_loop()

    async def call_slowly(connection: EagerConnection, work: Callable[[], object]) -> object:
        def slow_work() -> object:
            loop.call_soon_threadsafe(is_begun.set)
            gate.wait(SECONDS)
            return work()

        return await call(connection, slow_work)

    async def ask() -> None:
        async with database.reading() as connection:
            monkeypatch.setattr(EagerConnection, "call", call_slowly)
            await connection.execute(text("SELECT 1"))

    database, before = Database.sqlite(tmp_path / "db"), asyncio.all_tasks()
    asking = asyncio.ensure_future(ask())
    await is_begun.wait()
    # As a task group does whose owner is cancelled while it ends.
    for _ in range(2):
        asking.cancel()
        await let_others_run()
    gate.set()
    left = asyncio.all_tasks() - before
    await asyncio.wait(left, timeout=SECONDS)

    assert all(task.done() for task in left)
    await database.close()
