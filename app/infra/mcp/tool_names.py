"""Names that models call tools by: `SERVER_TOOL`, as every provider takes it."""

import hashlib
import re
from collections.abc import Collection, Iterable
from typing import Final

LONGEST: Final = 64

_UNKNOWN = re.compile(r"[^A-Za-z0-9_-]")
_MARK_CHARS: Final = 8


def tool_names(
    tools: Iterable[tuple[str, str]], taken: Collection[str]
) -> dict[tuple[str, str], str]:
    """Return a name for each pair of a server and its tool; all are different.

    One that is too long, or taken by an earlier one or by `taken`, ends in a mark that is made
    of the pair, so it is the same on every node.
    """
    used = set(taken)
    names: dict[tuple[str, str], str] = {}
    for pair in tools:
        plain = _UNKNOWN.sub("_", "_".join(pair))
        name = plain if len(plain) <= LONGEST and plain not in used else _marked(plain, pair)
        if name not in used:
            used.add(name)
            names[pair] = name
    return names


def _marked(plain: str, pair: tuple[str, str]) -> str:
    mark = hashlib.sha256("\0".join(pair).encode()).hexdigest()[:_MARK_CHARS]
    return f"{plain[: LONGEST - _MARK_CHARS - 1]}_{mark}"
