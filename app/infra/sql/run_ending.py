"""Ends a run and tells its end: the transactions behind `finish` and `tell`."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, Executable

from app.infra.sql.questions import insert_message
from app.infra.sql.run_statements import (
    add_messages,
    end_run,
    has_waiting,
    mark_log,
    tell_run,
    untold_run,
)
from app.infra.sql.tools.late_results import add_late_results
from app.infra.sql.tools.spending import add_spent
from core.budgets import NOTHING
from core.conversations import LogMark, Message, Role
from core.errors import Conflict
from core.ports.run_store import Ending, Finished
from core.runs import Answer, Run

Columns = dict[str, object]


class NotHeld(Exception):
    """The run is not the node's, or not in this state; the transaction is rolled back."""


def held_by(run: Run, node: str) -> Columns:
    """Return what every statement takes that writes to a run as its owner."""
    return {
        "run": run.id,
        "conversation": run.conversation_id,
        "of_fence": run.fence,
        "node": node,
    }


def finish(
    connection: Connection, held: Columns, run: Run, ending: Ending, now: datetime, *, is_told: bool
) -> Finished:
    """Write the last state and what the run leaves.

    Raises `NotHeld`, and `Conflict` where the answer's id is taken.
    """
    dialect = connection.dialect.name
    added = {**held, "added": int(ending.answer is not None), "now": now}
    count = _written(connection, add_messages(dialect), added)
    ended = {**held, **_end_values(ending), "is_untold": not is_told, "now": now}
    waits = _written(connection, end_run(dialect), ended)
    if ending.answer is not None:
        _write_answer(connection, run, ending.answer, count, now)
    if ending.late_results:
        add_late_results(connection, run, ending.late_results)
    if ending.spent != NOTHING:
        # Last: other runs of the same person wait for the row.
        add_spent(connection, run.principal, ending.spent, now)
    return Finished(count, bool(waits))


def finished(connection: Connection, held: Columns, ending: Ending) -> Finished | None:
    """Return what `finish` has done, where the run ended like this and is not told yet.

    A node whose connection broke at the commit asks again.
    """
    row = connection.execute(untold_run(), {**held, "ended_as": ending.status}).one_or_none()
    return None if row is None else Finished(row.message_count, row.has_waiting)


def tell(connection: Connection, held: Columns, mark: LogMark) -> bool:
    """Free the conversation and return whether another of its runs waits. Raises `NotHeld`."""
    _written(connection, mark_log(), {**held, **mark_values(mark)})
    return bool(_written(connection, tell_run(), held))


def someone_waits(connection: Connection, held: Columns) -> bool:
    """Return whether a run of the conversation waits."""
    return bool(connection.scalar(has_waiting(), held))


def mark_values(mark: LogMark) -> Columns:
    """Return what the statements take that note where a log stands."""
    return {"epoch": mark.epoch, "head": mark.head, "messages": mark.messages}


def _written(connection: Connection, statement: Executable, columns: Columns) -> int:
    row = connection.execute(statement, columns).one_or_none()
    if row is None:
        raise NotHeld
    value: int = row[0]
    return value


def _end_values(ending: Ending) -> Columns:
    usage = ending.answer.usage if ending.answer else ()
    return {
        "ended_as": ending.status,
        "code": ending.error_code,
        "message_of_error": ending.error_message,
        "used": [asdict(part) for part in usage],
        "asked": [ask.id for ask in ending.asks],
    }


def _write_answer(
    connection: Connection, run: Run, answer: Answer, position: int, now: datetime
) -> None:
    message = Message(
        answer.message_id,
        run.conversation_id,
        run.id,
        position,
        Role.ASSISTANT,
        answer.text,
        now,
        answer.citations,
        answer.tool_calls,
    )
    if not insert_message(connection, message, run.principal.tenant_id):
        raise Conflict("The conversation has a message with this id already.")
