import { useEffect, useRef, useState } from "react";
import { type Answer, activeAnswer, answerText, type Transcript } from "../wire/transcript";

/**
 * Tells a screen reader that an answer begins, and reads it when it is whole: a live region that
 * grows with every token would never stop talking.
 */
export function Announcer({ transcript }: { transcript: Transcript }) {
  const [words, setWords] = useState("");
  const activeId = activeAnswer(transcript)?.id ?? null;
  const heardId = useRef<string | null>(null);

  useEffect(() => {
    const ended = transcript.entries.findLast((entry) => entry.id === heardId.current);
    if (activeId && activeId !== heardId.current) setWords("The answer is being written.");
    if (!activeId && ended?.kind === "answer") setWords(wordsOf(ended));
    heardId.current = activeId;
  }, [activeId, transcript]);

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
