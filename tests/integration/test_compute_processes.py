"""Documents and questions are worked on in processes, which may fail without harm to others."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from app.compute.process_compute import ProcessCompute
from core.errors import DeadlineExceeded, ModelUnavailable, UnreadableDocument
from core.ports.text_embedder import TextEmbedder
from tests.support.compute_desks import ObedientEmbedder, embedder_where

HEAVY = "lxml numpy onnx onnxruntime pypdfium2 safetensors tokenizers"


@asynccontextmanager
async def computing(
    embedder: Callable[[], TextEmbedder] = ObedientEmbedder,
    *,
    workers: int = 1,
    read_timeout_seconds: float = 30,
) -> AsyncIterator[ProcessCompute]:
    async with ProcessCompute(embedder, workers, read_timeout_seconds) as compute:
        yield compute


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


async def embedded(compute: ProcessCompute, *texts: str) -> int:
    return len([vectors async for batch in compute.embed(texts) for vectors in batch])


async def test_a_question_never_waits_behind_documents(pipe: Path) -> None:
    async with computing() as compute, asyncio.TaskGroup() as group:
        documents = group.create_task(embedded(compute, f"wait {pipe}"))
        end = await asyncio.to_thread(pipe.open, "w")
        await compute.embed_query("a question")
        assert not documents.done()
        end.close()


async def test_documents_wait_for_a_worker_and_not_for_each_other(pipe: Path) -> None:
    async with computing(workers=2) as compute, asyncio.TaskGroup() as group:
        slow = group.create_task(embedded(compute, f"wait {pipe}"))
        end = await asyncio.to_thread(pipe.open, "w")
        assert await embedded(compute, *["quick"] * 40) == 40
        assert not slow.done()
        end.close()


async def test_a_death_while_embedding_is_told_and_the_next_text_is_embedded() -> None:
    async with computing() as compute:
        with pytest.raises(ModelUnavailable):
            await embedded(compute, "die")
        assert await embedded(compute, "live") == 1
        with pytest.raises(ModelUnavailable):
            await compute.embed_query("die")
        await compute.embed_query("live")


async def test_a_model_that_cannot_be_loaded_is_told_and_loaded_once_it_can(
    tmp_path: Path,
) -> None:
    weights = tmp_path / "weights"
    async with computing(partial(embedder_where, weights)) as compute:
        with pytest.raises(ModelUnavailable, match=r"^There are no weights\.$"):
            await compute.warm()
        weights.touch()
        await compute.warm()


async def test_a_file_that_takes_too_long_is_given_up(pipe: Path) -> None:
    async with computing(read_timeout_seconds=0.5) as compute:
        with pytest.raises(DeadlineExceeded, match=r"longer than the 0\.5 seconds"):
            await compute.read(pipe, "paper.pdf")


async def test_a_cancelled_read_leaves_no_process_behind(pipe: Path) -> None:
    async with computing() as compute:
        task = asyncio.create_task(compute.read(pipe, "paper.pdf"))
        end = await asyncio.to_thread(pipe.open, "w")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        end.write("nobody reads this")
        with pytest.raises(BrokenPipeError):
            end.close()


async def test_a_file_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    with path.open("wb") as file:
        file.truncate(2 * 1024**3)
    async with computing() as compute:
        with pytest.raises(UnreadableDocument, match="far more memory"):
            await compute.read(path, "notes.txt")


def test_the_server_imports_nothing_heavy() -> None:
    code = (
        "import sys, app.compute.process_compute, app.infra.embedding.onnx_embedder\n"
        f"print(*set('{HEAVY}'.split()) & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.split() == []
