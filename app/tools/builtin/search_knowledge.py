"""The tool that looks something up in the documents."""

from pydantic import Field, JsonValue

from app.tools.services import needed
from app.tools.tool import ToolArguments, ToolContext, tool
from core.documents import FoundPassage
from core.principal import USER
from core.tools import Effect


class SearchKnowledgeArguments(ToolArguments):
    """What is looked for."""

    query: str = Field(
        min_length=1, max_length=1_000, description="What to look for: a question, or key words."
    )
    limit: int = Field(default=5, ge=1, le=10, description="How many passages, the best first.")


@tool(
    name="search_knowledge",
    description="Finds passages in the person's documents that say something about a question.",
    effect=Effect.READ,
    roles={USER},
    needs={"search"},
    is_outside=True,
    # Ten passages of about 2,000 characters.
    max_output_chars=24_000,
)
async def search_knowledge(
    arguments: SearchKnowledgeArguments, context: ToolContext
) -> str | list[dict[str, JsonValue]]:
    """Return the passages with their document, their page and their words."""
    search = needed(context.services.search)
    found = await search.search(
        context.principal, context.collection, arguments.query, arguments.limit
    )
    return [_told(item) for item in found] or "Nothing in the documents fits that."


def _told(found: FoundPassage) -> dict[str, JsonValue]:
    passage = found.passage
    return {"document": passage.document_name, "page": passage.page, "quote": passage.text}
