"""What a part writes is kept, within limits."""

from pathlib import Path

from scripts.cluster import log_file
from scripts.cluster.log_file import LogFile


def test_the_last_words_are_the_last_lines_that_say_something(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "part.log")
    log.path.write_text("one\ntwo\nthree\n\n  four\n\n")
    assert log.last_words() == "two\nthree\nfour"


def test_a_part_that_said_nothing_has_no_last_words(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "part.log")
    log.path.touch()
    assert log.last_words() == ""


def test_a_file_that_is_too_large_is_emptied_under_its_writer(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "part.log")
    with log.open() as writer:
        writer.write(b"x" * (log_file.MAX_BYTES + 1))
        writer.flush()
        log.trim()
        writer.write(b"after")
        writer.flush()
        assert log.path.read_bytes() == b"after"
    assert (tmp_path / "part.log.1").stat().st_size == log_file.MAX_BYTES + 1


def test_a_small_file_and_one_that_is_not_there_are_left_alone(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "part.log")
    log.trim()
    log.path.write_text("short")
    log.trim()
    assert log.path.read_text() == "short"
