import type {
  AgUiEvent,
  AgUiMessage,
  AskDecidedValue,
  AssistantMessage,
  CitationsValue,
  ToolCall,
} from "./events";
import { citationsOf, saidBeforeCalls, textOf } from "./events";
import type { Answer, Entry, Outcome, Part, Question, TextPart, ToolPart } from "./transcript";

type Entries = readonly Entry[];
type Of<T extends AgUiEvent["type"]> = Extract<AgUiEvent, { type: T }>;

/** Returns the entries after one more event of a run. An event nobody shows changes nothing. */
export function applyEvent(entries: Entries, event: AgUiEvent, runId: string | null): Entries {
  switch (event.type) {
    case "MESSAGES_SNAPSHOT":
      return replaceAll(entries, event.messages, runId);
    case "RUN_STARTED":
      return start(entries, event);
    case "RUN_FINISHED":
      return finish(entries, event.runId, { kind: outcomeOf(event) });
    case "RUN_ERROR":
      return finish(entries, runId, {
        kind: "failed",
        message: event.message,
        code: event.code ?? "internal",
      });
    // An approved call is a part of the answer that asked, which an earlier run gave.
    case "TOOL_CALL_RESULT":
      return editTool(entries, event.toolCallId, (tool) => ({ ...tool, result: resultOf(event) }));
    case "CUSTOM":
      if (event.name === "ask.decided") return decide(entries, event.value as AskDecidedValue);
      return editAnswer(entries, runId, (answer) => applyToAnswer(answer, event));
    default:
      return editAnswer(entries, runId, (answer) => applyToAnswer(answer, event));
  }
}

function outcomeOf(event: Of<"RUN_FINISHED">): "stopped" | "asking" | "finished" {
  if (event.outcome?.type === "cancelled") return "stopped";
  return event.outcome?.type === "interrupt" ? "asking" : "finished";
}

function decide(entries: Entries, decision: AskDecidedValue): Entries {
  return editTool(entries, decision.toolCallId, (tool) => ({ ...tool, decision }));
}

function editTool(entries: Entries, callId: string, edit: (tool: ToolPart) => ToolPart): Entries {
  return entries.map((entry) => {
    if (entry.kind !== "answer") return entry;
    if (!entry.parts.some((part) => part.kind === "tool" && part.callId === callId)) return entry;
    const parts = entry.parts.map((part) =>
      part.kind === "tool" && part.callId === callId ? edit(part) : part,
    );
    return { ...entry, parts };
  });
}

function applyToAnswer(answer: Answer, event: AgUiEvent): Answer {
  switch (event.type) {
    case "STEP_STARTED":
      return { ...answer, steps: [...answer.steps, event.stepName] };
    case "STEP_FINISHED":
      return { ...answer, steps: without(answer.steps, event.stepName) };
    case "CUSTOM":
      return applyCustom(answer, event);
    default: {
      const parts = applyToParts(answer.parts, event);
      return parts === answer.parts ? answer : { ...answer, parts };
    }
  }
}

function applyCustom(answer: Answer, event: Of<"CUSTOM">): Answer {
  if (event.name === "run.resumed") return { ...answer, resumed: true, steps: [] };
  if (event.name !== "citations") return answer;
  const { messageId, citations } = event.value as CitationsValue;
  const parts = answer.parts.map((part) =>
    part.kind === "text" && part.messageId === messageId ? { ...part, citations } : part,
  );
  return { ...answer, parts };
}

function applyToParts(parts: readonly Part[], event: AgUiEvent): readonly Part[] {
  switch (event.type) {
    case "TEXT_MESSAGE_START":
      return [...parts, newText(event.messageId, parts)];
    case "REASONING_MESSAGE_START":
      return [...parts, { kind: "reasoning", messageId: event.messageId, text: "" }];
    case "TOOL_CALL_START":
      return [...parts, newTool(event)];
    case "TEXT_MESSAGE_CONTENT":
      return growText(parts, event.messageId, event.delta);
    case "REASONING_MESSAGE_CONTENT":
      return growReasoning(parts, event.messageId, event.delta);
    case "TOOL_CALL_ARGS":
      return growArguments(parts, event);
    default:
      return parts;
  }
}

function newTool(event: Of<"TOOL_CALL_START">): Part {
  const { toolCallId: callId, toolCallName: name } = event;
  return { kind: "tool", callId, name, arguments: "", result: null, decision: null };
}

function newText(messageId: string, parts: readonly Part[]): TextPart {
  const piece = parts.filter((part) => isTextOf(part, messageId)).length;
  return { kind: "text", messageId, piece, text: "", citations: [] };
}

