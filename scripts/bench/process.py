"""Starts a process on one core and reads from /proc what it has used. Linux only."""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ROOT = Path(__file__).parents[2]


@contextmanager
def pinned(
    command: Sequence[str],
    core: int,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    log: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run a command while the block runs.

    core: what the process starts is bound to it as well.
    environment: added to this process's own.
    log: takes its output and its errors; None: the output is a pipe.
    """
    variables = {**os.environ, **(environment or {})}
    output = subprocess.PIPE if log is None else log
    with subprocess.Popen(
        command, cwd=folder, env=variables, stdout=output, stderr=log, text=True
    ) as process:
        os.sched_setaffinity(process.pid, {core})
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def server_core() -> int:
    """Return the core that the measured server has to itself."""
    return min(os.sched_getaffinity(0))


def load_core() -> int:
    """Return the core of the load: another one, where there is another one."""
    return max(os.sched_getaffinity(0))


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Return what a process, its living descendants and its dead children have used, in CPU time.

    utime, stime, cutime and cstime of /proc/PID/stat, in steps of 10 ms.
    """
    ticks = 0
    for member in family(pid):
        fields = _stat(member)
        ticks += sum(int(field) for field in fields[11:15]) if fields else 0
    return ticks / _TICKS_PER_SECOND


def machine_cpu_seconds() -> float:
    """Return the CPU time that all processes have used on all cores.

    What a host took from this machine (steal) counts as used.
    """
    fields = (_PROC / "stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, interrupts, soft_interrupts, stolen = map(int, fields[:8])
    return (user + nice + system + interrupts + soft_interrupts + stolen) / _TICKS_PER_SECOND


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process and its descendants."""
    pages = 0
    for member in family(pid):
        fields = _stat(member)
        pages += int(fields[21]) if fields else 0
    return pages * _PAGE_BYTES


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    parents = {
        int(entry.name): int(fields[1])
        for entry in _PROC.iterdir()
        if entry.name.isdigit() and (fields := _stat(int(entry.name)))
    }
    members = [pid]
    for member in members:
        members += [child for child, parent in parents.items() if parent == member]
    return members


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, the state first; none if it is gone."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
