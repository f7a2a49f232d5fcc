import type {
  AssistantMessage,
  Event,
  Interrupt,
  Message,
  ResumeEntry,
  ToolCall,
} from "@ag-ui/core";

export type { AssistantMessage, Interrupt, ResumeEntry, ToolCall };

/** An event type spelled as it stands on the wire, so that no enum has to be bundled. */
type Spelled<E> = E extends { type: infer T extends string }
  ? Omit<E, "type"> & { type: `${T}` }
  : never;

/** One AG-UI 1.0 event. */
export type AgUiEvent = Spelled<Event>;

export type AgUiMessage = Message;

/** Where one statement of an answer comes from. */
export interface Citation {
  /** What the answer's text calls it, as in `[1]`. */
  number: number;
  document_id: string;
  document_name: string;
  passage_id: string;
  /** From 1; null where the format has no pages. */
  page: number | null;
  /** Text that stands in the passage word for word. */
  quote: string;
  /** Where the quote stands in the document's text, in code points, end exclusive. */
  start: number;
  end: number;
}

/** The value of a `CUSTOM` event named `citations`. */
export interface CitationsValue {
  messageId: string;
  citations: Citation[];
}

/** The value of a `CUSTOM` event named `ask.decided`. */
export interface AskDecidedValue {
  interruptId: string;
  toolCallId: string;
  decision: "approved" | "edited" | "rejected" | "repeat" | "happened" | "skip";
  /** What was called, where the person changed it. */
  arguments: string;
}

/** Returns a message's text, whichever way AG-UI carries it. */
export function textOf(message: AgUiMessage): string {
  const content = message.content;
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Returns how many code points of a stored message's text were said before each of its calls. */
export function saidBeforeCalls(message: AssistantMessage): Record<string, number> {
  return (message.metadata?.saidBeforeCalls ?? {}) as Record<string, number>;
}

/** Returns the citations that a stored message carries. */
export function citationsOf(message: AgUiMessage): Citation[] {
  const metadata = "metadata" in message ? message.metadata : undefined;
  const citations: unknown = metadata?.citations;
  return Array.isArray(citations) ? (citations as Citation[]) : [];
}
