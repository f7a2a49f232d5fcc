"""Uploaded files in a folder of this machine."""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from core.errors import NotFound, StorageUnavailable, TooLarge
from core.ports.blobs import StoredBlob

READ_BYTES = 256 * 1024
UNFINISHED = ".part"
# No upload goes on for so long without a byte.
ABANDONED_SECONDS = 3600.0
KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class DiskBlobStore:
    """See `BlobStore`. Several processes may share the folder.

    The disk is used from threads, so that it never stops the loop.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sweep(self) -> None:
        """Remove what a process that was killed left half-written, an hour ago or earlier."""
        for path in self._folder.glob(f"*/*{UNFINISHED}"):
            # Another process may be writing it, or may finish it at this moment.
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()

    async def put(self, key: str, chunks: AsyncIterator[bytes], limit_bytes: int) -> StoredBlob:
        """See `BlobStore`."""
        path = self._path(key)
        unfinished = path.with_suffix(UNFINISHED)
        try:
            file = await asyncio.to_thread(_create, unfinished)
            try:
                stored = await _copy(chunks, file, limit_bytes)
            finally:
                file.close()
            unfinished.rename(path)
        except OSError as error:
            raise StorageUnavailable("The file could not be stored.") from error
        finally:
            unfinished.unlink(missing_ok=True)
        return stored

    @asynccontextmanager
    async def open(self, key: str) -> AsyncIterator[Path]:
        """See `BlobStore`."""
        yield self._existing(key)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """See `BlobStore`."""
        return _contents(self._existing(key))

    async def delete(self, key: str) -> None:
        """See `BlobStore`."""
        self._path(key).unlink(missing_ok=True)

    def _existing(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise NotFound("The file is not kept any more.")
        return path

    def _path(self, key: str) -> Path:
        # Whatever is wrong above, no path leaves the folder.
        if KEY.fullmatch(key) is None:
            raise ValueError("not a key of a blob")
        return self._folder / key[:2] / key


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("xb")


async def _copy(chunks: AsyncIterator[bytes], file: BinaryIO, limit_bytes: int) -> StoredBlob:
    digest = hashlib.sha256()
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit_bytes:
            raise TooLarge(f"The file is larger than {limit_bytes} bytes.")
        await asyncio.to_thread(_append, file, digest, chunk)
    return StoredBlob(size, digest.hexdigest())


def _append(file: BinaryIO, digest: "hashlib._Hash", chunk: bytes) -> None:
    file.write(chunk)
    digest.update(chunk)


async def _contents(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, READ_BYTES):
            yield chunk
    finally:
        file.close()
