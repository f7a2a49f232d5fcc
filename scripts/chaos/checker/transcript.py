"""Folds events into the transcript that a client shows, by the rules of the protocol."""

from dataclasses import dataclass, field

from scripts.chaos.history import Json


@dataclass(slots=True)
class Tool:
    """A tool call as it is shown; result: None before it came."""

    id: str
    name: str
    arguments: str = ""
    result: str | None = None


@dataclass(slots=True)
class Shown:
    """One message as it is shown."""

    id: str
    role: str
    content: str = ""
    citations: list[Json] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)


class Transcript:
    """The messages that a client shows, in their order."""

    def __init__(self) -> None:
        self._messages: dict[str, Shown] = {}

    @property
    def messages(self) -> list[Shown]:
        """The messages so far."""
        return list(self._messages.values())

    def apply(self, event: Json) -> None:
        """Apply one event; those that nobody shows change nothing."""
        match event["type"]:
            case "RUN_STARTED":
                for message in event["input"]["messages"]:
                    self._ensure(message["id"], message["role"], message["content"])
            case "TEXT_MESSAGE_START":
                self._ensure(event["messageId"], event["role"])
            case "TEXT_MESSAGE_CONTENT":
                self._ensure(event["messageId"], "assistant").content += event["delta"]
            case "TOOL_CALL_START":
                message = self._ensure(event["parentMessageId"], "assistant")
                message.tools.append(Tool(event["toolCallId"], event["toolCallName"]))
            case "TOOL_CALL_ARGS":
                self._tool(event["toolCallId"]).arguments += event["delta"]
            case "TOOL_CALL_RESULT":
                self._tool(event["toolCallId"]).result = event["content"]
            case "CUSTOM" if event["name"] == "citations":
                value = event["value"]
                self._ensure(value["messageId"], "assistant").citations = value["citations"]
            case "MESSAGES_SNAPSHOT":
                self._replace(event["messages"])

    def _ensure(self, key: str, role: str, content: str = "") -> Shown:
        return self._messages.setdefault(key, Shown(key, role, content))

    def _tool(self, call_id: str) -> Tool:
        for message in self._messages.values():
            for tool in message.tools:
                if tool.id == call_id:
                    return tool
        # A result without its call: shown as a message, so that the comparison fails.
        tool = Tool(call_id, "")
        self._ensure(f"no call {call_id}", "tool").tools.append(tool)
        return tool

    def _replace(self, messages: list[Json]) -> None:
        self._messages.clear()
        for message in messages:
            if message["role"] == "tool":
                self._tool(message["toolCallId"]).result = message["content"]
                continue
            shown = self._ensure(message["id"], message["role"], message.get("content") or "")
            shown.citations = (message.get("metadata") or {}).get("citations", [])
            shown.tools = [
                Tool(call["id"], call["function"]["name"], call["function"]["arguments"])
                for call in message.get("toolCalls") or ()
            ]