function isTextOf(part: Part | undefined, messageId: string): part is TextPart {
  return part?.kind === "text" && part.messageId === messageId;
}

/** A message goes on below the tools that were called in the middle of it. */
function growText(parts: readonly Part[], messageId: string, delta: string): readonly Part[] {
  const last = parts.at(-1);
  if (isTextOf(last, messageId)) {
    return [...parts.slice(0, -1), { ...last, text: last.text + delta }];
  }
  // The line between two pieces is the tools themselves.
  const begun = newText(messageId, parts);
  return [...parts, { ...begun, text: begun.piece ? delta.trimStart() : delta }];
}

function growReasoning(parts: readonly Part[], messageId: string, delta: string): readonly Part[] {
  return parts.map((part) =>
    part.kind === "reasoning" && part.messageId === messageId
      ? { ...part, text: part.text + delta }
      : part,
  );
}

function growArguments(parts: readonly Part[], event: Of<"TOOL_CALL_ARGS">): readonly Part[] {
  return parts.map((part) =>
    part.kind === "tool" && part.callId === event.toolCallId
      ? { ...part, arguments: part.arguments + event.delta }
      : part,
  );
}

function resultOf(event: Of<"TOOL_CALL_RESULT">): string {
  return typeof event.content === "string" ? event.content : "";
}

function start(entries: Entries, event: Of<"RUN_STARTED">): Entries {
  const known = new Set(entries.map((entry) => entry.id));
  const questions = (event.input?.messages ?? [])
    .filter((message) => message.role === "user" && !known.has(message.id))
    .map(asQuestion);
  return [...entries, ...questions, newAnswer(event.runId, event.runId)];
}

function finish(entries: Entries, runId: string | null, outcome: Outcome): Entries {
  return editAnswer(entries, runId, (answer) => ({ ...answer, outcome, steps: [] }));
}

/** The stored messages stand instead of all that was shown; a run at work begins its answer anew. */
function replaceAll(entries: Entries, messages: AgUiMessage[], runId: string | null): Entries {
  const said = messages.flatMap((message): Entry[] => {
    if (message.role === "user") return [asQuestion(message)];
    return message.role === "assistant" ? [asAnswer(message, messages)] : [];
  });
  const running = runId === null ? undefined : findAnswer(entries, runId);
  return running ? [...said, { ...running, parts: [], steps: [] }] : said;
}

function asQuestion(message: AgUiMessage): Question {
  return { kind: "question", id: message.id, text: textOf(message) };
}

function asAnswer(message: AssistantMessage, all: readonly AgUiMessage[]): Answer {
  const citations = citationsOf(message);
  const places = saidBeforeCalls(message);
  // The places count code points, as the server does.
  const text = Array.from(textOf(message));
  let parts: readonly Part[] = [];
  let told = 0;
  const tell = (end: number) => {
    const said = text.slice(told, end).join("");
    told = Math.max(told, end);
    if (said) parts = growText(parts, message.id, said);
  };
  for (const call of message.toolCalls ?? []) {
    tell(places[call.id] ?? 0);
    parts = [...parts, asTool(call, all)];
  }
  tell(text.length);
  parts = parts.map((part) => (part.kind === "text" ? { ...part, citations } : part));
  return { ...newAnswer(message.id, null), parts, outcome: { kind: "finished" } };
}

/** What a tool gave back is a message of its own. */
function asTool(call: ToolCall, all: readonly AgUiMessage[]): Part {
  const answer = all.find((message) => message.role === "tool" && message.toolCallId === call.id);
  const result = answer ? textOf(answer) : null;
  return {
    kind: "tool",
    callId: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
    result,
    decision: null,
  };
}

function newAnswer(id: string, runId: string | null): Answer {
  return {
    kind: "answer",
    id,
    runId,
    parts: [],
    steps: [],
    outcome: { kind: "running" },
    resumed: false,
  };
}

function findAnswer(entries: Entries, runId: string): Answer | undefined {
  return entries.findLast(
    (entry): entry is Answer => entry.kind === "answer" && entry.runId === runId,
  );
}

/** Edits a run's answer, which is begun where its start was told by a snapshot. */
function editAnswer(
  entries: Entries,
  runId: string | null,
  edit: (answer: Answer) => Answer,
): Entries {
  if (runId === null) return entries;
  const found = findAnswer(entries, runId);
  if (!found) return [...entries, edit(newAnswer(runId, runId))];
  const edited = edit(found);
  return edited === found ? entries : entries.map((entry) => (entry === found ? edited : entry));
}

function without(names: readonly string[], name: string): string[] {
  const at = names.indexOf(name);
  return names.filter((_, index) => index !== at);
}
