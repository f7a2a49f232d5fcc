"""What only the embedded vector store does: it keeps a folder, alone."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from app.infra.qdrant.edge_vector_store import FLUSH_AFTER_POINTS, EdgeVectorStore
from core.errors import SettingsError, StorageUnavailable
from tests.contract.test_vector_store import BOOKS, DIMENSION, US, point, vectors

ROOT = Path(__file__).parents[2]


async def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    store = EdgeVectorStore.open(tmp_path, DIMENSION)
    await store.put([point(words={1: 1.0})])
    await store.close()

    again = EdgeVectorStore.open(tmp_path, DIMENSION)

    assert len((await again.search(US, BOOKS, vectors(words={1: 1.0}), limit=5)).sparse) == 1
    await again.close()


async def test_what_was_put_is_there_after_the_process_was_killed(tmp_path: Path) -> None:
    killed = _run(
        f"""
        import asyncio, os
        from pathlib import Path
        from app.infra.qdrant.edge_vector_store import EdgeVectorStore
        from tests.contract.test_vector_store import DIMENSION, point

        async def main() -> None:
            store = EdgeVectorStore.open(Path({str(tmp_path)!r}), DIMENSION)
            await store.put([point() for _ in range(50)])
            os.kill(os.getpid(), 9)

        asyncio.run(main())
        """
    )
    assert killed.returncode == -signal.SIGKILL

    store = EdgeVectorStore.open(tmp_path, DIMENSION)

    assert await store.count(US, BOOKS) == 50
    await store.close()


async def test_a_second_process_is_told_in_a_sentence(tmp_path: Path) -> None:
    store = EdgeVectorStore.open(tmp_path, DIMENSION)

    second = _run(
        f"""
        from pathlib import Path
        from app.infra.qdrant.edge_vector_store import EdgeVectorStore
        from core.errors import SettingsError

        try:
            EdgeVectorStore.open(Path({str(tmp_path)!r}), {DIMENSION})
        except SettingsError as error:
            print(error)
        """
    )

    assert "DATA_DIR" in second.stdout
    assert "in use by another server" in second.stdout
    await store.put([point()])
    assert await store.count(US, BOOKS) == 1
    await store.close()


async def test_vectors_of_another_model_are_not_opened(tmp_path: Path) -> None:
    store = EdgeVectorStore.open(tmp_path, DIMENSION)
    await store.put([point()])
    await store.close()

    with pytest.raises(SettingsError, match="of another model"):
        EdgeVectorStore.open(tmp_path, DIMENSION * 2)


async def test_a_damaged_folder_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "edge_config.json").write_text("{")

    with pytest.raises(SettingsError, match="DATA_DIR"):
        EdgeVectorStore.open(tmp_path, DIMENSION)


async def test_a_start_that_died_before_it_made_its_indexes_is_mended(tmp_path: Path) -> None:
    from qdrant_edge import EdgeShard

    from app.infra.qdrant import edge_vector_store

    EdgeShard.create(str(tmp_path), edge_vector_store._config(DIMENSION)).close()

    await EdgeVectorStore.open(tmp_path, DIMENSION).close()

    shard = EdgeShard.load(str(tmp_path))
    assert set(shard.info().payload_schema) == {"tenant", "collection", "document"}
    shard.close()


async def test_many_points_are_flushed_on_the_way(tmp_path: Path) -> None:
    store = EdgeVectorStore.open(tmp_path, DIMENSION)

    await store.put([point() for _ in range(FLUSH_AFTER_POINTS + 1)])

    assert await store.count(US, BOOKS) == FLUSH_AFTER_POINTS + 1
    await store.close()


async def test_a_call_after_closing_is_an_error_of_ours(tmp_path: Path) -> None:
    store = EdgeVectorStore.open(tmp_path, DIMENSION)
    await store.close()

    with pytest.raises(StorageUnavailable):
        await store.count(US, BOOKS)


def _run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", dedent(program)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
