"""The tool that keeps a note for a person."""

from pydantic import Field

from app.tools.services import needed
from app.tools.tool import ToolArguments, ToolContext, tool
from core.principal import USER
from core.tools import Effect


class SaveNoteArguments(ToolArguments):
    """What is to be kept."""

    text: str = Field(
        min_length=1,
        max_length=4_000,
        description="What to keep, in words that make sense by themselves later.",
    )


@tool(
    name="save_note",
    description="Keeps a note for the person, for this and later conversations.",
    effect=Effect.IDEMPOTENT_WRITE,
    roles={USER},
    needs={"notes"},
    deadline_seconds=5.0,
    retries=2,
    # The server's own database: where it is away, so is everything else.
    circuit=None,
)
async def save_note(arguments: SaveNoteArguments, context: ToolContext) -> str:
    """Return the note as it is kept; a repeated call keeps nothing more."""
    notes = needed(context.services.notes)
    note = await notes.save(context.principal, context.idempotency_key, arguments.text)
    return f"Noted: {note.text}"
