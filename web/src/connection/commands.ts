import type { ClientCommand } from "../wire/frames";
import { change, changeFollow, type Draft } from "./draft";
import type { Follow, Submission } from "./link";

/** Asks the server for everything that it owes an answer to and was not asked yet. */
export function askOwed(draft: Draft): void {
  if (draft.link.phase !== "live") return;
  for (const [id, follow] of draft.link.follows) {
    if (follow.stage === "owed") askSubscribe(draft, id, follow);
  }
  const asked = [...draft.link.asked.values()];
  const isAsked = (type: "run" | "cancel", runId: string) =>
    asked.some((command) => command.type === type && command.run_id === runId);
  for (const submission of draft.link.submissions) {
    if (submission.stage === "sending" && !isAsked("run", submission.runId)) {
      ask(draft, runCommand(submission));
    }
  }
  for (const runId of draft.link.cancels) {
    if (!isAsked("cancel", runId)) ask(draft, { type: "cancel", id: "", run_id: runId });
  }
}

/** Sends a command under the next number and waits for its answer. */
export function ask(draft: Draft, unnumbered: ClientCommand): void {
  const lastId = draft.link.lastId + 1;
  const command = { ...unnumbered, id: String(lastId) };
  change(draft, { lastId, asked: new Map(draft.link.asked).set(command.id, command) });
  draft.effects.push({ kind: "send", command });
}

function askSubscribe(draft: Draft, conversationId: string, follow: Follow): void {
  const { cursor } = follow.transcript;
  changeFollow(draft, conversationId, { ...follow, stage: "asking" });
  const after = cursor ? { after: cursor } : {};
  ask(draft, { type: "subscribe", id: "", conversation_id: conversationId, ...after });
}

function runCommand(submission: Submission): ClientCommand {
  const { messageId: id, text: content, collection, resume } = submission;
  const said = resume
    ? { messages: [], resume }
    : { messages: [{ id, role: "user" as const, content }] };
  return {
    type: "run",
    id: "",
    run_id: submission.runId,
    conversation_id: submission.conversationId,
    input: { ...said, forwardedProps: { collection } },
    // Another tab may be asking too; its answer comes first, then this one.
    on_busy: "queue",
  };
}
