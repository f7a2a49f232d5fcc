"""Embeds text with all-MiniLM-L6-v2 on the CPU through onnxruntime, without torch."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from app.infra.embedding.weights import (
    HEADS,
    MODEL_FILE,
    SHA256,
    TOKEN_LIMIT,
    TOKENIZER_FILE,
    check_file,
    check_weights,
    weights_folder,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Larger batches were not faster on one thread (23 chunks/s alone, 21 in eights), and take more
# memory.
BATCH = 4
# A new recipe must not run on a graph that an old one made.
RECIPE = 1


def load_embedder(models: Path, configured: Path | None) -> "OnnxEmbedder":
    """Return the embedder, ready; the first call ever builds its graph, which takes a second.

    models: where fetched weights are, and where the graph is kept.
    configured: a folder with the weights that is used instead of the fetched ones.
    Raises `ModelUnavailable` where the weights are missing or are not the expected ones.
    """
    folder = configured or weights_folder(models)
    check_file(folder, TOKENIZER_FILE)
    return OnnxEmbedder(ensure_graph(models, folder), folder / TOKENIZER_FILE)


def ensure_graph(models: Path, folder: Path) -> Path:
    """Return the path of the graph made from the weights in `folder`; make it where it is not."""
    # Named after the weights it was made from, which were checked then.
    path = models / f"all-MiniLM-L6-v2-{SHA256[MODEL_FILE][:12]}-{RECIPE}.onnx"
    if not path.exists():
        check_weights(folder)
        write_graph(folder / MODEL_FILE, path, HEADS)
    return path


def write_graph(weights: Path, path: Path, heads: int) -> None:
    """Build the graph of the weights and put it at `path`, whole or not at all."""
    # Deferred: needed once in the life of a data folder.
    from safetensors.numpy import load_file

    from app.infra.embedding.bert_graph import build_graph

    path.parent.mkdir(parents=True, exist_ok=True)
    graph = build_graph(load_file(weights), heads)
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            file.write(graph.SerializeToString())
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


class OnnxEmbedder:
    """See `TextEmbedder`; it keeps to one thread, so that processes share the cores."""

    def __init__(self, graph: Path, tokenizer: Path) -> None:
        # Deferred: 0.3 s and 100 MB that only a worker process pays.
        import onnxruntime  # type: ignore[import-untyped]  # it ships no types
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(graph), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(TOKEN_LIMIT)

    @property
    def dimension(self) -> int:
        """See `TextEmbedder`."""
        size: int = self._session.get_outputs()[0].shape[1]
        return size

    def embed(self, texts: Sequence[str]) -> "npt.NDArray[np.float32]":
        """See `TextEmbedder`; 256 tokens of a text are read."""
        import numpy as np

        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        # Texts of one length together waste no work on padding.
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        vectors = np.empty((len(ids), self.dimension), np.float32)
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            vectors[rows] = self._run([ids[row] for row in rows])
        return vectors

    def _run(self, ids: list[list[int]]) -> "npt.NDArray[np.float32]":
        import numpy as np

        shape = (len(ids), max(map(len, ids)))
        tokens, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, text in enumerate(ids):
            tokens[row, : len(text)] = text
            mask[row, : len(text)] = 1
        (vectors,) = self._session.run(None, {"input_ids": tokens, "attention_mask": mask})
        found: npt.NDArray[np.float32] = vectors
        return found
