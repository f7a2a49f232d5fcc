"""Makes what a tool gave back into parts of bounded size, and into text for a model."""

import json
from dataclasses import dataclass
from typing import Final

from pydantic_core import PydanticSerializationError, from_json, to_json

from core.storable_text import storable
from core.tools import ImagePart, JsonPart, OutputPart, TextPart

IMAGE_BYTES: Final = 1_000_000
"""How much of pictures is kept of one call, because the record of the call has them."""

PARTS: Final = 32
"""How many parts of one call are kept."""


@dataclass(frozen=True, slots=True)
class Output:
    """text: what a model is shown, never empty. parts: the same for a page; nothing is over it."""

    text: str
    parts: tuple[OutputPart, ...]


def output_of(value: object, max_chars: int) -> Output:
    """Return what a tool gave back; what is over a limit is left out, and its text says so.

    A picture stands in the text by its type and size, a file by its name and address.
    """
    if isinstance(value, str) and value and len(value) <= max_chars:
        text = storable(value)
        return Output(text, (TextPart(text),))
    return _bounded(_parts_of(value), max_chars)


def _parts_of(value: object) -> list[OutputPart]:
    if value is None:
        return []
    if isinstance(value, OutputPart):
        return [value]
    if isinstance(value, list | tuple) and value and all(_is_part(item) for item in value):
        return list(value)
    if isinstance(value, str):
        return [TextPart(value)]
    return [_json_part(value)]


def _is_part(value: object) -> bool:
    return isinstance(value, OutputPart)


def _json_part(value: object) -> OutputPart:
    """Return any value as JSON: a call was made, so its output is shown as well as it can be."""
    try:
        return JsonPart(from_json(to_json(value, inf_nan_mode="null", serialize_unknown=True)))
    except (ValueError, PydanticSerializationError):
        return TextPart("[What the tool gave back can't be shown.]")


def _bounded(parts: list[OutputPart], max_chars: int) -> Output:
    kept: list[OutputPart] = []
    texts: list[str] = []
    chars_left, bytes_left = max_chars, IMAGE_BYTES
    for part in parts[:PARTS]:
        if isinstance(part, ImagePart):
            part, bytes_left = _fitting_image(part, bytes_left)
        text = _text_of(part)
        if len(text) > chars_left:
            text = _cut(text, chars_left)
            part = TextPart(text)
        chars_left = max(0, chars_left - len(text))
        kept.append(TextPart(text) if isinstance(part, TextPart) else part)
        texts.append(text)
    if len(parts) > PARTS:
        texts.append(f"[Cut here: these are {PARTS} of {len(parts):,} parts.]")
        kept.append(TextPart(texts[-1]))
    text = "\n".join(texts)
    return Output(text if text.strip() else "[The tool gave nothing back.]", tuple(kept))


def _fitting_image(part: ImagePart, bytes_left: int) -> tuple[OutputPart, int]:
    size = len(part.data)
    if size <= bytes_left:
        return part, bytes_left - size
    note = f"[A picture ({part.media_type}, {size:,} bytes) is left out: it is too large.]"
    return TextPart(note), bytes_left


def _cut(text: str, limit: int) -> str:
    return f"{text[:limit]}\n[Cut here: this is {limit:,} of {len(text):,} characters.]"


def _text_of(part: OutputPart) -> str:
    if isinstance(part, TextPart):
        return storable(part.text)
    if isinstance(part, JsonPart):
        return storable(json.dumps(part.value, ensure_ascii=False))
    if isinstance(part, ImagePart):
        return f"[A picture: {part.media_type}, {len(part.data):,} bytes.]"
    return storable(f"[A file: {part.name} ({part.media_type}), {part.url}]")
