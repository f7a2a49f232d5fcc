"""What a store of uploaded files does."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.infra.blobs.disk_blob_store import ABANDONED_SECONDS, DiskBlobStore
from core.errors import NotFound, StorageUnavailable, TooLarge

LIMIT = 1000


@pytest.fixture
def blobs(tmp_path: Path) -> DiskBlobStore:
    return DiskBlobStore(tmp_path)


async def test_what_was_put_is_read_back(blobs: DiskBlobStore) -> None:
    key = str(uuid4())

    stored = await blobs.put(key, pieces(b"one", b"two"), LIMIT)

    assert stored.size_bytes == 6
    assert stored.sha256 == hashlib.sha256(b"onetwo").hexdigest()
    assert await content(blobs, key) == b"onetwo"
    async with blobs.open(key) as path:
        assert path.read_bytes() == b"onetwo"


async def test_an_empty_file_is_kept_too(blobs: DiskBlobStore) -> None:
    key = str(uuid4())

    assert (await blobs.put(key, pieces(), LIMIT)).size_bytes == 0
    assert await content(blobs, key) == b""


async def test_exactly_the_limit_is_allowed(blobs: DiskBlobStore) -> None:
    stored = await blobs.put(str(uuid4()), pieces(b"x" * LIMIT), LIMIT)

    assert stored.size_bytes == LIMIT


async def test_too_many_bytes_leave_nothing(blobs: DiskBlobStore, tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="1000"):
        await blobs.put(str(uuid4()), pieces(b"x" * LIMIT, b"x"), LIMIT)

    assert files(tmp_path) == []


async def test_an_upload_that_breaks_off_leaves_nothing(
    blobs: DiskBlobStore, tmp_path: Path
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"begun"
        raise ConnectionResetError

    with pytest.raises(StorageUnavailable):
        await blobs.put(str(uuid4()), broken(), LIMIT)

    assert files(tmp_path) == []


async def test_a_cancelled_upload_leaves_nothing(blobs: DiskBlobStore, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"begun"
        begun.set()
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(blobs.put(str(uuid4()), endless(), LIMIT))
        await begun.wait()
        task.cancel()

    assert task.cancelled()
    assert files(tmp_path) == []


async def test_a_deleted_file_is_not_found(blobs: DiskBlobStore) -> None:
    key = str(uuid4())
    await blobs.put(key, pieces(b"x"), LIMIT)

    await blobs.delete(key)
    await blobs.delete(key)

    with pytest.raises(NotFound):
        await blobs.read(key)
    with pytest.raises(NotFound):
        async with blobs.open(key):
            pass


async def test_a_key_is_never_a_path(blobs: DiskBlobStore) -> None:
    for key in ("../escaped", "/etc/passwd", "", "..", f"{uuid4()}/../../x"):
        with pytest.raises(ValueError, match="key"):
            await blobs.put(key, pieces(b"x"), LIMIT)


async def test_what_a_killed_process_left_is_swept(blobs: DiskBlobStore, tmp_path: Path) -> None:
    key = str(uuid4())
    await blobs.put(key, pieces(b"whole"), LIMIT)
    half = tmp_path / "ab" / f"{uuid4()}.part"
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"half")
    last_written = time.time() - ABANDONED_SECONDS - 1
    for path in files(tmp_path):
        os.utime(path, (last_written, last_written))

    blobs.sweep()

    assert not half.exists()
    assert await content(blobs, key) == b"whole"


async def test_an_upload_to_another_process_is_not_swept(
    blobs: DiskBlobStore, tmp_path: Path
) -> None:
    key = str(uuid4())
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"begun"
        begun.set()
        await go_on.wait()
        yield b" and done"

    async with asyncio.TaskGroup() as group:
        group.create_task(blobs.put(key, slow(), LIMIT))
        await begun.wait()
        DiskBlobStore(tmp_path).sweep()
        go_on.set()

    assert await content(blobs, key) == b"begun and done"


async def content(blobs: DiskBlobStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in await blobs.read(key)])


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
