"""Words for what a text looks like to a search: one dense vector and one sparse one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Lexical weights by term.

    indices: ascending, unique term hashes, 0 <= index < 2**31.
    values: one weight for each index, above 0; the store multiplies by inverse document frequency.
    """

    indices: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TextVectors:
    """Both views of one text.

    dense: (dimension,) float32, unit length.
    """

    dense: "npt.NDArray[np.float32]"
    sparse: SparseVector
