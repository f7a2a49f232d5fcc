"""Makes the folder that Postgres keeps its data in, for the user that it must run as."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.cluster.part import Account, ClusterError

ROLE = "colloquy"
# Postgres refuses to run as root; these exist on every machine that has it, or at all.
ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A data folder, and how Postgres is told of it.

    As another user it may not go through the folders above, which are somebody's own. It gets an
    open descriptor instead, and the kernel's name for that.
    """

    path: Path
    account: Account | None
    descriptors: tuple[int, ...]

    @classmethod
    def open(cls, path: Path, account: Account | None) -> "DataFolder":
        """Return an existing folder; the descriptor stays open as long as this process lives."""
        if account is None:
            return cls(path, None, ())
        return cls(path, account, (os.open(path, os.O_RDONLY | os.O_DIRECTORY),))

    @property
    def name(self) -> str:
        """What the process that inherits `descriptors` calls the folder."""
        if not self.descriptors:
            return str(self.path)
        return f"/proc/self/fd/{self.descriptors[0]}"


def account_for(data: Path) -> Account | None:
    """Return the user that Postgres runs as; None: this process's own.

    Raises `ClusterError` where there is none.
    """
    if os.geteuid() != 0:
        return None
    if data.exists():
        # Nobody else can go on with it.
        state = data.stat()
        return Account(state.st_uid, state.st_gid)
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise ClusterError(
        "Postgres can't run as root, and there is neither a user postgres nor nobody: start as "
        "somebody else, or set DATABASE_URL."
    )


def make_data(programs: Path, path: Path, account: Account | None, password: str) -> None:
    """Make the data folder; where that is interrupted, there is none. Raises `ClusterError`."""
    fresh = path.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if account:
        os.chown(fresh, account.user_id, account.group_id)
    folder = DataFolder.open(fresh, account)
    try:
        with _password_file(password, account) as file:
            _run_initdb(programs, folder, file)
    finally:
        for descriptor in folder.descriptors:
            os.close(descriptor)
    fresh.rename(path)


def _run_initdb(programs: Path, folder: DataFolder, password_file: str) -> None:
    account = folder.account
    made = subprocess.run(
        [
            str(programs / "initdb"),
            *("-D", folder.name, "-U", ROLE, f"--pwfile={password_file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
        ],
        cwd="/" if account else None,
        user=account.user_id if account else None,
        group=account.group_id if account else None,
        extra_groups=[] if account else None,
        pass_fds=folder.descriptors,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        said = made.stderr.strip().splitlines() or ["it said nothing"]
        raise ClusterError(f"Postgres could not make its data in {folder.path}: {said[0]}")


@contextmanager
def _password_file(password: str, account: Account | None) -> Iterator[str]:
    with tempfile.NamedTemporaryFile("w") as file:
        if account:
            os.fchown(file.fileno(), account.user_id, account.group_id)
        file.write(password)
        file.flush()
        yield file.name
