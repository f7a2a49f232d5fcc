"""Starts an MCP server's program in place of itself; run as a script, it imports nothing of ours.

Arguments: the id of the process that has started it, the environment variables to take away by
commas, the command, its arguments.
"""

import ctypes
import os
import signal
import sys

NOT_FOUND = 127
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Become the program; returns an exit status where that can't be."""
    parent, dropped, *command = arguments
    _end_with(int(parent))
    for name in filter(None, dropped.split(",")):
        os.environ.pop(name, None)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]} can't be started: {error.strerror}\n")
    return NOT_FOUND


def _end_with(parent: int) -> None:
    """Let the kernel end this process when its parent is gone, however that came; Linux only.

    Elsewhere a program ends when its input does, as the protocol demands.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It was gone before the kernel knew.
        os._exit(NOT_FOUND)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
