"""Says how much of what was found a writer is given."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from core.documents import FoundPassage

BYTES_PER_TOKEN = 4
"""Of UTF-8, in the byte-pair vocabularies of today: English about 4.3, Chinese and Thai about 3."""

SMALLEST_PIECE_TOKENS = 64


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a model takes for the text, without its tokenizer."""
    return ceil(len(text.encode()) / BYTES_PER_TOKEN)


def within_budget(found: Sequence[FoundPassage], token_budget: int) -> list[FoundPassage]:
    """Return the best passages that fit the budget together, in the same order.

    The first one that does not fit is cut down to what is left, around its best-fitting
    stretch, and is the last one; it is left out where less than 64 tokens would remain of it.
    """
    kept: list[FoundPassage] = []
    left = token_budget
    for item in found:
        cost = estimated_tokens(item.passage.text)
        if cost > left:
            if left >= SMALLEST_PIECE_TOKENS:
                kept.append(_cut(item, len(item.passage.text) * left // cost))
            break
        kept.append(item)
        left -= cost
    return kept


def _cut(item: FoundPassage, room: int) -> FoundPassage:
    passage = item.passage
    start, end = _window(passage.text, item.focus_start, item.focus_end, room)
    piece = replace(
        passage,
        start=passage.start + start,
        end=passage.start + end,
        text=passage.text[start:end],
    )
    return replace(
        item,
        passage=piece,
        focus_start=max(item.focus_start - start, 0),
        focus_end=min(item.focus_end, end) - start,
    )


def _window(text: str, focus_start: int, focus_end: int, room: int) -> tuple[int, int]:
    """Return at most `room` characters around the focus, with whole words at the ends.

    room: less than the text has. A focus that is longer is cut at its end.
    """
    spare = max(room - (focus_end - focus_start), 0)
    start = min(max(focus_start - spare // 2, 0), len(text) - room)
    end = start + room
    space = text.find(" ", start, focus_start)
    if start > 0 and space >= 0:
        start = space + 1
    space = text.rfind(" ", focus_end if spare else focus_start, end)
    if end < len(text) and space > start:
        end = space
    return start, end
