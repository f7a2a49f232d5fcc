import { fold } from "../wire/fold";
import type { ClientCommand, ErrorFrame, EventsFrame, ServerFrame } from "../wire/frames";
import { backoff } from "./backoff";
import { askOwed } from "./commands";
import { change, changeFollow, changeSubmission, type Draft } from "./draft";
import type { Submission } from "./link";

/** How often a question is sent again after the server asked for patience. */
const REFUSAL_LIMIT = 5;

/** Takes a frame of the server in. */
export function answerFrame(draft: Draft, frame: ServerFrame, chance: number): void {
  switch (frame.type) {
    case "welcome":
      return welcome(draft, frame.id, frame.beat_seconds);
    case "beat":
      // Only a connection that lives proves that the next loss is a new one.
      return change(draft, { attempt: 0 });
    case "going_away":
      return change(draft, { returnAfterSeconds: frame.retry_after_seconds });
    case "subscribed":
      return subscribed(draft, frame.id, frame.conversation_id, frame.recovered);
    case "accepted":
      return accepted(draft, frame.id, frame.run_id);
    case "ok":
      return done(draft, settle(draft, frame.id));
    case "error":
      return refused(draft, frame, chance);
    case "events":
      return take(draft, frame);
    case "pong":
      return;
  }
}

/** Strikes a command off the list and returns it. */
function settle(draft: Draft, id: string): ClientCommand | undefined {
  const asked = new Map(draft.link.asked);
  const command = asked.get(id);
  asked.delete(id);
  change(draft, { asked });
  return command;
}

function welcome(draft: Draft, id: string, beatSeconds: number): void {
  settle(draft, id);
  change(draft, { phase: "live", silenceSeconds: Math.max(5, 2.5 * beatSeconds) });
  askOwed(draft);
}

function subscribed(draft: Draft, id: string, conversationId: string, recovered: boolean): void {
  settle(draft, id);
  const follow = draft.link.follows.get(conversationId);
  if (!follow) return;
  // What was seen stays on the page until the snapshot replaces it, but it proves nothing.
  const transcript = recovered ? follow.transcript : { ...follow.transcript, cursor: null };
  changeFollow(draft, conversationId, { stage: "live", transcript });
}

function accepted(draft: Draft, id: string, runId: string): void {
  settle(draft, id);
  const submission = draft.link.submissions.find((one) => one.runId === runId);
  if (!submission) return;
  changeSubmission(draft, { ...submission, stage: "accepted" });
  const follow = draft.link.follows.get(submission.conversationId);
  if (follow?.stage !== "absent") return;
  changeFollow(draft, submission.conversationId, { ...follow, stage: "owed" });
  askOwed(draft);
}

function done(draft: Draft, command: ClientCommand | undefined): void {
  if (command?.type !== "cancel") return;
  change(draft, { cancels: draft.link.cancels.filter((runId) => runId !== command.run_id) });
}

function refused(draft: Draft, frame: ErrorFrame, chance: number): void {
  const command = frame.id ? settle(draft, frame.id) : undefined;
  if (command?.type === "subscribe") return refuseSubscribe(draft, command.conversation_id, frame);
  if (command?.type === "run") return refuseRun(draft, command.run_id, frame, chance);
  done(draft, command);
}

function refuseSubscribe(draft: Draft, conversationId: string, frame: ErrorFrame): void {
  const follow = draft.link.follows.get(conversationId);
  if (!follow) return;
  if (frame.retryable) {
    changeFollow(draft, conversationId, { ...follow, stage: "owed" });
    return resendAfter(draft, frame.retry_after_seconds ?? 1);
  }
  const isComing = draft.link.submissions.some((one) => one.conversationId === conversationId);
  changeFollow(draft, conversationId, { ...follow, stage: isComing ? "absent" : "missing" });
}

function refuseRun(draft: Draft, runId: string, frame: ErrorFrame, chance: number): void {
  const submission = draft.link.submissions.find((one) => one.runId === runId);
  if (!submission) return;
  if (!frame.retryable || submission.refusals >= REFUSAL_LIMIT) {
    return changeSubmission(draft, { ...submission, stage: "failed", problem: frame.message });
  }
  changeSubmission(draft, { ...submission, refusals: submission.refusals + 1 });
  resendAfter(draft, frame.retry_after_seconds ?? backoff(submission.refusals, chance));
}

function resendAfter(draft: Draft, seconds: number): void {
  draft.effects.push({ kind: "schedule", timer: "resend", seconds });
}

function take(draft: Draft, frame: EventsFrame): void {
  const follow = draft.link.follows.get(frame.conversation_id);
  if (!follow) return;
  const folded = fold(follow.transcript, frame);
  if (folded.kind === "gap" && follow.stage === "live") {
    changeFollow(draft, frame.conversation_id, { ...follow, stage: "owed" });
    return askOwed(draft);
  }
  if (folded.kind !== "applied") return;
  const { transcript } = folded;
  changeFollow(draft, frame.conversation_id, { ...follow, transcript });
  const shown = new Set(transcript.entries.map((entry) => entry.id));
  const isShown = (one: Submission) => shown.has(one.messageId);
  if (!draft.link.submissions.some(isShown)) return;
  change(draft, { submissions: draft.link.submissions.filter((one) => !isShown(one)) });
}
