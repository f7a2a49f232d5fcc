"""Gathers rows up to a number and a size that a model can be shown."""

import math
from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue

from core.ports.query import Rows

CELL_CHARS: Final = 4_000
TOTAL_CHARS: Final = 200_000


class GatheredRows:
    """Takes rows until there are enough of them. Cells are cut at 4,000 characters."""

    def __init__(self, columns: Sequence[str], row_limit: int) -> None:
        self._columns = tuple(columns)
        self._row_limit = row_limit
        self._room = TOTAL_CHARS
        self._rows: list[list[JsonValue]] = []
        self._is_cut = False

    def take(self, row: Sequence[object]) -> bool:
        """Keep a row if there is room; return whether there was, else the rows are cut here."""
        cells = [_cell(value) for value in row]
        self._room -= sum(len(cell) if isinstance(cell, str) else 8 for cell in cells)
        self._is_cut = self._is_cut or len(self._rows) == self._row_limit or self._room < 0
        if not self._is_cut:
            self._rows.append(cells)
        return not self._is_cut

    def rows(self) -> Rows:
        """Return what was kept."""
        return Rows(self._columns, self._rows, self._is_cut)


def _cell(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    text = str(value)
    return text if len(text) <= CELL_CHARS else f"{text[:CELL_CHARS]}…"
