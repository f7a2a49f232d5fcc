"""Writes `docs/openapi.json` from the routes: `python -m scripts.write_openapi`."""

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from app.bootstrap.house import open_house
from core.settings import Settings

PATH: Final = Path(__file__).parent.parent / "docs" / "openapi.json"


async def openapi_text() -> str:
    """Return the document as it stands in the file; a house in an empty folder is asked for it."""
    with TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder))
        async with open_house(settings) as doors:
            transport = httpx.ASGITransport(doors.http)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                answer = await client.get("/api/v1/openapi.json")
    return json.dumps(answer.raise_for_status().json(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(asyncio.run(openapi_text()), encoding="utf-8")
