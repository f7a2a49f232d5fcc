import { MessagePrimitive } from "@assistant-ui/react";
import type { Submission } from "../connection/link";

/** What a person asked. */
export function Question({ text }: { text: string }) {
  return (
    <MessagePrimitive.Root className="question" role="article" aria-label="You asked">
      <p className="question-text">{text}</p>
    </MessagePrimitive.Root>
  );
}

interface UnsentQuestionProps {
  submission: Submission;
  onSendAgain: () => void;
  onWithdraw: () => void;
}

/** A question that the conversation does not know yet. */
export function UnsentQuestion({ submission, onSendAgain, onWithdraw }: UnsentQuestionProps) {
  if (submission.stage !== "failed") return <Question text={submission.text} />;
  return (
    <MessagePrimitive.Root className="question" role="article" aria-label="You asked">
      <p className="question-text">{submission.text}</p>
      <div className="unsent" role="alert">
        <span>Not sent. {submission.problem}</span>
        <button type="button" className="quiet-button" onClick={onSendAgain}>
          Try again
        </button>
        <button type="button" className="quiet-button" onClick={onWithdraw}>
          Remove
        </button>
      </div>
    </MessagePrimitive.Root>
  );
}
