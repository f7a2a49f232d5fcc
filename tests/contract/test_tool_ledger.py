"""What a ledger promises of calls that are made once, whoever makes them."""

import pytest

from app.infra.sql.engine import Database
from app.infra.sql.tools.ledger import SqlToolLedger
from core.clock import SystemClock
from core.ids import RunId
from core.ports.tool_ledger import CallFenced, CallRecord, RecordStatus, ToolLedger
from core.runs import RunStatus
from tests.support.attempts import NODE, Attempts, SqlAttempts, call_key


@pytest.fixture
def attempts(database: Database) -> Attempts:
    return SqlAttempts(database)


@pytest.fixture
def ledger(database: Database) -> ToolLedger:
    return SqlToolLedger(database, SystemClock(), NODE)


async def test_a_call_is_new_once(attempts: Attempts, ledger: ToolLedger) -> None:
    key = call_key(await attempts.begin("r1"))

    first = await ledger.begin(key)
    second = await ledger.begin(key)

    assert first == CallRecord(RecordStatus.STARTED, True, key.arguments_hash)
    assert second == CallRecord(RecordStatus.STARTED, False, key.arguments_hash)


@pytest.mark.parametrize("status", [RecordStatus.DONE, RecordStatus.FAILED, RecordStatus.UNKNOWN])
async def test_what_came_of_a_call_is_there_for_the_next_attempt(
    attempts: Attempts, ledger: ToolLedger, status: RecordStatus
) -> None:
    run = await attempts.begin("r1")
    key = call_key(run)
    await ledger.begin(key)
    await ledger.end(key, status, "Sent.")

    again = call_key(await attempts.take_over(run))

    assert await ledger.begin(again) == CallRecord(status, False, key.arguments_hash, "Sent.")


async def test_what_was_begun_before_a_node_was_lost_is_found_so(
    attempts: Attempts, ledger: ToolLedger
) -> None:
    run = await attempts.begin("r1")
    await ledger.begin(call_key(run))

    record = await ledger.begin(call_key(await attempts.take_over(run)))

    assert (record.status, record.is_new, record.result) == (RecordStatus.STARTED, False, "")


async def test_a_record_says_with_which_arguments_the_call_was_begun(
    attempts: Attempts, ledger: ToolLedger
) -> None:
    run = await attempts.begin("r1")
    await ledger.begin(call_key(run))

    record = await ledger.begin(call_key(run, arguments_hash="other"))

    assert record.arguments_hash == call_key(run).arguments_hash


async def test_a_call_that_is_begun_again_has_no_result_until_it_ends(
    attempts: Attempts, ledger: ToolLedger
) -> None:
    key = call_key(await attempts.begin("r1"))
    await ledger.begin(key)
    await ledger.end(key, RecordStatus.UNKNOWN, "Who knows.")

    await ledger.begin_again(key)
    begun = await ledger.begin(key)
    await ledger.end(key, RecordStatus.DONE, "Sent.")
    ended = await ledger.begin(key)

    assert (begun.status, begun.result) == (RecordStatus.STARTED, "")
    assert (ended.status, ended.result) == (RecordStatus.DONE, "Sent.")


async def test_an_attempt_that_was_replaced_records_nothing(
    attempts: Attempts, ledger: ToolLedger
) -> None:
    run = await attempts.begin("r1")
    old = call_key(run)
    await ledger.begin(old)
    taken = await attempts.take_over(run)

    for refused in (
        ledger.begin(old),
        ledger.begin(call_key(run, "call-2")),
        ledger.begin_again(old),
        ledger.end(old, RecordStatus.DONE, "Sent."),
    ):
        with pytest.raises(CallFenced):
            await refused

    assert (await ledger.begin(call_key(taken))).status is RecordStatus.STARTED
    assert (await ledger.begin(call_key(taken, "call-2"))).is_new


async def test_a_run_that_nobody_knows_records_nothing(
    attempts: Attempts, ledger: ToolLedger
) -> None:
    run = await attempts.begin("r1")

    with pytest.raises(CallFenced):
        await ledger.begin(call_key(run, run_id=RunId("other")))


async def test_calls_of_different_turns_are_different_whatever_their_ids(
    attempts: Attempts, ledger: ToolLedger
) -> None:
    first, second = await attempts.begin("r1", "c1"), await attempts.begin("r2", "c2")

    await ledger.begin(call_key(first))

    assert (await ledger.begin(call_key(second))).is_new


async def test_a_call_may_be_recorded_only_when_it_has_ended(
    attempts: Attempts, ledger: ToolLedger
) -> None:
    key = call_key(await attempts.begin("r1"))

    await ledger.end(key, RecordStatus.DONE, "Noon.")

    record = await ledger.begin(key)
    assert (record.status, record.is_new, record.result) == (RecordStatus.DONE, False, "Noon.")


async def test_a_result_that_no_database_takes_is_kept_all_the_same(
    attempts: Attempts, ledger: ToolLedger
) -> None:
    key = call_key(await attempts.begin("r1"))

    await ledger.end(key, RecordStatus.DONE, "a\0b\ud800c")

    assert (await ledger.begin(key)).result == "a\ufffdb\ufffdc"


async def test_a_run_that_continues_another_finds_its_calls(database: Database) -> None:
    attempts, ledger = SqlAttempts(database), SqlToolLedger(database, SystemClock(), NODE)
    run = await attempts.begin("r1")
    await ledger.begin(call_key(run))
    await ledger.end(call_key(run), RecordStatus.DONE, "Sent.")
    await attempts.end(run)

    next_run = await attempts.begin("r2")
    record = await ledger.begin(call_key(next_run, root_id=run.id))

    assert (record.status, record.result) == (RecordStatus.DONE, "Sent.")


async def test_a_run_that_has_ended_begins_nothing_but_what_it_did_is_recorded(
    database: Database,
) -> None:
    attempts, ledger = SqlAttempts(database), SqlToolLedger(database, SystemClock(), NODE)
    run = await attempts.begin("r1")
    await ledger.begin(call_key(run))
    await attempts.end(run)
    assert (await attempts.runs.get(run.principal, run.id)).status is RunStatus.INTERRUPTED

    with pytest.raises(CallFenced):
        await ledger.begin(call_key(run, "call-2"))
    with pytest.raises(CallFenced):
        await ledger.begin_again(call_key(run))
    await ledger.end(call_key(run), RecordStatus.DONE, "Sent.")


async def test_another_node_records_nothing_of_this_ones_run(database: Database) -> None:
    attempts, other = SqlAttempts(database), SqlToolLedger(database, SystemClock(), "node-2")

    with pytest.raises(CallFenced):
        await other.begin(call_key(await attempts.begin("r1")))
