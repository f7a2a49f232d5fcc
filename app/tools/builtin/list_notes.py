"""The tool that reads a person's notes."""

from pydantic import Field

from app.tools.services import needed
from app.tools.tool import ToolArguments, ToolContext, tool
from core.ports.notes import Note
from core.principal import USER
from core.tools import Effect


class ListNotesArguments(ToolArguments):
    """How many notes are wanted."""

    limit: int = Field(default=20, ge=1, le=100, description="How many, the newest first.")


@tool(
    name="list_notes",
    description="Reads the notes that the person has had kept, newest first.",
    effect=Effect.READ,
    roles={USER},
    needs={"notes"},
    deadline_seconds=5.0,
    circuit=None,
)
async def list_notes(arguments: ListNotesArguments, context: ToolContext) -> str:
    """Return a line for each note, with the day it was made."""
    notes = await needed(context.services.notes).newest(context.principal, arguments.limit)
    return "\n".join(map(_line, notes)) or "There are no notes yet."


def _line(note: Note) -> str:
    return f"- {note.created_at:%Y-%m-%d}: {note.text}"
