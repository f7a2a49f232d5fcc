import pytest

from app.agents.reading.clock_questions import NOWHERE, find_clock_questions


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("What time is it?", [NOWHERE]),
        ("what time is it in Tokyo right now?", ["Tokyo"]),
        ("What's the time in New York", ["New York"]),
        ("current time in London, please", ["London"]),
        ("in Lisbon, what time is it", ["Lisbon"]),
        ("What is today's date?", [NOWHERE]),
        ("what day is it today", [NOWHERE]),
        ("Wie spät ist es in München?", ["München"]),
        ("Quelle heure est-il à Paris ?", ["Paris"]),
        ("¿Qué hora es en Madrid?", ["Madrid"]),
        ("который час в Москве?", ["Москве"]),
        ("北京现在几点？", ["北京"]),
        ("现在几点了", [NOWHERE]),
        ("今天星期几", [NOWHERE]),
        ("几点了？", [NOWHERE]),
        ("今何時ですか", [NOWHERE]),
        ("กี่โมงแล้วครับ", [NOWHERE]),
        ("ตอนนี้กี่โมงแล้ว", [NOWHERE]),
        ("كم الساعة الآن", [NOWHERE]),
    ],
)
def test_a_question_for_the_time_is_found_with_its_place(text: str, places: list[str]) -> None:
    assert find_clock_questions(text)[0] == places


@pytest.mark.parametrize(
    "text",
    [
        "What is the time complexity of quicksort?",
        "What is the date of the contract?",
        "What time is it best to plant roses?",
        "What time is it in the story when the hero wakes up?",
        "When was the first king crowned?",
        "my card expires on what date",
        "会议几点开始？",
        "会議は何時に始まりますか",
        "ประชุมกี่โมง",
    ],
)
def test_a_question_about_some_other_time_is_left_alone(text: str) -> None:
    assert find_clock_questions(text) == ([], text)


def test_the_rest_of_the_text_is_kept() -> None:
    places, rest = find_clock_questions("What time is it in Rome and who wrote the report?")
    assert places == ["Rome"]
    assert "who wrote the report?" in rest
