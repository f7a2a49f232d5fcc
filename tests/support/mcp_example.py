"""An MCP server with tools that behave and tools that don't; a process of its own.

Arguments: `stdio`, or `http PORT`; then any of `stateless`, `json`, `deaf` (ends by no signal but
the last, and not with its input).
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import anyio
from mcp.server.fastmcp import Context, FastMCP, Image
from mcp.types import EmbeddedResource, ResourceLink, TextContent, TextResourceContents
from mcp.types import ToolAnnotations as Hints
from pydantic import AnyUrl

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
Parts = list[TextContent | ResourceLink | EmbeddedResource]


def server(port: int, *, is_stateless: bool, is_json: bool) -> FastMCP:
    """Return the server with all its tools."""
    mcp = FastMCP(
        "example", port=port, stateless_http=is_stateless, json_response=is_json, log_level="ERROR"
    )
    _add_plain(mcp)
    _add_unruly(mcp)
    return mcp


def _add_plain(mcp: FastMCP) -> None:
    @mcp.tool(annotations=Hints(readOnlyHint=True))
    def echo(text: str) -> str:
        """Give the text back."""
        return text

    @mcp.tool(annotations=Hints(idempotentHint=True))
    def note(folder: str, text: str) -> str:
        """Add a line to a file."""
        with Path(folder, "notes").open("a") as file:
            file.write(f"{text}\n")
        return "noted"

    @mcp.tool()
    def environment() -> dict[str, str]:
        """Tell what the environment is."""
        return dict(os.environ)

    @mcp.tool()
    def process() -> dict[str, int]:
        """Tell the process' id."""
        return {"pid": os.getpid()}

    @mcp.tool()
    def picture() -> Image:
        """Give a picture."""
        return Image(data=PIXEL, format="png")

    @mcp.tool(structured_output=False)
    def several() -> Parts:
        """Give a text, two links and a resource."""
        resource = TextResourceContents(uri=AnyUrl("note://one"), text="one note")
        return [
            TextContent(type="text", text="see"),
            ResourceLink(type="resource_link", name="page", uri=AnyUrl("https://example.org/a")),
            ResourceLink(type="resource_link", name="secret", uri=AnyUrl("file:///etc/passwd")),
            EmbeddedResource(type="resource", resource=resource),
        ]

    @mcp.tool()
    async def grow(context: Context) -> str:  # type: ignore[type-arg]
        """Have one tool more from now on."""
        mcp.add_tool(lambda: "grown", name="grown", description="It came later.")
        await context.session.send_tool_list_changed()
        return "done"


def _add_unruly(mcp: FastMCP) -> None:
    @mcp.tool()
    def fail(text: str) -> str:
        """Fail."""
        raise ValueError(text)

    @mcp.tool()
    async def hang(folder: str) -> str:
        """Never answer; leave a file when it begins, and one when it is cancelled."""
        Path(folder, "began").touch()  # noqa: ASYNC240 - at once
        try:
            await anyio.sleep_forever()
        except BaseException:
            Path(folder, "cancelled").touch()  # noqa: ASYNC240 - a cancelled one may not wait
            raise
        return ""

    @mcp.tool()
    async def slow(seconds: float) -> str:
        """Answer late."""
        await anyio.sleep(seconds)
        return "late"

    @mcp.tool()
    def block(seconds: float) -> str:
        """Hold up everything else that the server does."""
        time.sleep(seconds)
        return "free again"

    @mcp.tool()
    def die(folder: str) -> str:
        """Do something and be gone before it can be told."""
        Path(folder, "done").touch()
        os._exit(3)

    @mcp.tool(structured_output=False)
    def flood(size: int) -> str:
        """Answer with more than anybody wants."""
        return "x" * size


def _be_deaf() -> None:
    """Go on, whatever one is told, and though nobody can say anything any more."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=lambda: time.sleep(600), daemon=False).start()


def main(arguments: list[str]) -> None:
    """Serve until told to end."""
    kind, *more = arguments
    options = {"is_stateless": "stateless" in more, "is_json": "json" in more}
    if "deaf" in more:
        _be_deaf()
    if kind == "stdio":
        server(0, **options).run("stdio")
    else:
        server(int(more[0]), **options).run("streamable-http")


if __name__ == "__main__":
    main(sys.argv[1:])
