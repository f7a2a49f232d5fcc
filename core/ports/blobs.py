"""The port to uploaded files."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """What was kept. sha256: in hexadecimal."""

    size_bytes: int
    sha256: str


class BlobStore(Protocol):
    """Keeps files by keys that we make: a key is a UUID in its usual form, never a name."""

    async def put(self, key: str, chunks: AsyncIterator[bytes], limit_bytes: int) -> StoredBlob:
        """Keep the bytes under a new key.

        Raises `TooLarge` as soon as there are more than `limit_bytes`, `StorageUnavailable`.
        Nothing is kept on any error, nor when cancelled.
        """
        ...

    def open(self, key: str) -> AbstractAsyncContextManager[Path]:
        """Give the blob as a file that is there as long as the context. Raises `NotFound`."""
        ...

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Return its bytes, some at a time. Raises `NotFound`."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the blob; nothing happens where there is none."""
        ...
