"""The migrations lead to the tables that the code knows, and back."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from app.infra.sql.schema import MIGRATIONS, metadata, migrate
from tests.support.sql import migrated_database


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata()))


async def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    async with migrated_database(tmp_path) as database, database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    async with migrated_database(tmp_path) as database:
        await migrate(database)


async def test_every_row_has_its_tenant() -> None:
    missing = [
        name for name, table in metadata().tables.items() if "tenant_id" not in table.columns
    ]
    assert missing == []


async def test_the_migrations_can_be_taken_back(tmp_path: Path) -> None:
    def downgrade(connection: Connection) -> set[str]:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        return set(inspect(connection).get_table_names())

    async with migrated_database(tmp_path) as database, database.writing() as connection:
        assert await connection.run_sync(downgrade) == {"alembic_version"}
