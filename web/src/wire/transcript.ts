import type { AskDecidedValue, Citation } from "./events";
import type { Cursor } from "./frames";

export interface TextPart {
  kind: "text";
  messageId: string;
  /** Which piece of its message it is, from 0: calls of tools stand between them. */
  piece: number;
  text: string;
  citations: readonly Citation[];
}

export interface ReasoningPart {
  kind: "reasoning";
  messageId: string;
  text: string;
}

export interface ToolPart {
  kind: "tool";
  callId: string;
  name: string;
  /** A JSON object, growing while it is streamed. */
  arguments: string;
  /** null until the tool answered. */
  result: string | null;
  /** What the person said to it, where they were asked. */
  decision: AskDecidedValue | null;
}

export type Part = TextPart | ReasoningPart | ToolPart;

export interface Question {
  kind: "question";
  id: string;
  text: string;
}

export type Outcome =
  | { kind: "running" }
  | { kind: "finished" }
  | { kind: "stopped" }
  /** The person is asked something before it can go on. */
  | { kind: "asking" }
  | { kind: "failed"; message: string; code: string };

/** Everything one run said. */
export interface Answer {
  kind: "answer";
  /** The run's id, or the message's where the run is not known any more. */
  id: string;
  runId: string | null;
  parts: readonly Part[];
  /** The agents at work now, oldest first. */
  steps: readonly string[];
  outcome: Outcome;
  /** Whether another attempt took the run over. */
  resumed: boolean;
}

export type Entry = Question | Answer;

/** What was said in one conversation, up to the cursor. */
export interface Transcript {
  /** null before the first event, and where what was seen can't be proved any more. */
  cursor: Cursor | null;
  entries: readonly Entry[];
}

export const EMPTY: Transcript = { cursor: null, entries: [] };

/** Returns the run that is being answered now, or null. */
export function activeAnswer(transcript: Transcript): Answer | null {
  const last = transcript.entries.at(-1);
  return last?.kind === "answer" && last.outcome.kind === "running" ? last : null;
}

/** Returns everything an answer rests on, each once: the pieces of a message share theirs. */
export function citationsIn(answer: Answer): Citation[] {
  const texts = answer.parts.filter((part) => part.kind === "text");
  const byNumber = new Map(
    texts.flatMap(({ citations }) => citations.map((one) => [one.number, one] as const)),
  );
  return [...byNumber.values()];
}

/** Returns the calls of the last question's turn that have no result: the person may be asked. */
export function openCalls(transcript: Transcript): Map<string, ToolPart> {
  const { entries } = transcript;
  const turn = entries.slice(entries.findLastIndex((entry) => entry.kind === "question") + 1);
  const parts = turn.flatMap((entry) => (entry.kind === "answer" ? entry.parts : []));
  const open = parts.filter((part) => part.kind === "tool" && part.result === null);
  return new Map((open as ToolPart[]).map((part) => [part.callId, part]));
}

/** Returns an answer's text without what was thought and done for it. */
export function answerText(answer: Answer): string {
  return answer.parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n\n");
}
