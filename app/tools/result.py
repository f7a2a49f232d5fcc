"""What one call came to, and how the record keeps it."""

import base64
import json
from dataclasses import dataclass

from pydantic import JsonValue, TypeAdapter

from core.ports.tool_ledger import RecordStatus
from core.tools import FilePart, ImagePart, JsonPart, Outcome, OutputPart, TextPart

_KEPT: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class Result:
    """What one call came to; see `Answered`."""

    outcome: Outcome
    text: str
    parts: tuple[OutputPart, ...] = ()
    circuit: str = ""
    retry_after_seconds: float = 0.0

    @property
    def is_made(self) -> bool:
        """Whether the tool was called at all."""
        return self.outcome is not Outcome.UNAVAILABLE

    @property
    def status(self) -> RecordStatus:
        """What the record says of it."""
        if self.outcome is Outcome.DONE:
            return RecordStatus.DONE
        return RecordStatus.UNKNOWN if self.outcome is Outcome.UNKNOWN else RecordStatus.FAILED


def encoded(result: Result) -> str:
    """Return a result as JSON, in ASCII, so that every database takes it."""
    kept: dict[str, JsonValue] = {"outcome": result.outcome.value, "text": result.text}
    if result.parts != (TextPart(result.text),):
        kept["parts"] = [_kept_part(part) for part in result.parts]
    return json.dumps(kept)


def decoded(text: str) -> Result:
    """Return what `encoded` made; a breaker that was open then says nothing of now."""
    kept = _KEPT.validate_json(text)
    said = str(kept["text"])
    parts = kept.get("parts")
    return Result(
        Outcome(str(kept["outcome"])),
        said,
        tuple(map(_part, parts)) if isinstance(parts, list) else (TextPart(said),),
    )


def _kept_part(part: OutputPart) -> JsonValue:
    if isinstance(part, TextPart):
        return {"text": part.text}
    if isinstance(part, JsonPart):
        return {"json": part.value}
    if isinstance(part, ImagePart):
        return {"image": part.media_type, "data": base64.b64encode(part.data).decode()}
    return {"file": part.name, "type": part.media_type, "url": part.url}


def _part(kept: JsonValue) -> OutputPart:
    if not isinstance(kept, dict):
        raise ValueError("That is no part of an output.")
    if "text" in kept:
        return TextPart(str(kept["text"]))
    if "json" in kept:
        return JsonPart(kept["json"])
    if "image" in kept:
        return ImagePart(str(kept["image"]), base64.b64decode(str(kept["data"])))
    return FilePart(str(kept["file"]), str(kept["type"]), str(kept["url"]))
