"""What one writes in an afternoon: FastAPI in front, httpx behind, a frame for each token.

`uvicorn scripts.bench.fastapi_relay:app`, with `OPENAI_BASE_URL` in the environment.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from scripts.bench.bare_relay import END


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/healthz")
async def healthz() -> None:
    """Say that the server is up."""


@app.websocket("/ws")
async def relay(socket: WebSocket) -> None:
    """Answer each text frame with the model's reply to it."""
    await socket.accept()
    try:
        while True:
            question = await socket.receive_text()
            async for text in _tokens(socket.app.state.client, question):
                await socket.send_json({"delta": text})
            await socket.send_text(END)
    except WebSocketDisconnect:
        return


async def _tokens(client: httpx.AsyncClient, question: str) -> AsyncIterator[str]:
    body = {
        "model": "scripted-1",
        "stream": True,
        "messages": [{"role": "user", "content": question}],
    }
    url = f"{os.environ['OPENAI_BASE_URL']}/chat/completions"
    async with client.stream("POST", url, json=body) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: {"):
                continue
            choices = json.loads(line.removeprefix("data: "))["choices"]
            if choices and (text := choices[0]["delta"].get("content")):
                yield text
