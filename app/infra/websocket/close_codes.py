"""Names the codes with which a socket is closed, so that a client knows whether to come back."""

from enum import IntEnum


class CloseCode(IntEnum):
    """Why a socket is closed.

    1000-1999    the WebSocket protocol's own (RFC 6455, 7.4.1)
    4000-4099    do not reconnect: the same client will fail again
    4100-4199    back off, then reconnect with the cursor
    4200-4299    reconnect at once with the cursor
    """

    INVALID_TEXT = 1007
    FRAME_TOO_BIG = 1009
    INTERNAL = 1011

    UNAUTHENTICATED = 4001
    UNSUPPORTED_PROTOCOL = 4002
    EXPELLED = 4003

    OVERLOADED = 4103
    HELLO_TIMEOUT = 4104
    SLOW = 4108
    RATE = 4129

    GOING_AWAY = 4200
