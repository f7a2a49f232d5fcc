"""What collections and documents may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.knowledge.names import (
    DOCUMENT_NAME_LENGTH,
    clean_collection_name,
    clean_document_name,
)
from core.errors import InvalidRequest


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\plan.docx", "plan.docx"),
        ("a\x00b\x1b[31m.txt", "ab[31m.txt"),
        ("two\nlines\t.txt", "two lines .txt"),
        ("  spaced   out .md ", "spaced out .md"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("résumé.txt", "résumé.txt"),
        ("re\u0301sume\u0301.txt", "résumé.txt"),
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        (".env", ".env"),
    ],
)
def test_a_name_is_shown_as_one_plain_line(given_name: str, shown: str) -> None:
    assert clean_document_name(given_name) == shown


@pytest.mark.parametrize("given_name", ["", "   ", "..", "../..", "folder/", "\x00\x07", "\u202e"])
def test_a_file_without_a_name_is_refused(given_name: str) -> None:
    with pytest.raises(InvalidRequest):
        clean_document_name(given_name)


def test_a_long_name_is_shortened_and_keeps_its_ending() -> None:
    name = clean_document_name("x" * 300 + ".pdf")

    assert len(name) == DOCUMENT_NAME_LENGTH
    assert name.endswith("x….pdf")


def test_a_long_name_without_an_ending_is_shortened() -> None:
    assert clean_document_name("x" * 300) == "x" * 199 + "…"
    assert clean_document_name("a." + "x" * 300) == "a." + "x" * 197 + "…"


@given(st.text(max_size=400))
def test_every_name_is_refused_or_harmless(given_name: str) -> None:
    try:
        name = clean_document_name(given_name)
    except InvalidRequest:
        return
    assert 0 < len(name) <= DOCUMENT_NAME_LENGTH
    assert not set(name) & set("/\\\n\r\0")
    assert clean_document_name(name) == name


@pytest.mark.parametrize("name", ["default", "Hand books", "v1.2_final-3", "помощь", "手册"])
def test_words_are_names_of_collections(name: str) -> None:
    assert clean_collection_name(f" {name} ") == name


@pytest.mark.parametrize("name", ["", " ", "../x", "a/b", "a\nb", "-x", ".", "x" * 65, "a\0"])
def test_other_texts_are_no_names_of_collections(name: str) -> None:
    with pytest.raises(InvalidRequest):
        clean_collection_name(name)
