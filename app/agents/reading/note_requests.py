"""Finds out whether a person wants something noted, or wants to see their notes."""

import re

_SAVE = re.compile(
    r"^\W*(?:please |can you |could you )?(?:"
    r"(?:(?:save|make|take|add|write(?: down)?) (?:me )?(?:an? |the |this |this as an? )?note"
    r"(?: (?:that|saying|of))?|note(?: down)?(?: that)?|notiz|notiere(?: dir)?|note(?:z)?(?: que)?"
    r"|nota|anota|заметка|запиши)\s*[:,–-]\s*"
    r"|(?:save|make|take|add) (?:me )?(?:an? )?note (?:that|saying) |note down (?:that )?"
    r"|(?:记一下|记下|备注)[::,,]?\s*)(?P<text>\S[\s\S]*)$",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"^\W*(?:please |can you |could you )?(?:(?:show|list|read|give|tell|open)(?: me)?(?: all)?"
    r"(?: of)? my notes|what (?:are|is in) my notes|what did i note(?: down)?|my notes"
    r"|(?:zeig(?:e)?(?: mir)?|liste) meine notizen(?: auf)?|meine notizen"
    r"|(?:montre(?:-moi)?|liste) mes notes|mes notes|(?:muestra|lista) mis notas|mis notas"
    r"|(?:покажи )?мои заметки|(?:显示|列出)?我的(?:笔记|备注))(?:,? please)?\W*$",
    re.IGNORECASE,
)


def find_note(text: str) -> str | None:
    """Return what `text` wants noted, word for word; None where it wants no such thing."""
    found = _SAVE.match(text)
    return found["text"].strip() if found else None


def wants_notes(text: str) -> bool:
    """Whether `text` asks for the notes there are, and nothing else."""
    return _LIST.match(text) is not None
