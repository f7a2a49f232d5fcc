"""Keeps the password of the stores that the cluster starts itself."""

import os
import secrets
from pathlib import Path


def kept_secret(path: Path) -> str:
    """Return the password in a file that only its owner can read; a new one is made once.

    The stores listen on loopback, where every user of the machine could reach them.
    """
    if not path.exists():
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(24))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    return path.read_text().strip()
