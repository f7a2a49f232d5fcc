"""Opens the ZIP archive that a Word file is, and unpacks no more of it than is safe."""

import zipfile
import zlib
from pathlib import Path

from app.compute.readers.file_kind import READABLE
from core.errors import UnreadableDocument

MAX_ENTRIES = 1_000
MAX_BYTES = 25 * 1024 * 1024
MAX_RATIO = 100
# Small parts of repeated markup go far above the ratio and can do no harm.
FREE_BYTES = 1024 * 1024

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1

# Pictures, fonts and embedded files: they are never unpacked, so a file full of photographs may be
# larger than the limit.
_UNUSED = ("word/media/", "word/fonts/", "word/embeddings/", "customxml/", "docprops/")
_NESTED = (".zip", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".jar", ".docx")

_BROKEN = "This Word file is broken and can't be opened."
_TOO_LARGE = "This Word file unpacks to far more than a document has, so it was not opened."
_OTHERS = {
    "ppt/": "a PowerPoint file",
    "xl/": "an Excel file",
    "mimetype": "an OpenDocument file or an e-book",
}


class DocxPackage:
    """The parts of a Word file, unpacked when they are asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @classmethod
    def open(cls, path: Path) -> "DocxPackage":
        """Return the package at `path`; the caller closes it.

        Raises `UnreadableDocument` where it is not a Word file, is broken, or has too many or too
        large parts by what its directory says.
        """
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise UnreadableDocument(_BROKEN) from None
        try:
            _check(archive)
        except BaseException:
            archive.close()
            raise
        return cls(archive)

    def close(self) -> None:
        """Let go of the file."""
        self._archive.close()

    def part(self, name: str) -> bytes | None:
        """Return a part's bytes, None where there is none of that name.

        Raises `UnreadableDocument` where they are not what the directory says. No more is unpacked
        than it says, so the limit on that holds for what is really there, too.
        """
        try:
            return self._archive.read(name)
        except KeyError:
            return None
        # All that zipfile and zlib raise.
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError):
            raise UnreadableDocument(_BROKEN) from None


def _check(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    names = [entry.filename.lower() for entry in entries]
    _check_kind(names)
    if len(entries) > MAX_ENTRIES:
        raise UnreadableDocument(_TOO_LARGE)
    used = [entry for entry in entries if not entry.filename.lower().startswith(_UNUSED)]
    if any(entry.filename.lower().endswith(_NESTED) for entry in used):
        raise UnreadableDocument("This Word file has another archive in it, so it was not opened.")
    if any(entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS for entry in used):
        raise UnreadableDocument(_BROKEN)
    unpacked, is_bomb = _sizes(used, FREE_BYTES)
    if unpacked > MAX_BYTES or is_bomb or _sizes(entries, MAX_BYTES)[1]:
        raise UnreadableDocument(_TOO_LARGE)


def _sizes(entries: list[zipfile.ZipInfo], free: int) -> tuple[int, bool]:
    """Return how many bytes the entries unpack to, and whether that is out of all proportion."""
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    return unpacked, unpacked > free and unpacked > MAX_RATIO * packed


def _check_kind(names: list[str]) -> None:
    if "[content_types].xml" in names and any(name.startswith("word/") for name in names):
        return
    for prefix, what in _OTHERS.items():
        if any(name.startswith(prefix) for name in names):
            raise UnreadableDocument(f"This is {what}. {READABLE}")
    raise UnreadableDocument(f"This is a ZIP archive. {READABLE}")
