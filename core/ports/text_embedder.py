"""The port to the model that turns text into dense vectors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class TextEmbedder(Protocol):
    """Places texts in a space where near in meaning is near; blocks, so it runs in a worker."""

    @property
    def dimension(self) -> int:
        """How many numbers one vector has."""
        ...

    def embed(self, texts: Sequence[str]) -> "npt.NDArray[np.float32]":
        """Return (n_texts, dimension) float32, unit length, in the order of `texts`.

        What a text has beyond the model's own limit is not read.
        """
        ...
