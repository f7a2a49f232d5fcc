"""Holds what all sockets of a node share: whom they ask, and what they may cost."""

from dataclasses import dataclass
from typing import Self

from app.infra.websocket.ports import Identify, Readings, Turns
from core.clock import Clock
from core.ports.presence import Presence
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """Whom a socket asks.

    node: the name of this server process, as clients and logs see it.
    """

    node: str
    identify: Identify
    turns: Turns
    readings: Readings
    presence: Presence
    clock: Clock


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What a socket may cost; see the settings of the same names.

    lag_bytes: how far a subscription that had caught up may fall behind a client that doesn't
        read, and what its answers may take.
    command_seconds: how long one command may take; less than the server's ping timeout, because
        nothing is read meanwhile.
    """

    frame_max_bytes: int
    lag_bytes: int
    subscriptions: int
    send_seconds: float
    hello_seconds: float
    beat_seconds: float
    command_seconds: float = 15.0

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the limits that the settings name."""
        return cls(
            frame_max_bytes=settings.frame_max_bytes,
            lag_bytes=settings.outbox_max_bytes,
            subscriptions=settings.subscription_limit,
            send_seconds=settings.send_timeout_seconds,
            hello_seconds=settings.hello_timeout_seconds,
            beat_seconds=settings.beat_seconds,
        )
