"""What other servers' answers become."""

from base64 import b64encode

from mcp.types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    TextContent,
)
from pydantic import AnyUrl

from app.infra.mcp.outputs import error_text, output_parts
from core.tools import ImagePart, JsonPart, TextPart

DATA = b64encode(b"four").decode()


def test_json_counts_where_nothing_else_was_given() -> None:
    text = TextContent(type="text", text="three")
    assert output_parts(CallToolResult(content=[], structuredContent={"n": 3})) == [
        JsonPart({"n": 3})
    ]
    assert output_parts(CallToolResult(content=[text], structuredContent={"n": 3})) == [
        TextPart("three")
    ]


def test_what_cannot_be_shown_stands_by_its_kind() -> None:
    blob = BlobResourceContents(uri=AnyUrl("x://y"), blob=DATA, mimeType="application/pdf")
    picture = BlobResourceContents(uri=AnyUrl("x://y"), blob=DATA, mimeType="image/png")
    parts = output_parts(
        CallToolResult(
            content=[
                AudioContent(type="audio", data=DATA, mimeType="audio/wav"),
                ImageContent(type="image", data="no base64!", mimeType="image/png"),
                EmbeddedResource(type="resource", resource=blob),
                EmbeddedResource(type="resource", resource=picture),
            ]
        )
    )
    assert parts == [
        TextPart("[Sound that can't be played here: audio/wav.]"),
        TextPart("[A picture (image/png) that can't be read.]"),
        TextPart("[A file that can't be shown: x://y (application/pdf, 6 bytes).]"),
        ImagePart("image/png", b"four"),
    ]


def test_an_error_is_told_in_the_tools_words_as_far_as_there_is_room() -> None:
    text = TextContent(type="text", text="out of paper")
    assert error_text(CallToolResult(content=[text], isError=True), 6) == "out of"
    assert error_text(CallToolResult(content=[], isError=True), 6).startswith("The tool failed")
