"""What a store of collections does, on SQLite and on Postgres."""

import asyncio

import pytest

from app.infra.sql.engine import Database
from core.errors import Conflict, NotFound
from core.ids import DocumentId, JobId
from core.ports.job_store import Upload
from core.principal import LOCAL
from tests.support.knowledge_stores import Stores, stores_on
from tests.support.sql import STRANGER


@pytest.fixture
def stores(database: Database) -> Stores:
    return stores_on(database)


async def test_the_default_collection_is_there_from_the_start(stores: Stores) -> None:
    assert (await stores.collections.get(LOCAL, "default")).name == "default"
    assert [one.name for one in await stores.collections.list(STRANGER)] == ["default"]


async def test_the_default_collection_comes_into_being_once(stores: Stores) -> None:
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(stores.collections.get(LOCAL, "default")) for _ in range(8)]

    assert len({task.result().id for task in asked}) == 1


async def test_a_missing_collection_names_those_that_there_are(stores: Stores) -> None:
    await stores.collections.create(LOCAL, "books")

    with pytest.raises(NotFound, match=r"'nope'.*'books', 'default'"):
        await stores.collections.get(LOCAL, "nope")

    assert [one.name for one in await stores.collections.list(LOCAL)] == ["books", "default"]


async def test_a_long_list_of_collections_is_cut_in_the_error(stores: Stores) -> None:
    for number in range(24):
        await stores.collections.create(LOCAL, f"c{number:02}")

    with pytest.raises(NotFound, match="'c19' and 5 more"):
        await stores.collections.get(LOCAL, "nope")


@pytest.mark.parametrize("name", ["books", "default"])
async def test_a_name_is_taken_once(stores: Stores, name: str) -> None:
    if name != "default":
        await stores.collections.create(LOCAL, name)

    with pytest.raises(Conflict):
        await stores.collections.create(LOCAL, name)


async def test_two_tenants_have_collections_of_one_name(stores: Stores) -> None:
    mine = await stores.collections.create(LOCAL, "books")
    theirs = await stores.collections.create(STRANGER, "books")

    assert mine.id != theirs.id
    await stores.collections.delete(STRANGER, "books")
    assert (await stores.collections.get(LOCAL, "books")).id == mine.id


async def test_a_collection_with_documents_stays(stores: Stores) -> None:
    await stores.collections.create(LOCAL, "books")
    accepted = await stores.add(collection="books")

    assert not await stores.collections.delete(LOCAL, "books")
    await stores.documents.delete(LOCAL, accepted.document_id)

    assert await stores.collections.delete(LOCAL, "books")


async def test_an_upload_into_a_deleted_collection_is_refused(stores: Stores) -> None:
    home = await stores.collections.create(LOCAL, "books")
    await stores.collections.delete(LOCAL, "books")
    upload = Upload(DocumentId("d"), JobId("j"), home.id, "a.txt", 1, "0")

    with pytest.raises(NotFound):
        await stores.jobs.add(LOCAL, upload)
