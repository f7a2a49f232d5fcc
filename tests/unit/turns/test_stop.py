"""Who ends a turn's work, and when."""

import asyncio

import pytest

from app.turns.stop import Stop, StopReason


async def test_of_two_reasons_the_greater_counts() -> None:
    stop = Stop()
    assert stop.reason is None
    stop.ask(StopReason.CANCELLED)
    stop.ask(StopReason.HANDED_OVER)
    assert stop.reason is StopReason.CANCELLED


async def test_who_was_told_to_stop_before_it_began_stops_at_once() -> None:
    stop = Stop()
    stop.ask(StopReason.HANDED_OVER)
    with pytest.raises(TimeoutError):
        async with stop.scope(20):
            await asyncio.Event().wait()


async def test_telling_the_end_of_a_cancelled_run_heeds_a_hand_over_that_came_before() -> None:
    stop = Stop()
    stop.ask(StopReason.CANCELLED)
    async with stop.scope(20, heeds_cancel=False):
        await asyncio.sleep(0)
    stop.done()

    stop.ask(StopReason.HANDED_OVER)
    with pytest.raises(TimeoutError):
        async with stop.scope(20, heeds_cancel=False):
            await asyncio.Event().wait()


async def test_work_that_has_just_ended_is_not_disturbed() -> None:
    stop = Stop()
    async with stop.scope(20):
        await asyncio.sleep(0)
    stop.ask(StopReason.HANDED_OVER)
