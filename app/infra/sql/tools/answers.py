"""Records what a person answers: a part of the transaction behind `RunStore.admit`.

Whoever admits something to a conversation has locked it before, so nothing is asked, answered
or passed over meanwhile.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.infra.sql.tools.ask_rows import Columns
from app.infra.sql.tools.ask_statements import answered_asks, decide_ask
from core.errors import Conflict, InvalidRequest, NotFound
from core.runs import RunRequest
from core.storable_text import storable
from core.tools import AskAnswer, AskKind, Decision, arguments_hash

# What it means where somebody won't say.
DECLINED = {AskKind.APPROVAL: Decision.REJECTED, AskKind.UNKNOWN_OUTCOME: Decision.SKIP}


@dataclass(frozen=True, slots=True)
class Questions:
    """What the answers of a request are to: rows of `asks` by id, all of one turn."""

    by_id: Mapping[str, Columns]

    def continued_values(self) -> dict[str, object]:
        """Return the columns that are different for a run that continues another."""
        row = next(iter(self.by_id.values()))
        return {name: row[name] for name in ("root_id", "message_id", "message", "collection")}


def find_questions(connection: Connection, request: RunRequest, now: datetime) -> Questions:
    """Return what the request answers.

    Raises `NotFound` where its conversation has no such question, and `InvalidRequest`.
    """
    times = Counter(answer.ask_id for answer in request.answers)
    if times.total() > len(times):
        raise InvalidRequest("A question is answered twice.")
    columns = {"conversation": request.conversation_id, "ids": list(times), "now": now}
    rows = connection.execute(answered_asks(connection.dialect.name), columns)
    found: dict[str, Columns] = {row.id: row._asdict() for row in rows}
    if len(found) < len(times):
        raise NotFound("There is no such question.")
    if len({row["root_id"] for row in found.values()}) > 1:
        raise InvalidRequest("These questions are not of the same turn.")
    return Questions(found)


def record_answers(
    connection: Connection, request: RunRequest, questions: Questions, now: datetime
) -> None:
    """Record each answer once. Raises as `RunStore.admit` does."""
    decided = [_values(answer, questions.by_id[answer.ask_id]) for answer in request.answers]
    for question in questions.by_id.values():
        _check_open(question)
    common = {"caller": request.principal.id, "run": request.run_id, "now": now}
    _record(connection, [{**values, **common} for values in decided])


def _values(answer: AskAnswer, question: Columns) -> dict[str, object]:
    kind = AskKind(question["kind"])
    decision = DECLINED[kind] if answer.decision is None else answer.decision
    if not decision.answers(kind):
        raise InvalidRequest("This is no answer to the question.")
    if answer.arguments_hash and answer.arguments_hash != question["arguments_hash"]:
        raise InvalidRequest("The answer is about other arguments than the question.")
    if (answer.edited is not None) != (decision is Decision.EDITED):
        raise InvalidRequest("Edited arguments come with the decision to edit, and only so.")
    if answer.edited is not None and not _is_object(answer.edited):
        raise InvalidRequest("Edited arguments must be a JSON object.")
    return {
        "ask": answer.ask_id,
        "as_decided": decision,
        "as_edited": answer.edited,
        "with_comment": storable(answer.comment),
    }


def _is_object(text: str) -> bool:
    try:
        # What has no hash can't be told from other arguments.
        arguments_hash(text)
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _check_open(question: Columns) -> None:
    if question["decision"] is not None:
        raise Conflict("This question has its answer already.")
    if question["is_passed_over"]:
        raise Conflict("The conversation has gone on without an answer to this question.")
    if question["is_expired"]:
        raise Conflict("This question has expired.")
    if not question["is_put"]:
        raise Conflict("Nobody waits for an answer to this question.")


def _record(connection: Connection, decided: Sequence[Mapping[str, object]]) -> None:
    statement = decide_ask(connection.dialect.name)
    for values in decided:
        if connection.execute(statement, values).one_or_none() is None:
            raise Conflict("This question has its answer already.")
