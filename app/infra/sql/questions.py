"""Gives a run's question its place in the transcript."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Update, select, update

from app.infra.sql import turn_statements
from app.infra.sql.conversation_tables import ConversationRow, MessageRow, RunRow
from app.infra.sql.run_rows import message_of, message_values
from core.conversations import Message, Role
from core.errors import Conflict
from core.runs import Run, UserMessage


def place_question(connection: Connection, run: Run, now: datetime) -> Run:
    """Write the question at `run.message_position` and return the run.

    Where the conversation has a message with this id, nothing is added: it is answered again,
    and what is stored wins over what was sent. Raises `Conflict` where that is an answer.
    """
    question = Message(
        run.message.id,
        run.conversation_id,
        run.id,
        run.message_position,
        Role.USER,
        run.message.content,
        now,
    )
    if not insert_message(connection, question, run.principal.tenant_id):
        run = _ask_again(connection, run)
    return run


def insert_message(connection: Connection, message: Message, tenant_id: str) -> bool:
    """Write one message; return whether its id was free."""
    columns = {"tenant_id": tenant_id, **message_values(message)}
    answer = connection.execute(turn_statements.insert_message(connection), columns)
    return answer.one_or_none() is not None


def _ask_again(connection: Connection, run: Run) -> Run:
    stored = _stored_message(connection, run)
    if stored.role is not Role.USER:
        raise Conflict("The conversation has an answer with this id already.")
    # The place that was taken for the message is given back.
    connection.execute(
        update(ConversationRow)
        .where(ConversationRow.id == run.conversation_id)
        .values(message_count=ConversationRow.message_count - 1)
    )
    again = replace(
        run,
        message=UserMessage(stored.id, stored.content),
        message_position=stored.position,
        messages_before=run.message_position - 1,
    )
    connection.execute(_placed(again))
    return again


def _placed(run: Run) -> Update:
    """Note where the run's question stands, and what it says."""
    return (
        update(RunRow)
        .where(RunRow.id == run.id)
        .values(
            message=run.message.content,
            message_position=run.message_position,
            messages_before=run.messages_before,
        )
    )


def _stored_message(connection: Connection, run: Run) -> Message:
    query = select(MessageRow.__table__).where(
        MessageRow.conversation_id == run.conversation_id, MessageRow.id == run.message.id
    )
    return message_of((connection.execute(query)).one()._asdict())
