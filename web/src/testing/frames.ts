import type { AgUiEvent, AgUiMessage, Citation } from "../wire/events";
import type { EventsFrame } from "../wire/frames";

/** The conversation and the run that tests talk about where they name no other. */
export const CONVERSATION = "c1";
export const RUN = "r1";

/** Returns a frame of consecutive events. */
export function eventsFrame(
  sequence: number,
  events: AgUiEvent[],
  facts: Partial<EventsFrame> = {},
): EventsFrame {
  return {
    type: "events",
    conversation_id: CONVERSATION,
    run_id: RUN,
    epoch: "e1",
    sequence,
    events,
    ...facts,
  };
}

export function runStarted(question: string, messageId = "q1", runId = RUN): AgUiEvent {
  const messages: AgUiMessage[] = [{ id: messageId, role: "user", content: question }];
  const input = { threadId: CONVERSATION, runId, messages, state: {}, tools: [], context: [] };
  return { type: "RUN_STARTED", threadId: CONVERSATION, runId, input };
}

export function runFinished(outcome: "success" | "cancelled" = "success", runId = RUN): AgUiEvent {
  return { type: "RUN_FINISHED", threadId: CONVERSATION, runId, outcome: { type: outcome } };
}

export function textStart(messageId = "a1"): AgUiEvent {
  return { type: "TEXT_MESSAGE_START", messageId, role: "assistant" };
}

export function text(delta: string, messageId = "a1"): AgUiEvent {
  return { type: "TEXT_MESSAGE_CONTENT", messageId, delta };
}

export function textEnd(messageId = "a1"): AgUiEvent {
  return { type: "TEXT_MESSAGE_END", messageId };
}

export function citation(number: number): Citation {
  return {
    number,
    document_id: "d1",
    document_name: "handbook.pdf",
    passage_id: `p${number}`,
    page: 3,
    quote: "Dogs are welcome.",
    start: 10,
    end: 27,
  };
}

export function cited(citations: Citation[], messageId = "a1"): AgUiEvent {
  return { type: "CUSTOM", name: "citations", value: { messageId, citations } };
}

export function snapshot(messages: AgUiMessage[]): AgUiEvent {
  return { type: "MESSAGES_SNAPSHOT", messages };
}

/** Returns a whole turn: question, two pieces of text, end. */
export function wholeTurn(): AgUiEvent[] {
  return [runStarted("Dogs?"), textStart(), text("They are "), text("welcome."), textEnd()];
}
