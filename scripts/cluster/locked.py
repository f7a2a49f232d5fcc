"""Keeps a folder to one cluster."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.cluster.part import ClusterError


@contextmanager
def sole_cluster(folder: Path) -> Iterator[None]:
    """Hold the folder until left; a crash lets it go too.

    Raises `ClusterError` where another cluster holds it.
    """
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ClusterError(
                f"DATA_DIR: a cluster runs in {folder.parent} already; stop it, or set another "
                "DATA_DIR."
            ) from None
        yield
