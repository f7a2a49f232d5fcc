"""What the log of all conversations keeps, and what it forgets."""

import pytest

from app.infra.memory.event_log import MemoryEventLog
from core.ids import ConversationId, RunId
from core.ports.event_log import Cursor

A, B, RUN = ConversationId("a"), ConversationId("b"), RunId("r")


async def test_a_log_is_opened_once() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=1000)
    first = await log.open(A, 0)
    log.append(A, RUN, ["x"])

    again = await log.open(A, 7)

    assert again.epoch == first.epoch
    assert (again.base, again.head) == (0, 1)


async def test_what_nobody_reads_makes_room_once_it_is_on_disk() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=10)
    first = await log.open(A, 0)
    log.append(A, RUN, ["x" * 100])
    log.settle(A, 2)

    await log.open(B, 0)

    assert (await log.open(A, 2)).epoch != first.epoch


async def test_a_watched_log_is_never_forgotten_to_make_room() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=10)
    first = await log.open(A, 0)
    log.watch(A, lambda: None)
    log.append(A, RUN, ["x" * 100])
    log.settle(A, 2)

    await log.open(B, 0)

    assert (await log.open(A, 2)).epoch == first.epoch


async def test_a_run_at_work_is_never_forgotten_to_make_room() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=10)
    first = await log.open(A, 0)
    log.append(A, RUN, ["x" * 100])

    await log.open(B, 0)

    assert (await log.open(A, 1)).epoch == first.epoch


async def test_the_readers_of_a_deleted_conversation_find_out() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=1000)
    bounds = await log.open(A, 0)
    woken: list[bool] = []
    log.watch(A, lambda: woken.append(True))

    log.forget(A)

    assert woken
    with pytest.raises(LookupError):
        log.read(A, Cursor(bounds.epoch, 0), 100)


async def test_a_run_whose_conversation_was_deleted_hears_of_it() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=1000)
    await log.open(A, 0)
    log.forget(A)

    with pytest.raises(KeyError):
        log.append(A, RUN, ["x"])


async def test_what_the_logs_take_is_counted_as_they_change() -> None:
    log = MemoryEventLog(conversation_bytes=400, total_bytes=1000)
    for number in range(6):
        await log.open(A, 0)
        log.append(A, RunId(str(number)), ["x" * 200])
        log.settle(A, 2 * number)
    await log.open(B, 0)
    log.append(B, RUN, ["x" * 300, "y"])
    log.forget(B)

    # Only the last run of the one that is left: far from the limit, so it stays.
    epoch = (await log.open(A, 12)).epoch
    await log.open(B, 0)
    assert (await log.open(A, 12)).epoch == epoch
