"""The tool that asks the configured database a question."""

from typing import Final

from pydantic import Field, JsonValue

from app.tools.services import needed
from app.tools.tool import Repairable, ToolArguments, ToolContext, tool
from core.ports.query import QueryRefused
from core.principal import USER
from core.tools import Effect

ROWS: Final = 200
SECONDS: Final = 5.0


class RunSqlArguments(ToolArguments):
    """What is asked."""

    sql: str = Field(
        default="",
        description=(
            "One SELECT, WITH, VALUES or EXPLAIN statement. Empty: the tables and their columns"
            " are told."
        ),
    )


@tool(
    name="run_sql",
    description=(
        "Reads from the operator's SQL database; nothing can be written. Call it without a"
        f" statement first, to learn the tables and columns. At most {ROWS} rows come back."
    ),
    effect=Effect.READ,
    roles={USER},
    needs={"database"},
    # What stands in a database was written by anybody.
    is_outside=True,
    # The statement's own limit is 5 seconds.
    deadline_seconds=10.0,
)
async def run_sql(arguments: RunSqlArguments, context: ToolContext) -> JsonValue:
    """Return columns and rows, or the tables there are where no statement is given."""
    database = needed(context.services.database)
    try:
        if not arguments.sql.strip():
            return await database.describe() or "The database has no table that may be read."
        found = await database.query(arguments.sql, row_limit=ROWS, seconds=SECONDS)
    except QueryRefused as refused:
        raise Repairable(str(refused)) from None
    told: dict[str, JsonValue] = {
        "columns": list(found.columns),
        "rows": [list(row) for row in found.rows],
    }
    return {**told, "cut": "There are more rows than are shown."} if found.is_cut else told
