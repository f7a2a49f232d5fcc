"""Says which weights the embedder runs on, and accepts no others.

They are all-MiniLM-L6-v2 by the Sentence Transformers authors, licensed Apache-2.0, as the model
hub has them at `REVISION` of `REPOSITORY`.
"""

import hashlib
from pathlib import Path

from core.errors import ModelUnavailable

REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"

DIMENSION = 384
HEADS = 12
TOKEN_LIMIT = 256

MODEL_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
SHA256 = {
    MODEL_FILE: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER_FILE: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def weights_folder(models: Path) -> Path:
    """Return where the weights are kept under the folder of all models."""
    return models / "all-MiniLM-L6-v2"


def check_file(folder: Path, name: str) -> None:
    """Raise `ModelUnavailable` unless `name` in `folder` is, byte by byte, the file we know."""
    try:
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise ModelUnavailable(
            f"The embedding model's {name} is missing. "
            "Run `python -m scripts.fetch_weights`, or set EMBEDDING_MODEL_PATH."
        ) from None
    if found != SHA256[name]:
        raise ModelUnavailable(
            f"The embedding model's {name} is not the expected one: its sha256 is {found}, "
            f"not {SHA256[name]}. Remove it and run `python -m scripts.fetch_weights`."
        )


def check_weights(folder: Path) -> None:
    """Raise `ModelUnavailable` unless every file in `folder` is the one we know."""
    for name in SHA256:
        check_file(folder, name)


def has_weights(folder: Path) -> bool:
    """Whether `folder` holds the right weights, whole."""
    try:
        check_weights(folder)
    except ModelUnavailable:
        return False
    return True
