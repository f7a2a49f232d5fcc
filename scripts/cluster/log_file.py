"""Keeps a part's output, and only so much of it."""

import os
import shutil
from pathlib import Path
from typing import IO

MAX_BYTES = 10 * 1024 * 1024
TAIL_BYTES = 2000
TAIL_LINES = 3


class LogFile:
    """What a part writes: the last of it, and one file of what was before."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> IO[bytes]:
        """Open it for a process; the caller closes it."""
        return self.path.open("ab")

    def trim(self) -> None:
        """Move a file that is too large aside.

        It is emptied in place: its writers append, so they go on at its new end.
        """
        if not self.path.exists() or self.path.stat().st_size <= MAX_BYTES:
            return
        shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
        os.truncate(self.path, 0)

    def last_words(self) -> str:
        """Return the last lines that say something, or nothing."""
        with self.path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join([line.strip() for line in lines if line.strip()][-TAIL_LINES:])
