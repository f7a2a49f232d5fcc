"""Names this server process."""

import os
import secrets
import socket

from core.settings import Settings


def node_name(settings: Settings) -> str:
    """Return a name that no other process has, nor this one after it is started again."""
    return f"{settings.node_name or socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
