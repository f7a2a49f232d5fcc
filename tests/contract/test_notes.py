"""What is promised of a person's notes, on a real database."""

import asyncio

import pytest

from app.infra.sql.engine import Database
from app.infra.sql.tools.notes import SqlNotes
from core.clock import SystemClock
from core.principal import LOCAL
from tests.support.sql import STRANGER


@pytest.fixture
def notes(database: Database) -> SqlNotes:
    return SqlNotes(database, SystemClock())


async def test_notes_are_read_newest_first(notes: SqlNotes) -> None:
    saved = [await notes.save(LOCAL, f"key-{number}", f"note {number}") for number in range(3)]

    assert await notes.newest(LOCAL, 10) == saved[::-1]
    assert await notes.newest(LOCAL, 1) == [saved[2]]


async def test_a_note_saved_again_under_its_key_is_the_first_one(notes: SqlNotes) -> None:
    first = await notes.save(LOCAL, "key", "milk")

    assert await notes.save(LOCAL, "key", "bread") == first
    assert await notes.newest(LOCAL, 10) == [first]


async def test_a_note_saved_many_times_at_once_is_one(notes: SqlNotes) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(notes.save(LOCAL, "key", f"milk {n}")) for n in range(20)]

    assert len({task.result() for task in tasks}) == 1
    assert len(await notes.newest(LOCAL, 30)) == 1


async def test_a_persons_notes_are_nobody_elses(notes: SqlNotes) -> None:
    mine = await notes.save(LOCAL, "key", "milk")
    theirs = await notes.save(STRANGER, "key", "bread")

    assert await notes.newest(LOCAL, 10) == [mine]
    assert await notes.newest(STRANGER, 10) == [theirs]


async def test_a_note_that_no_database_takes_is_kept_all_the_same(notes: SqlNotes) -> None:
    assert (await notes.save(LOCAL, "k\0", "a\0b\ud800")).text == "a\ufffdb\ufffd"
