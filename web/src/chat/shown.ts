import type { ThreadMessageLike } from "@assistant-ui/react";
import type { Submission } from "../connection/link";
import type { Answer, Entry, Part, Transcript } from "../wire/transcript";
import { activeAnswer, EMPTY } from "../wire/transcript";

/** What stands in a conversation: what was said, then the questions still on their way. */
export type Shown = Entry | Submission;

/** Returns what a conversation shows. */
export function shownIn(
  transcript: Transcript = EMPTY,
  submissions: readonly Submission[] = [],
): readonly Shown[] {
  // An answer to a card is shown by the card, unless it failed.
  const shown = submissions.filter((one) => !one.resume || one.stage === "failed");
  return [...transcript.entries, ...shown];
}

/** Returns the runs that are answered now or will be, the first one first. */
export function runsAtWork(
  transcript: Transcript = EMPTY,
  submissions: readonly Submission[] = [],
): string[] {
  const active = activeAnswer(transcript)?.runId;
  const coming = submissions.filter((one) => one.stage !== "failed").map((one) => one.runId);
  return active ? [active, ...coming] : coming;
}

/** Says to the chat library what one of them is; what we draw travels along as `shown`. */
export function asThreadMessage(shown: Shown): ThreadMessageLike {
  const metadata = { custom: { shown } };
  if (!("kind" in shown)) {
    return { id: shown.messageId, role: "user", content: shown.text, metadata };
  }
  if (shown.kind === "question") {
    return { id: shown.id, role: "user", content: shown.text, metadata };
  }
  const content = shown.parts.flatMap(asThreadPart);
  return { id: shown.id, role: "assistant", content, status: statusOf(shown), metadata };
}

function asThreadPart(part: Part): { type: "text"; text: string }[] {
  return part.kind === "text" ? [{ type: "text", text: part.text }] : [];
}

function statusOf({ outcome }: Answer): NonNullable<ThreadMessageLike["status"]> {
  switch (outcome.kind) {
    case "running":
      return { type: "running" };
    case "finished":
      return { type: "complete", reason: "stop" };
    case "asking":
      return { type: "requires-action", reason: "interrupt" };
    case "stopped":
      return { type: "incomplete", reason: "cancelled" };
    case "failed":
      return { type: "incomplete", reason: "error", error: outcome.message };
  }
}
