import pytest

from app.agents.routing import is_overview, search_query, wishes_of
from core.conversations import Role
from tests.unit.agents.fakes import said


@pytest.mark.parametrize(
    "question",
    [
        "Who sequenced the first plastome?",
        "difference between twisted pair wire and coaxial cable",
        "Write a summary of the report",
        "Translate the second chapter",
        "Developments in which sciences influenced pharmacology?",
        "Constructing a bridge takes how long?",
        "Thanks. What does the contract say about notice periods?",
        "什么是免疫系统？",
        "yes",
    ],
)
def test_in_doubt_the_documents_are_searched(question: str) -> None:
    wishes = wishes_of(question)
    assert wishes.documents
    assert wishes.requests == ()


@pytest.mark.parametrize(
    "question",
    [
        "Hello!",
        "thanks",
        "???",
        "👍",
        "Write a C++ program to find the nth Fibonacci number.",
        "Please draft an email to my landlord",
        "Can you translate 'good morning' into Thai?",
        "Fix this:\n```\nprint(1\n```",
        "Count the words in the following text:\nAll work and no play.",
    ],
)
def test_what_needs_nothing_goes_straight_to_the_writer(question: str) -> None:
    wishes = wishes_of(question)
    assert not wishes.documents
    assert wishes.requests == ()


def test_a_calculation_alone_needs_no_documents() -> None:
    wishes = wishes_of("What is 12*7?")
    assert not wishes.documents
    (request,) = wishes.requests
    assert (request.tool, request.arguments) == ("calculate", {"expression": "12*7"})


def test_both_are_wanted_where_both_are_asked_for() -> None:
    wishes = wishes_of("What is 15% of 80 and what does the report say about margins?")
    assert wishes.documents
    assert [request.tool for request in wishes.requests] == ["calculate"]


@pytest.mark.parametrize(
    "question",
    ["今天星期几，合同什么时候到期？", "What is 2+2? And who signed?", "12*7, and the warranty?"],
)
def test_whatever_else_is_asked_is_searched_for(question: str) -> None:
    wishes = wishes_of(question)
    assert wishes.documents
    assert len(wishes.requests) == 1


def test_several_tools_can_be_asked_for_at_once() -> None:
    wishes = wishes_of("What time is it in Oslo and what is 2+2?")
    assert [(r.tool, r.arguments) for r in wishes.requests] == [
        ("calculate", {"expression": "2+2"}),
        ("current_time", {"timezone": "Oslo"}),
    ]
    assert not wishes.documents


def test_a_long_text_is_no_plain_request() -> None:
    wishes = wishes_of("Explain the method. " * 30 + "What is 2+2?")
    assert wishes.requests == ()
    assert wishes.documents


@pytest.mark.parametrize(
    "question",
    [
        "And why?",
        "What about the second one?",
        "When did he die?",
        "它有多大？",
        "Warum?",
        "Prices?",
    ],
)
def test_a_question_that_leans_on_the_last_one_is_searched_with_it(question: str) -> None:
    history = [said(Role.USER, "Who was Otto?"), said(Role.ASSISTANT, "A king.")]
    assert search_query(question, history) == f"Who was Otto?\n{question}"


def test_a_question_that_stands_alone_is_searched_alone() -> None:
    question = "How many examination boards exist in India?"
    assert search_query(question, [said(Role.USER, "Who was Otto?")]) == question


def test_what_the_tools_answer_is_not_searched_for() -> None:
    query = search_query("What is 15% of 80 and what does the report say about margins?", [])
    assert "what does the report say about margins" in query
    assert "80" not in query


def test_small_talk_is_nothing_to_lean_on() -> None:
    assert search_query("And why?", [said(Role.USER, "Hello")]) == "And why?"
    assert search_query("And why?", [said(Role.ASSISTANT, "I am.")]) == "And why?"


@pytest.mark.parametrize(
    "question", ["Summarize this", "What is this document about?", "总结一下", "สรุปให้หน่อย"]
)
def test_an_overview_is_told(question: str) -> None:
    assert is_overview(question)
    assert not is_overview("What is the immune system about to do?")
