import { useEffect, useMemo } from "react";
import { COLLECTION } from "../api/documents";
import { callOf, resumeEntry, type Verdict } from "../approvals/resume";
import { useInterrupts } from "../approvals/use-interrupts";
import type { Stage, Submission } from "../connection/link";
import { useConnection, useLink } from "../connection/use-link";
import { newId } from "../elements/new-id";
import type { Interrupt } from "../wire/events";
import { EMPTY, type Transcript } from "../wire/transcript";
import { runsAtWork, type Shown, shownIn } from "./shown";
import type { Calls } from "./work";

/** One conversation, with what can be done in it. */
export interface Conversation {
  /** null where it does not exist yet. */
  stage: Stage | null;
  transcript: Transcript;
  shown: readonly Shown[];
  isRunning: boolean;
  /** The run that is answered now, or is on its way. */
  runId: string | null;
  /** What waits for the person. */
  interrupts: readonly Interrupt[];
  calls: Calls;
  answer: (interrupt: Interrupt, verdict: Verdict) => void;
  ask: (text: string) => void;
  /** Stops what is answered now and what waits behind it. */
  stop: () => void;
  sendAgain: (submission: Submission) => void;
  withdraw: (submission: Submission) => void;
}

/** Returns a conversation and follows it. */
export function useConversation(conversationId: string, isNew: boolean): Conversation {
  const connection = useConnection();
  const follow = useLink((link) => link.follows.get(conversationId));
  const everySubmission = useLink((link) => link.submissions);
  const submissions = useMemo(
    () => everySubmission.filter((one) => one.conversationId === conversationId),
    [everySubmission, conversationId],
  );
  const transcript = follow?.transcript ?? EMPTY;
  const shown = useMemo(() => shownIn(transcript, submissions), [transcript, submissions]);
  const runs = runsAtWork(transcript, submissions);
  const interrupts = useInterrupts(conversationId, isNew, transcript);

  const isRunning = runs.length > 0;
  const calls = useMemo(
    () => ({ waiting: callsOf(interrupts), isRunning }),
    [interrupts, isRunning],
  );

  useEffect(() => {
    if (!isNew) connection.put({ kind: "follow", conversationId });
  }, [connection, conversationId, isNew]);

  return {
    stage: follow?.stage ?? null,
    transcript,
    shown,
    isRunning,
    runId: runs[0] ?? null,
    interrupts,
    calls,
    answer: (interrupt, verdict) =>
      connection.put({
        kind: "submit",
        submission: newAnswer(conversationId, interrupt, verdict),
      }),
    ask: (text) =>
      connection.put({ kind: "submit", submission: newSubmission(conversationId, text) }),
    stop: () => {
      for (const runId of runs) connection.put({ kind: "cancel", runId });
    },
    sendAgain: (submission) =>
      connection.put({
        kind: "submit",
        submission: { ...submission, stage: "sending", refusals: 0, problem: null },
      }),
    withdraw: ({ runId }) => connection.put({ kind: "withdraw", runId }),
  };
}

function callsOf(interrupts: readonly Interrupt[]): Set<string> {
  return new Set(interrupts.flatMap(({ toolCallId }) => toolCallId ?? []));
}

function newSubmission(conversationId: string, text: string): Submission {
  return {
    runId: newId(),
    conversationId,
    messageId: newId(),
    text,
    collection: COLLECTION,
    stage: "sending",
    refusals: 0,
    problem: null,
  };
}

/** An answer has no message: the run that brings it is what the conversation shows of it. */
function newAnswer(conversationId: string, interrupt: Interrupt, verdict: Verdict): Submission {
  const runId = newId();
  return {
    ...newSubmission(conversationId, `Answer about ${callOf(interrupt).tool}`),
    runId,
    messageId: runId,
    resume: [resumeEntry(interrupt, verdict)],
  };
}
