"""Says which text every database takes."""

import re

# NUL is text to a client and not to Postgres; half of a surrogate pair is no text at all.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """Return the text as it can be stored, so that what is said is what is stored."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
