import { useEffect, useRef, useState } from "react";
import { type Answer, answerText, type Transcript } from "../wire/transcript";

interface AnnouncerProps {
  transcript: Transcript;
  /** The run that is answered now, or is on its way; null where there is none. */
  runId: string | null;
}

/**
 * Tells a screen reader that an answer begins, and reads it when it is whole: a live region that
 * grows with every token would never stop talking.
 */
export function Announcer({ transcript, runId }: AnnouncerProps) {
  const [words, setWords] = useState("");
  const heardId = useRef<string | null>(null);

  useEffect(() => {
    const ended = transcript.entries.findLast(
      (entry) => entry.kind === "answer" && entry.runId === heardId.current,
    );
    if (runId && runId !== heardId.current) setWords("The answer is being written.");
    if (!runId && heardId.current && ended?.kind === "answer") setWords(wordsOf(ended));
    heardId.current = runId;
  }, [runId, transcript]);

  return (
    <div className="for-screen-readers" role="status">
      {words}
    </div>
  );
}

function wordsOf(answer: Answer): string {
  switch (answer.outcome.kind) {
    case "failed":
      return ""; // The error is an alert of its own.
    case "stopped":
      return "The answer was stopped.";
    case "asking":
      return `${answerText(answer)} Something waits for your answer above the question box.`.trim();
    default:
      return `Answer: ${answerText(answer)}`;
  }
}
