"""The embedder says what its model says, and runs on the model that is meant."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from math import erf
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace

from app.infra.embedding.onnx_embedder import OnnxEmbedder, load_embedder, write_graph
from app.infra.embedding.weight_sources import fetch_weights
from app.infra.embedding.weights import (
    DIMENSION,
    MODEL_FILE,
    SHA256,
    TOKENIZER_FILE,
    check_weights,
    weights_folder,
)
from core.errors import ModelUnavailable
from tests.support.compute_weights import models_folder

Floats = npt.NDArray[np.float32]

VOCABULARY = ["[PAD]", "[UNK]", *(f"w{number}" for number in range(30))]
HIDDEN, LAYERS, HEADS, INNER, PLACES = 16, 2, 4, 32, 300


def tiny_weights() -> dict[str, Floats]:
    """Return random weights in the shape of BERT, under its names."""
    random = np.random.default_rng(7)

    def some(*shape: int) -> Floats:
        return random.normal(0, 0.4, shape).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": some(len(VOCABULARY), HIDDEN),
        "embeddings.position_embeddings.weight": some(PLACES, HIDDEN),
        "embeddings.token_type_embeddings.weight": some(2, HIDDEN),
        "pooler.dense.weight": some(HIDDEN, HIDDEN),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        sizes = {"intermediate.dense": (INNER, HIDDEN), "output.dense": (HIDDEN, INNER)}
        sizes |= {f"attention.self.{name}": (HIDDEN, HIDDEN) for name in ("query", "key", "value")}
        sizes["attention.output.dense"] = (HIDDEN, HIDDEN)
        for name, size in sizes.items():
            weights[f"{prefix}{name}.weight"] = some(*size)
            weights[f"{prefix}{name}.bias"] = some(size[0])
        norms += [prefix + "attention.output.LayerNorm", prefix + "output.LayerNorm"]
    for name in norms:
        weights[name + ".weight"], weights[name + ".bias"] = some(HIDDEN), some(HIDDEN)
    return weights


def forward(weights: dict[str, Floats], ids: list[int]) -> Floats:
    """Return the embedding of one text, by the book, in numpy."""

    def linear(x: Floats, name: str) -> Floats:
        return x @ weights[name + ".weight"].T + weights[name + ".bias"]

    def norm(x: Floats, name: str) -> Floats:
        centred = x - x.mean(-1, keepdims=True)
        scaled: Floats = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * weights[name + ".weight"] + weights[name + ".bias"]

    def heads(x: Floats) -> Floats:
        return x.reshape(len(ids), HEADS, -1).transpose(1, 0, 2)

    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        query, key, value = (
            heads(linear(x, f"{prefix}attention.self.{name}")) for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(HIDDEN / HEADS)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (shares / shares.sum(-1, keepdims=True) @ value).transpose(1, 0, 2)
        attended = linear(mixed.reshape(len(ids), HIDDEN), prefix + "attention.output.dense")
        x = norm(x + attended, prefix + "attention.output.LayerNorm")
        inner = linear(x, prefix + "intermediate.dense")
        inner = inner * (1 + np.vectorize(erf)(inner / np.sqrt(2))) / 2
        x = norm(x + linear(inner, prefix + "output.dense"), prefix + "output.LayerNorm")
    mean = x.mean(0)
    embedding: Floats = (mean / np.linalg.norm(mean)).astype(np.float32)
    return embedding


@pytest.fixture
def tiny_embedder(tmp_path: Path) -> OnnxEmbedder:
    save_file(tiny_weights(), tmp_path / MODEL_FILE)
    words = {word: number for number, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(WordPiece(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / TOKENIZER_FILE))
    write_graph(tmp_path / MODEL_FILE, tmp_path / "graph.onnx", HEADS)
    return OnnxEmbedder(tmp_path / "graph.onnx", tmp_path / TOKENIZER_FILE)


@pytest.fixture(scope="module")
def models() -> Path:
    return models_folder()


@pytest.fixture(scope="module")
def embedder(models: Path) -> OnnxEmbedder:
    return load_embedder(models, None)


def test_the_graph_computes_what_the_model_is_defined_to(tiny_embedder: OnnxEmbedder) -> None:
    random = np.random.default_rng(3)
    lists = [random.integers(2, len(VOCABULARY), length).tolist() for length in (1, 9, 3, 40, 5)]
    texts = [" ".join(VOCABULARY[token] for token in tokens) for tokens in lists]
    expected = [forward(tiny_weights(), tokens) for tokens in lists]
    np.testing.assert_allclose(tiny_embedder.embed(texts), expected, atol=1e-5)


def test_what_is_beyond_256_tokens_is_not_read(tiny_embedder: OnnxEmbedder) -> None:
    long, cut = tiny_embedder.embed(["w1 " * 256 + "w2 " * 20, "w1 " * 256])
    np.testing.assert_allclose(long, cut, atol=1e-5)


def test_texts_beside_each_other_do_not_change_each_other(embedder: OnnxEmbedder) -> None:
    texts = ["short", "a longer text about something else entirely " * 8, "", "另一种文字"]
    together = embedder.embed(texts)
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert together.shape == (4, DIMENSION) == (4, embedder.dimension)
    assert together.dtype == np.float32


def test_the_real_model_says_what_its_own_library_says(embedder: OnnxEmbedder) -> None:
    # The first numbers that sentence-transformers gives for the example on the model's page.
    (vector,) = embedder.embed(["This is an example sentence"])
    np.testing.assert_allclose(vector[:4], [0.0676569, 0.0634959, 0.0487131, 0.0793050], atol=1e-5)


def test_near_in_meaning_is_near_in_space(embedder: OnnxEmbedder) -> None:
    question, answer, other = embedder.embed(
        [
            "How do I get my money back?",
            "Refunds are paid within ten days of the return.",
            "The parrot sleeps in the afternoon.",
        ]
    )
    assert question @ answer > question @ other + 0.1


def test_a_configured_folder_is_used_instead(models: Path, tmp_path: Path) -> None:
    embedder = load_embedder(tmp_path / "models", weights_folder(models))
    assert embedder.dimension == DIMENSION
    assert [path.suffix for path in (tmp_path / "models").iterdir()] == [".onnx"]


def test_other_weights_than_the_expected_ones_are_refused(tmp_path: Path) -> None:
    for name in SHA256:
        (tmp_path / name).write_text(json.dumps({"not": "the model"}))
    with pytest.raises(ModelUnavailable, match=r"sha256 is [0-9a-f]{64}, not be50c362"):
        load_embedder(tmp_path / "models", tmp_path)
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors is not the expected one"):
        check_weights(tmp_path)


def test_missing_weights_are_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"Run `python -m scripts\.fetch_weights`"):
        load_embedder(tmp_path, None)


def copying(source: Path) -> Callable[[Path], None]:
    def copy(folder: Path) -> None:
        for name in SHA256:
            shutil.copyfile(source / name, folder / name)

    return copy


def failing(folder: Path) -> None:
    raise OSError("no route\nto the host")


def forging(folder: Path) -> None:
    for name in SHA256:
        (folder / name).write_text("something else")


def test_the_next_source_is_asked_where_one_fails_or_lies(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    sources = [("a", failing), ("b", forging), ("c", copying(weights_folder(models)))]
    assert fetch_weights(folder, sources) == "c"
    check_weights(folder)
    assert fetch_weights(folder, [("d", failing)]) == "already there"


def test_set_up_prints_one_line_about_the_weights(models: Path, tmp_path: Path) -> None:
    right = fetched(tmp_path, weights_folder(models))
    assert right.returncode == 0
    assert right.stdout == (
        "Embedding model: all-MiniLM-L6-v2 (Apache-2.0), EMBEDDING_MODEL_PATH\n"
    )
    wrong = fetched(tmp_path, tmp_path / "nowhere")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("Embedding model: The embedding model's model.safetensors is")


def fetched(data: Path, weights: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.fetch_weights"],
        env={**os.environ, "DATA_DIR": str(data), "EMBEDDING_MODEL_PATH": str(weights)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_when_no_source_helps_every_reason_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    with pytest.raises(ModelUnavailable) as failure:
        fetch_weights(folder, [("one", failing), ("two", forging)])
    assert "one: no route; two: " in failure.value.message
    assert "not the expected one" in failure.value.message
    assert list(folder.iterdir()) == []
