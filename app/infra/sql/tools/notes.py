"""People's notes in the relational database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Executable, Select, bindparam, select

from app.infra.sql.engine import Database
from app.infra.sql.moments import moment
from app.infra.sql.tools.tables import NoteRow
from app.infra.sql.upsert import upsert
from core.clock import Clock
from core.ports.notes import Note
from core.principal import Principal
from core.storable_text import storable


class SqlNotes:
    """See `Notes`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def save(self, principal: Principal, key: str, text: str) -> Note:
        """See `Notes`."""
        columns = _owner(principal) | {
            "id": str(uuid4()),
            "key": storable(key),
            "text": storable(text),
            "now": self._clock.now(),
        }

        def write(connection: Connection) -> Note:
            row = connection.execute(_insert(connection.dialect.name), columns).one_or_none()
            if row is None:
                row = connection.execute(_saved(), columns).one()
            return _note_of(row._asdict())

        return await self._database.write_alone(write)

    async def newest(self, principal: Principal, limit: int) -> Sequence[Note]:
        """See `Notes`."""
        columns = _owner(principal) | {"most": limit}

        def read(connection: Connection) -> list[Note]:
            return [_note_of(row._asdict()) for row in connection.execute(_newest(), columns)]

        return await self._database.read(read)


@cache
def _insert(dialect: str) -> Executable:
    statement = upsert(dialect, NoteRow).values(created_at=moment(dialect))
    kept = statement.on_conflict_do_nothing(index_elements=["tenant_id", "principal", "key"])
    return kept.returning(NoteRow.id, NoteRow.text, NoteRow.created_at)


@cache
def _saved() -> Select[str, str, datetime]:
    return _notes().where(NoteRow.key == bindparam("key"))


@cache
def _newest() -> Select[str, str, datetime]:
    return _notes().order_by(NoteRow.ordinal.desc()).limit(bindparam("most"))


def _notes() -> Select[str, str, datetime]:
    return select(NoteRow.id, NoteRow.text, NoteRow.created_at).where(
        NoteRow.tenant_id == bindparam("tenant_id"), NoteRow.principal == bindparam("principal")
    )


def _owner(principal: Principal) -> dict[str, object]:
    return {"tenant_id": principal.tenant_id, "principal": principal.id}


def _note_of(row: Mapping[str, Any]) -> Note:
    return Note(row["id"], row["text"], row["created_at"])
