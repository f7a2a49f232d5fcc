"""How what AG-UI says becomes a request."""

import pytest
from ag_ui.core import AssistantMessage, ImagePart, Message, TextPart, UrlSource, UserMessage

from app.turns.run_input import read_run_input
from core import runs
from core.errors import InvalidRequest
from core.ids import ConversationId, MessageId, RunId
from core.principal import LOCAL
from core.runs import OnBusy, RunRequest

CONVERSATION = "AAAAAAAA-1111-4111-8111-111111111111"
RUN = "33333333-3333-4333-8333-333333333333"


def read(*messages: Message, forwarded_props: object = None) -> RunRequest:
    return read_run_input(RUN, CONVERSATION, messages, forwarded_props, LOCAL)


def user(content: str | list[object], message_id: str = "m") -> UserMessage:
    return UserMessage.model_validate({"id": message_id, "role": "user", "content": content})


def test_a_message_becomes_a_request() -> None:
    assert read(user("Hi")) == RunRequest(
        run_id=RunId(RUN),
        conversation_id=ConversationId(CONVERSATION.lower()),
        principal=LOCAL,
        message=runs.UserMessage(MessageId("m"), "Hi"),
        on_busy=OnBusy.REJECT,
        collection="default",
    )


def test_the_last_message_of_the_user_counts() -> None:
    request = read(user("one", "1"), user("two", "2"), AssistantMessage(id="3", content="three"))
    assert request.message == runs.UserMessage(MessageId("2"), "two")


def test_parts_of_text_are_one_text() -> None:
    parts: list[object] = [TextPart(text="one"), TextPart(text="two")]
    assert read(user(parts)).message.content == "one\ntwo"


@pytest.mark.parametrize(
    "content",
    [
        "",
        " \n",
        [],
        [TextPart(text="")],
        [TextPart(text="see"), ImagePart(source=UrlSource(value="https://a.example/b.png"))],
    ],
)
def test_a_message_that_is_not_text_is_refused(content: str | list[object]) -> None:
    with pytest.raises(InvalidRequest):
        read(user("earlier"), user(content))


def test_without_a_message_of_the_user_there_is_nothing_to_answer() -> None:
    with pytest.raises(InvalidRequest):
        read()
    with pytest.raises(InvalidRequest):
        read(AssistantMessage(id="1", content="Hi"))


@pytest.mark.parametrize("message_id", ["", "x" * 129])
def test_a_message_needs_an_id_of_sensible_length(message_id: str) -> None:
    with pytest.raises(InvalidRequest):
        read(user("Hi", message_id))


@pytest.mark.parametrize("text", ["", "1", RUN.replace("-", ""), f"{{{RUN}}}", f"urn:uuid:{RUN}"])
def test_ids_are_uuids_with_hyphens(text: str) -> None:
    with pytest.raises(InvalidRequest, match="run id"):
        read_run_input(text, CONVERSATION, [user("Hi")], None, LOCAL)
    with pytest.raises(InvalidRequest, match="conversation id"):
        read_run_input(RUN, text, [user("Hi")], None, LOCAL)


@pytest.mark.parametrize(
    ("forwarded_props", "collection"),
    [
        (None, "default"),
        ({}, "default"),
        ("theirs", "default"),
        ({"theirs": 1}, "default"),
        ({"collection": None}, "default"),
        ({"collection": "papers", "theirs": 1}, "papers"),
    ],
)
def test_the_collection_is_named_in_the_forwarded_props(
    forwarded_props: object, collection: str
) -> None:
    assert read(user("Hi"), forwarded_props=forwarded_props).collection == collection


@pytest.mark.parametrize("name", ["", 5, ["papers"], "x" * 201])
def test_a_collection_that_is_no_name_is_refused(name: object) -> None:
    with pytest.raises(InvalidRequest, match="collection"):
        read(user("Hi"), forwarded_props={"collection": name})
