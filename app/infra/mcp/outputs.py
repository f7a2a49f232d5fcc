"""Makes what a server's tool answered into parts of our own."""

import binascii
from base64 import b64decode

from mcp.types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
)

from core.tools import FilePart, ImagePart, JsonPart, OutputPart, TextPart

UNKNOWN_TYPE = "application/octet-stream"


def output_parts(result: CallToolResult) -> list[OutputPart]:
    """Return the parts of an answer, in order; its JSON only where it has no other content.

    What can't be shown stands there by its kind and size.
    """
    if not result.content and result.structuredContent is not None:
        return [JsonPart(result.structuredContent)]
    return [_part(block) for block in result.content]


def error_text(result: CallToolResult, limit: int) -> str:
    """Return what a tool says about its failure, at most `limit` characters."""
    texts = [block.text for block in result.content if isinstance(block, TextContent)]
    return "\n".join(texts)[:limit].strip() or "The tool failed, and does not say why."


def _part(block: ContentBlock) -> OutputPart:
    match block:
        case TextContent():
            return TextPart(block.text)
        case ImageContent():
            return _image(block.data, block.mimeType)
        case AudioContent():
            return TextPart(f"[Sound that can't be played here: {block.mimeType}.]")
        case ResourceLink():
            return _link(block)
        case EmbeddedResource():
            return _embedded(block)


def _embedded(block: EmbeddedResource) -> OutputPart:
    resource = block.resource
    if not isinstance(resource, BlobResourceContents):
        return TextPart(resource.text)
    media_type = resource.mimeType or UNKNOWN_TYPE
    if media_type.startswith("image/"):
        return _image(resource.blob, media_type)
    size = len(resource.blob) * 3 // 4
    return TextPart(f"[A file that can't be shown: {resource.uri} ({media_type}, {size:,} bytes).]")


def _link(block: ResourceLink) -> OutputPart:
    media_type = block.mimeType or UNKNOWN_TYPE
    # Any other address means something to the server alone, or would run in the page.
    if block.uri.scheme in ("http", "https"):
        return FilePart(block.name, media_type, str(block.uri))
    return TextPart(f"[A file: {block.name} ({media_type}), {block.uri}]")


def _image(data: str, media_type: str) -> OutputPart:
    try:
        return ImagePart(media_type, b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        return TextPart(f"[A picture ({media_type}) that can't be read.]")
