"""Writes `docs/asyncapi.json` from the frame models: `python -m scripts.write_asyncapi`."""

import json
from pathlib import Path
from typing import Final

from app.infra.websocket.asyncapi import asyncapi_document

PATH: Final = Path(__file__).parent.parent / "docs" / "asyncapi.json"


def asyncapi_text() -> str:
    """Return the document as it stands in the file."""
    return json.dumps(asyncapi_document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(asyncapi_text(), encoding="utf-8")
