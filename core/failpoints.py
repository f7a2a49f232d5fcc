"""Lets a test kill this process at a named line; does nothing unless it is asked to.

COLLOQUY_FAILPOINT=after_claim     the first time the line is reached
COLLOQUY_FAILPOINT=after_claim:3   the third time
"""

import os
import signal
from typing import Literal

Failpoint = Literal[
    "after_admit",
    "after_claim",
    "after_take",
    "after_append",
    "after_checkpoint",
    "after_step",
    "before_finish",
    "after_finish",
    "before_tell",
    "after_tell",
    "during_snapshot",
    "after_release",
    "after_effect",
]


def _asked_for() -> tuple[str, int]:
    name, _, count = os.environ.get("COLLOQUY_FAILPOINT", "").partition(":")
    return name, int(count or 1)


_name, _passes_left = _asked_for()


def reach(name: Failpoint) -> None:
    """Note that the line was reached; the process ends here, as in a crash, if that was asked."""
    global _passes_left
    if name != _name:
        return
    _passes_left -= 1
    if _passes_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
