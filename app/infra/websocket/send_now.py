"""An extension of ASGI: sends a frame without a coroutine, where the server can do that."""

from collections.abc import Callable, MutableMapping
from typing import Any, Final

EXTENSION: Final = "colloquy.send_now"
"""Its name among a scope's extensions; its value is `{"call": SendNow}`."""

SendNow = Callable[[str], bool]
"""Sends a text frame at once; False, and nothing is sent, where that has to be awaited."""


def send_now_of(scope: MutableMapping[str, Any]) -> SendNow:
    """Return what the server of a connection offers; one that never sends where it has none."""
    offered = scope.get("extensions", {}).get(EXTENSION)
    call: SendNow = offered["call"] if offered else never
    return call


def never(text: str) -> bool:
    """Send nothing, so that every frame is awaited."""
    return False
