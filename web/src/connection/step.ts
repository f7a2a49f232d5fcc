import { EMPTY } from "../wire/transcript";
import { answerFrame } from "./answers";
import { backoff } from "./backoff";
import { type Closing, closingOf, refusalOf } from "./closing";
import { ask, askOwed } from "./commands";
import { change, changeFollow, type Draft } from "./draft";
import type { Effect, Follow, Input, Link, Submission } from "./link";

/** How many conversations a page keeps open; the ones opened first are let go. */
const FOLLOW_LIMIT = 16;

/**
 * Returns the link after one input and what the shell has to do for it. No clock, no socket, no
 * chance of its own.
 *
 * chance: 0..1, for the jitter of a wait.
 */
export function step(link: Link, input: Input, chance: number): Draft {
  const draft: Draft = { link, effects: [] };
  apply(draft, input, chance);
  return draft;
}

function apply(draft: Draft, input: Input, chance: number): void {
  switch (input.kind) {
    case "opened":
      return greet(draft);
    case "closed":
      return lose(draft, input.code, chance);
    case "frame":
      draft.effects.push(silenceTimer(draft.link));
      return answerFrame(draft, input.frame, chance);
    case "elapsed":
      return elapse(draft, input.timer, chance);
    case "woke":
      return connect(draft);
    case "follow":
      return follow(draft, input.conversationId);
    case "forget":
      return forget(draft, input.conversationId);
    case "submit":
      return submit(draft, input.submission);
    case "withdraw":
      return change(draft, {
        submissions: draft.link.submissions.filter((one) => one.runId !== input.runId),
      });
    case "cancel":
      change(draft, { cancels: [...draft.link.cancels, input.runId] });
      return askOwed(draft);
  }
}

function silenceTimer(link: Link): Effect {
  return { kind: "schedule", timer: "silence", seconds: link.silenceSeconds };
}

function connect(draft: Draft): void {
  if (draft.link.phase !== "waiting") return;
  change(draft, { phase: "connecting" });
  draft.effects.push({ kind: "connect" }, silenceTimer(draft.link));
}

function greet(draft: Draft): void {
  if (draft.link.phase !== "connecting") return;
  change(draft, { phase: "greeting" });
  ask(draft, { type: "hello", id: "", protocol: 1 });
}

function elapse(draft: Draft, timer: "reconnect" | "silence" | "resend", chance: number): void {
  if (timer === "reconnect") return connect(draft);
  if (timer === "resend") return askOwed(draft);
  if (draft.link.phase === "waiting" || draft.link.phase === "refused") return;
  draft.effects.push({ kind: "drop" });
  retreat(draft, "retry", chance);
}

function lose(draft: Draft, code: number, chance: number): void {
  if (draft.link.phase === "waiting" || draft.link.phase === "refused") return;
  const closing = closingOf(code);
  if (closing !== "stay") return retreat(draft, closing, chance);
  change(draft, { phase: "refused", refusal: refusalOf(code), asked: new Map() });
}

/** Gives the socket up: all that had no answer is owed again, and the next attempt is due. */
function retreat(draft: Draft, closing: Exclude<Closing, "stay">, chance: number): void {
  const { attempt, returnAfterSeconds, follows } = draft.link;
  const seconds = Math.max(returnAfterSeconds, waitSeconds(closing, attempt, chance));
  change(draft, {
    phase: "waiting",
    attempt: attempt + 1,
    returnAfterSeconds: 0,
    asked: new Map(),
    follows: new Map([...follows].map(([id, one]) => [id, owedAgain(one)])),
  });
  draft.effects.push({ kind: "schedule", timer: "reconnect", seconds });
}

function owedAgain(follow: Follow): Follow {
  const isOpen = follow.stage === "asking" || follow.stage === "live";
  return isOpen ? { ...follow, stage: "owed" } : follow;
}

function waitSeconds(closing: Exclude<Closing, "stay">, attempt: number, chance: number): number {
  if (closing === "now" && attempt === 0) return 0;
  return backoff(closing === "slow" ? attempt + 3 : attempt, chance);
}

function follow(draft: Draft, conversationId: string): void {
  const { follows, submissions } = draft.link;
  const stage = follows.get(conversationId)?.stage;
  if (stage && stage !== "missing") return;
  const isComing = submissions.some(
    (one) => one.conversationId === conversationId && one.stage !== "accepted",
  );
  changeFollow(draft, conversationId, { stage: isComing ? "absent" : "owed", transcript: EMPTY });
  const eldest = draft.link.follows.keys().next().value;
  if (draft.link.follows.size > FOLLOW_LIMIT && eldest) leave(draft, eldest);
  askOwed(draft);
}

function forget(draft: Draft, conversationId: string): void {
  const isOther = (one: Submission) => one.conversationId !== conversationId;
  change(draft, { submissions: draft.link.submissions.filter(isOther) });
  leave(draft, conversationId);
}

function leave(draft: Draft, conversationId: string): void {
  const follows = new Map(draft.link.follows);
  const stage = follows.get(conversationId)?.stage;
  follows.delete(conversationId);
  change(draft, { follows });
  if (stage !== "asking" && stage !== "live") return;
  ask(draft, { type: "unsubscribe", id: "", conversation_id: conversationId });
}

function submit(draft: Draft, submission: Submission): void {
  const others = draft.link.submissions.filter((one) => one.runId !== submission.runId);
  change(draft, { submissions: [...others, submission] });
  const stage = draft.link.follows.get(submission.conversationId)?.stage;
  if (!stage || stage === "missing") {
    changeFollow(draft, submission.conversationId, { stage: "absent", transcript: EMPTY });
  }
  askOwed(draft);
}
