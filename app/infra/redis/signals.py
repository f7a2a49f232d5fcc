"""Wakes other nodes through Redis."""

from collections.abc import Callable

from app.infra.redis.channels import ControlChannel
from core.ids import RunId
from core.ports.signals import RunCancelled, RunWaits, Signal

CANCELLED = "run.cancelled"
WAITS = "run.waits"


class RedisSignals:
    """See `Signals`; the channel carries them while its `run` does."""

    def __init__(self, channel: ControlChannel) -> None:
        self._channel = channel

    def send(self, signal: Signal) -> None:
        """See `Signals`."""
        match signal:
            case RunCancelled(run_id):
                self._channel.send(CANCELLED, run_id)
            case RunWaits():
                self._channel.send(WAITS)

    def listen(self, hear: Callable[[Signal], None]) -> None:
        """See `Signals`."""
        listen = self._channel.listen
        listen(CANCELLED, lambda content: hear(RunCancelled(RunId(content))))
        listen(WAITS, lambda _: hear(RunWaits()))
