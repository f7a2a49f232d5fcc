import type { AgUiEvent, ResumeEntry } from "./events";

/** A place in a conversation's log: the last event that was seen. */
export interface Cursor {
  /** Which life of the log; a cursor of another one proves nothing. */
  epoch: string;
  /** From 1, no gaps; that of the last event that was folded. */
  sequence: number;
}

export type OnBusy = "reject" | "queue" | "interrupt";

interface RunInput {
  messages: { id: string; role: "user"; content: string }[];
  /** What the person answers to the interrupts an earlier run ended with. */
  resume?: readonly ResumeEntry[];
  forwardedProps: { collection: string };
}

/** What the page says. Every command has an id that its answer quotes. */
export type ClientCommand =
  | { type: "hello"; id: string; protocol: 1 }
  | { type: "subscribe"; id: string; conversation_id: string; after?: Cursor }
  | { type: "unsubscribe"; id: string; conversation_id: string }
  | {
      type: "run";
      id: string;
      run_id: string;
      conversation_id: string;
      input: RunInput;
      on_busy: OnBusy;
    }
  | { type: "cancel"; id: string; run_id: string };

/** Consecutive events of one run; `sequence` is that of the first. */
export interface EventsFrame {
  type: "events";
  conversation_id: string;
  /** null for a snapshot, which stands for many runs. */
  run_id: string | null;
  epoch: string;
  sequence: number;
  events: AgUiEvent[];
}

export interface ErrorFrame {
  type: "error";
  id?: string | null;
  code: string;
  message: string;
  retryable: boolean;
  retry_after_seconds?: number | null;
}

/** What the server says. */
export type ServerFrame =
  | {
      type: "welcome";
      id: string;
      node: string;
      connection_id: string;
      principal: string;
      beat_seconds: number;
      limits: Record<string, number>;
    }
  | {
      type: "subscribed";
      id: string;
      conversation_id: string;
      epoch: string;
      sequence: number;
      recovered: boolean;
    }
  | {
      type: "accepted";
      id: string;
      run_id: string;
      conversation_id: string;
      duplicate: boolean;
    }
  | { type: "ok"; id: string }
  | { type: "pong"; id: string }
  | EventsFrame
  | ErrorFrame
  | { type: "beat" }
  | { type: "going_away"; retry_after_seconds: number };

/** Reads a text frame; null where it is not a frame at all. */
export function parseFrame(text: string): ServerFrame | null {
  try {
    const frame: unknown = JSON.parse(text);
    const isFrame = typeof frame === "object" && frame !== null && "type" in frame;
    return isFrame ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}
