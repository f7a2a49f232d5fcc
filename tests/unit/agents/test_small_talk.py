import pytest

from app.agents.reading.small_talk import is_small_talk


@pytest.mark.parametrize(
    "text",
    [
        "Hi!",
        "Hello there",
        "hi, how are you today",
        "thanks a lot",
        "Thank you ever so much for that!",
        "thanks bye bye!",
        "You’re the best thanks so much!",
        "ok, got it",
        "What's your name?",
        "who made you",
        "are you a person or robot",
        "how old are you",
        "can you tell me how old you are",
        "what can you do for me",
        "tell me a joke",
        "what is the meaning of life",
        "Guten Morgen",
        "Wie geht's?",
        "bonjour",
        "¿Cómo estás?",
        "спасибо",
        "你好",
        "谢谢你！",
        "你是谁？",
        "สวัสดีครับ",
        "شكرا",
    ],
)
def test_small_talk_is_told(text: str) -> None:
    assert is_small_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks! Now what does chapter 2 say?",
        "Hello, who sequenced the first plastome?",
        "Can you tell me who made the first pump?",
        "What is the name of the French colony?",
        "How old is the universe?",
        "What can I do to improve my credit score?",
        "Do you have the name of the supplier?",
        "Summarise chapter 2, thank you",
        "what would you conclude from this study",
        "Which human genes are affected?",
        "What is the purpose of the treaty?",
        "你能告诉我合同什么时候到期吗",
        "",
        "thanks " * 40,
    ],
)
def test_what_may_need_the_documents_is_not_taken_for_small_talk(text: str) -> None:
    assert not is_small_talk(text)
