"""Chunks cover a text exactly, whatever it is made of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.compute.chunking import CHILD_TOKENS, PARENT_TOKENS, chunk_document
from app.compute.token_estimate import count_tokens
from core.ports.compute import ChildChunk, ChunkedDocument, ParentChunk, ReadDocument

# What a text is made of, so that generated ones are long and have every kind of border.
BORDERS = ["word ", "Sentence ends. ", "e.g. this", "\n", "\n\n", " \n \n", "# Heading\n", "3.14"]
SCRIPTS = ["中文没有空格。", "，", "ภาษาไทย ", "ไม่มีช่องว่าง", "naïve", "e\u0301", "🙂", "?! "]
RUNS = [
    "`" * 40,
    " " * 200,
    "x" * 300,
    "中" * 200,
    "\u0301" * 150,
    "One. Two. " * 40,
    "a, b; " * 60,
]
PIECES = st.sampled_from([*BORDERS, *SCRIPTS, *RUNS])
TEXTS = st.lists(PIECES, max_size=40).map("".join)


@st.composite
def documents(draw: st.DrawFn) -> ReadDocument:
    pages = draw(st.lists(TEXTS, min_size=1, max_size=4))
    if len(pages) == 1 and draw(st.booleans()):
        return ReadDocument(pages[0], "text/plain", ())
    starts, text = [], ""
    for page in pages:
        starts.append(len(text))
        text += page + "\n\n"
    return ReadDocument(text, "application/pdf", tuple(starts))


def chunk(text: str, *page_starts: int) -> ChunkedDocument:
    return chunk_document(ReadDocument(text, "text/plain", page_starts))


def quoted(text: str, chunks: tuple[ParentChunk, ...] | tuple[ChildChunk, ...]) -> list[str]:
    return [text[chunk.start : chunk.end] for chunk in chunks]


@settings(deadline=None, max_examples=60)
@given(documents())
def test_everything_but_white_space_is_in_exactly_one_child_and_one_parent(
    document: ReadDocument,
) -> None:
    chunks = chunk_document(document)
    for stretches in (chunks.parents, chunks.children):
        assert "".join("".join(quoted(document.text, stretches)).split()) == "".join(
            document.text.split()
        )
        ends = [stretch.end for stretch in stretches]
        starts = [stretch.start for stretch in stretches]
        assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))


@settings(deadline=None, max_examples=60)
@given(documents())
def test_a_child_lies_in_its_parent_and_parents_have_children_in_order(
    document: ReadDocument,
) -> None:
    chunks = chunk_document(document)
    for child in chunks.children:
        parent = chunks.parents[child.parent]
        assert parent.start <= child.start < child.end <= parent.end
    assert list(dict.fromkeys(child.parent for child in chunks.children)) == list(
        range(len(chunks.parents))
    )


@settings(deadline=None, max_examples=60)
@given(documents())
def test_no_chunk_is_too_long_or_has_white_space_at_its_ends(document: ReadDocument) -> None:
    chunks = chunk_document(document)
    # A cut inside of a word may make two tokens of one.
    slack = 4
    for limit, stretches in (
        (PARENT_TOKENS, quoted(document.text, chunks.parents)),
        (CHILD_TOKENS, quoted(document.text, chunks.children)),
    ):
        for text in stretches:
            assert 0 < count_tokens(text) <= limit + slack
            assert text == text.strip()


@settings(deadline=None, max_examples=60)
@given(documents())
def test_a_parent_names_the_one_page_it_is_on(document: ReadDocument) -> None:
    ends = (*document.page_starts[1:], len(document.text))
    for parent in chunk_document(document).parents:
        if not document.page_starts:
            assert parent.page is None
            continue
        assert parent.page is not None
        page = parent.page - 1
        assert document.page_starts[page] <= parent.start < parent.end <= ends[page]


def test_cuts_are_made_between_paragraphs_and_sentences_where_possible() -> None:
    sentence = "The quick brown fox jumps over the lazy dog near the river bank today. "
    text = "\n\n".join(sentence * 6 for _ in range(20))
    chunks = chunk(text)
    assert len(chunks.parents) > 2
    for passage in quoted(text, chunks.parents):
        assert passage.startswith("The quick")
        assert passage.endswith("today.")
    assert all(part.endswith("today.") for part in quoted(text, chunks.children))


def test_parents_end_with_a_paragraph_when_one_ends_late_enough() -> None:
    paragraph = "Bread is baked from flour and water. " * 10
    text = "\n\n".join([paragraph.strip()] * 12)
    ends = [parent.end for parent in chunk(text).parents]
    assert all(text[end : end + 2] in {"\n\n", ""} for end in ends)


def test_a_heading_stays_with_the_text_below_it() -> None:
    text = "Refunds\n\n" + "We pay within ten days of the return. " * 3
    (child,) = chunk(text).children
    assert text[child.start : child.end].startswith("Refunds\n\nWe pay")


def test_an_abbreviation_or_a_number_ends_no_sentence() -> None:
    sentence = "Use e.g. version 3.5 of the tool when the build of the parser fails again, please. "
    text = sentence * 30
    assert all(part.startswith("Use") for part in quoted(text, chunk(text).children))


def test_chinese_is_cut_after_its_full_stops() -> None:
    sentence = "机器学习是人工智能的一个分支，它研究计算机如何从数据中学习。"
    text = sentence * 40
    children = quoted(text, chunk(text).children)
    assert len(children) > 5
    assert all(part.endswith("。") for part in children)


def test_thai_is_cut_at_the_spaces_between_its_phrases() -> None:
    phrase = "ประเทศไทยมีประชากรประมาณเจ็ดสิบล้านคน"
    text = " ".join([phrase] * 40)
    children = quoted(text, chunk(text).children)
    assert len(children) > 2
    assert all(set(part.split(" ")) == {phrase} for part in children)


def test_a_long_run_of_letters_is_cut_without_tearing_accents_off() -> None:
    text = "e\u0301" * 2000
    for part in quoted(text, chunk(text).children):
        assert part[0] == "e"
        assert part[-1] == "\u0301"


def test_the_last_child_is_not_a_scrap() -> None:
    text = "Seven words make up this short sentence. " * 17
    counts = [count_tokens(part) for part in quoted(text, chunk(text).children)]
    assert min(counts) > CHILD_TOKENS / 4


def test_blank_pages_have_no_chunks_and_the_others_keep_their_numbers() -> None:
    chunks = chunk("\n\nFirst.\n\n\n\nLast.", 0, 2, 10, 12)
    assert [parent.page for parent in chunks.parents] == [2, 4]


def test_a_text_of_white_space_has_no_chunks() -> None:
    assert chunk(" \n\n\t ") == ChunkedDocument((), ())


@pytest.mark.parametrize("piece", ["a", "`", ".", "。", "，", " .", "\n ", "中", "\u0301", '."'])
def test_a_long_text_of_one_piece_takes_time_in_proportion(piece: str) -> None:
    # A quadratic step over this text would run into the timeout of the tests.
    text = "x" + piece * 100_000
    assert chunk(text).children[-1].end == len(text.rstrip())
