"""Keeps the frames of one socket that are no events until they are sent."""

from app.infra.websocket.frames import Beat, ControlFrame, encode

BEAT = encode(Beat())


class Outbox:
    """Frames in the order they were put, bounded in bytes; a beat is only a mark."""

    __slots__ = ("_frames", "_has_beat", "_limit_bytes", "_size_bytes")

    def __init__(self, limit_bytes: int) -> None:
        # A list, because it is nearly always empty, and an empty deque is 10 times as large.
        self._frames: list[str] = []
        self._has_beat = False
        self._limit_bytes = limit_bytes
        self._size_bytes = 0

    def put(self, frame: ControlFrame) -> bool:
        """Add a frame; False where there is no room for it."""
        text = encode(frame)
        size = len(text.encode())
        if self._size_bytes + size > self._limit_bytes:
            return False
        self._frames.append(text)
        self._size_bytes += size
        return True

    def put_beat(self) -> None:
        """Let a beat be sent; one at a time is enough."""
        self._has_beat = True

    def take(self) -> str | None:
        """Return the next frame; None where there is none."""
        if self._frames:
            text = self._frames.pop(0)
            self._size_bytes -= len(text.encode())
            return text
        if self._has_beat:
            self._has_beat = False
            return BEAT
        return None
