"""The tool that reads a public page on the web."""

from pydantic import Field

from app.tools.services import needed
from app.tools.tool import Repairable, ToolArguments, ToolContext, ToolError, tool
from core.ports.web import FetchFailed, FetchRefused, Page
from core.principal import USER
from core.tools import Effect


class FetchUrlArguments(ToolArguments):
    """What is to be read."""

    url: str = Field(
        min_length=1, max_length=2_048, description="A whole URL, with http:// or https://."
    )


@tool(
    name="fetch_url",
    description="Reads a public web page and returns its text.",
    effect=Effect.READ,
    roles={USER},
    needs={"web"},
    is_outside=True,
    # The fetcher's own limit is 10 seconds.
    deadline_seconds=12.0,
    # That some page is away says nothing of the others.
    circuit=None,
)
async def fetch_url(arguments: FetchUrlArguments, context: ToolContext) -> str:
    """Return the page's text under a line that says where it is from.

    Once text from outside has entered the run, the URL may be its doing, and carry something off
    to whoever wrote it: then only the hosts that the operator allows are fetched from.
    """
    services = context.services
    allowed = services.fetch_allowed_hosts if context.is_tainted else None
    try:
        page = await needed(services.web).fetch(arguments.url, allowed_hosts=allowed)
    except FetchRefused as refused:
        raise Repairable(f"{refused}{_what_is_left(allowed)}") from None
    except FetchFailed as failed:
        raise ToolError(str(failed)) from None
    return _told(page)


def _what_is_left(allowed: tuple[str, ...] | None) -> str:
    if allowed is None:
        return ""
    hosts = ", ".join(allowed) or "no host at all"
    return f" Text from outside has entered this conversation's turn: {hosts} may be fetched from."


def _told(page: Page) -> str:
    cut = " It was longer than is read; the rest is missing." if page.is_cut else ""
    kind = page.media_type or "no content"
    return f"{page.url} answered {page.status} ({kind}).{cut}\n\n{page.text}"
