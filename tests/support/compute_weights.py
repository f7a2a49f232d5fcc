"""The real embedding model's files, for tests that need what it really says."""

import os
from pathlib import Path

from app.infra.embedding.weight_sources import fetch_weights
from app.infra.embedding.weights import weights_folder

ROOT = Path(__file__).parents[2]


def models_folder() -> Path:
    """Return the folder of models with the right weights in it; fetch them where they are not.

    It is COLLOQUY_MODEL_DIR, or that of the default DATA_DIR, which set-up has filled.
    """
    folder = Path(os.environ.get("COLLOQUY_MODEL_DIR", ROOT / "data" / "models"))
    fetch_weights(weights_folder(folder))
    return folder
