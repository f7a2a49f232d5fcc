"""What the log inside one process keeps, and what it forgets."""

import pytest

from app.infra.memory.event_log import MemoryEventLog
from core.conversations import Conversation, LogMark
from core.ids import ConversationId
from core.ports.event_log import Cursor
from core.runs import Run
from tests.support.event_logs import conversation_of, run_of

A, B = ConversationId("a"), ConversationId("b")


def run_in(conversation_id: ConversationId, name: str = "r", messages: int = 0) -> Run:
    return run_of(name, conversation_id, log=LogMark("", 0, messages))


def of(conversation_id: ConversationId, message_count: int = 0) -> Conversation:
    return conversation_of(conversation_id=conversation_id, message_count=message_count)


async def said(log: MemoryEventLog, run: Run, text: str, message_count: int) -> None:
    await log.take(run, lambda: None)
    log.append(run, [text])
    log.leave(run, message_count)


async def test_a_log_is_opened_once() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=1000)
    first = await log.open(of(A), None)
    await said(log, run_in(A), "x", 2)

    again = await log.open(of(A, 7), None)

    assert again.epoch == first.epoch
    assert (again.base, again.head) == (0, 1)


async def test_a_log_of_a_conversation_that_has_messages_begins_with_a_snapshot_of_them() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=1000)
    await log.take(run_in(A, messages=4), lambda: None)

    bounds = await log.open(of(A, 5), None)

    assert (bounds.base, bounds.base_messages, bounds.head) == (1, 4, 1)


async def test_what_nobody_reads_makes_room_once_it_is_on_disk() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=10)
    first = await log.open(of(A), None)
    await said(log, run_in(A), "x" * 100, 2)

    await log.open(of(B), None)

    assert (await log.open(of(A, 2), None)).epoch != first.epoch


async def test_a_watched_log_is_never_forgotten_to_make_room() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=10)
    first = await log.open(of(A), None)
    log.watch(A, lambda: None)
    await said(log, run_in(A), "x" * 100, 2)

    await log.open(of(B), None)

    assert (await log.open(of(A, 2), None)).epoch == first.epoch


async def test_a_run_that_was_stopped_half_way_is_never_forgotten_to_make_room() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=10)
    run = run_in(A)
    first = await log.open(of(A), None)
    await log.take(run, lambda: None)
    log.append(run, ["x" * 100])
    log.leave(run)

    await log.open(of(B), None)

    assert (await log.open(of(A, 1), None)).epoch == first.epoch


async def test_a_run_that_has_not_spoken_yet_is_never_forgotten_to_make_room() -> None:
    log = MemoryEventLog(conversation_bytes=1000, total_bytes=10)
    run = run_in(A)
    await said(log, run_in(A, "before"), "x" * 100, 2)
    await log.take(run, lambda: None)

    await log.open(of(B), None)

    assert log.append(run, ["y"]) == 2


async def test_what_the_logs_take_is_counted_as_they_change() -> None:
    log = MemoryEventLog(conversation_bytes=400, total_bytes=1000)
    for number in range(6):
        await said(log, run_in(A, str(number)), "x" * 200, 2 * number)
    await log.open(of(B), None)
    await said(log, run_in(B), "x" * 300, 2)
    log.forget(B)

    # Only the last run of the one that is left: far from the limit, so it stays.
    epoch = (await log.open(of(A, 12), None)).epoch
    await log.open(of(B), None)
    assert (await log.open(of(A, 12), None)).epoch == epoch
    with pytest.raises(LookupError):
        log.read(A, Cursor(epoch, 0), 100)
