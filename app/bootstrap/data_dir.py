"""Keeps a data folder to one process."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import SettingsError

LOCK_FILE = ".lock"


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Hold the folder, which is made where it is missing, until left; a crash lets it go too.

    A second process would take the first one's runs for those of a crash. Raises `SettingsError`
    where another process holds it, or it can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_FILE).open("w")
    except OSError as error:
        raise SettingsError(f"DATA_DIR: {folder} can't be used ({error.strerror}).") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SettingsError(
                f"DATA_DIR: {folder} is in use by another server; stop it, or set another "
                "DATA_DIR. Several processes need DATABASE_URL and WEBSOCKET_MANAGER_TYPE=redis."
            ) from None
        yield
