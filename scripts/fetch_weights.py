"""Fetches the embedding model's weights into DATA_DIR and builds its graph; set-up runs it.

usage: python -m scripts.fetch_weights
"""

import sys

from app.infra.embedding.onnx_embedder import ensure_graph
from app.infra.embedding.weight_sources import fetch_weights
from app.infra.embedding.weights import check_weights, weights_folder
from core.errors import AppError, SettingsError
from core.settings import Settings, load_settings


def fetch(settings: Settings) -> str:
    """Make sure that the weights are right and the graph is built; return where they came from."""
    models = settings.data_dir / "models"
    if settings.embedding_model_path:
        check_weights(settings.embedding_model_path)
        ensure_graph(models, settings.embedding_model_path)
        return "EMBEDDING_MODEL_PATH"
    source = fetch_weights(weights_folder(models))
    ensure_graph(models, weights_folder(models))
    return source


def main() -> int:
    """Print one line; return 0, or 1 where the weights can't be had."""
    try:
        print(f"Embedding model: all-MiniLM-L6-v2 (Apache-2.0), {fetch(load_settings())}")
    except (AppError, SettingsError) as error:
        print(f"Embedding model: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
