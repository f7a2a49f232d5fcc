import type { ResumeEntry } from "../wire/events";
import type { ClientCommand, ServerFrame } from "../wire/frames";
import type { Transcript } from "../wire/transcript";

/**
 * Where the socket stands. `waiting`: for the next attempt; `greeting`: open, not yet welcome;
 * `refused`: the server asked not to come back.
 */
export type Phase = "waiting" | "connecting" | "greeting" | "live" | "refused";

/**
 * How a conversation is followed. `owed`: to be asked for; `absent`: it comes into being with its
 * first run, which is on its way; `missing`: the server does not know it.
 */
export type Stage = "owed" | "asking" | "live" | "absent" | "missing";

export interface Follow {
  stage: Stage;
  transcript: Transcript;
}

/** A question, or an answer to one, on its way; kept until the conversation shows it. */
export interface Submission {
  runId: string;
  conversationId: string;
  messageId: string;
  text: string;
  collection: string;
  /** The person's answers to interrupts; then there is no message, and `text` says what it is. */
  resume?: readonly ResumeEntry[];
  /** `sending`: not acknowledged, so it is sent again with the same id after a reconnect. */
  stage: "sending" | "accepted" | "failed";
  /** How often the server asked to try again. */
  refusals: number;
  /** Why it failed, for a person. */
  problem: string | null;
}

/** Everything the page knows of its connection and its conversations. */
export interface Link {
  phase: Phase;
  /** Failed attempts in a row. */
  attempt: number;
  /** What a server that goes away asked to wait, in seconds. */
  returnAfterSeconds: number;
  /** How long the server may be silent, in seconds. */
  silenceSeconds: number;
  /** Why the server doesn't want the page back, for a person. */
  refusal: string | null;
  lastId: number;
  /** Commands of this socket that have no answer yet. */
  asked: ReadonlyMap<string, ClientCommand>;
  follows: ReadonlyMap<string, Follow>;
  submissions: readonly Submission[];
  /** Runs to be stopped, until the server says that it heard. */
  cancels: readonly string[];
}

/** A timer of the shell; setting one replaces it. */
export type Timer = "reconnect" | "silence" | "resend";

/** What happened. */
export type Input =
  | { kind: "opened" }
  | { kind: "closed"; code: number }
  | { kind: "frame"; frame: ServerFrame }
  | { kind: "elapsed"; timer: Timer }
  | { kind: "woke" }
  | { kind: "follow"; conversationId: string }
  | { kind: "forget"; conversationId: string }
  | { kind: "submit"; submission: Submission }
  | { kind: "withdraw"; runId: string }
  | { kind: "cancel"; runId: string };

/** What the shell has to do. `drop`: let go of the socket without waiting for its close. */
export type Effect =
  | { kind: "connect" }
  | { kind: "drop" }
  | { kind: "send"; command: ClientCommand }
  | { kind: "schedule"; timer: Timer; seconds: number };

/** Returns a link that goes on where a page of the same tab stopped. */
export function newLink(
  follows: ReadonlyMap<string, Follow> = new Map(),
  submissions: readonly Submission[] = [],
): Link {
  return {
    phase: "waiting",
    attempt: 0,
    returnAfterSeconds: 0,
    silenceSeconds: 5,
    refusal: null,
    lastId: 0,
    asked: new Map(),
    follows,
    submissions,
    cancels: [],
  };
}
