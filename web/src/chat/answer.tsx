import { ActionBarPrimitive, MessagePrimitive } from "@assistant-ui/react";
import { useCallback } from "react";
import { Icon } from "../elements/icon";
import { Markdown } from "../markdown/markdown";
import type { Citation } from "../wire/events";
import type { Answer as AnswerEntry, Outcome, Part, TextPart } from "../wire/transcript";
import { AgentLine } from "./agent-line";
import "./answer.css";
import { CitationMark, Sources } from "./citations";
import { Reasoning, ToolLine } from "./work";

interface AnswerProps {
  answer: AnswerEntry;
  onCite: (citation: Citation) => void;
  /** null where the question can't be asked again from here. */
  onAskAgain: (() => void) | null;
}

/** What was answered, with what was thought and done for it and where it comes from. */
export function Answer({ answer, onCite, onAskAgain }: AnswerProps) {
  const { parts, steps, outcome, resumed } = answer;
  const isRunning = outcome.kind === "running";
  const citations = parts.flatMap((part) => (part.kind === "text" ? part.citations : []));
  return (
    <MessagePrimitive.Root
      className="answer"
      role="article"
      aria-label="Answer"
      aria-busy={isRunning}
    >
      {resumed && <p className="answer-note">Resumed after an interruption</p>}
      {parts.map((part, index) => (
        <AnswerPart
          key={keyOf(part)}
          part={part}
          isGrowing={isRunning && index === parts.length - 1}
          onCite={onCite}
        />
      ))}
      {isRunning && <AgentLine steps={steps} isWriting={parts.at(-1)?.kind === "text"} />}
      <Ending outcome={outcome} onAskAgain={onAskAgain} />
      {!isRunning && <Sources citations={citations} onCite={onCite} />}
      {!isRunning && parts.length > 0 && <CopyButton />}
    </MessagePrimitive.Root>
  );
}

/** An answer that is due but has not begun. */
export function WaitingAnswer() {
  return (
    <MessagePrimitive.Root className="answer" role="article" aria-label="Answer" aria-busy="true">
      <AgentLine steps={[]} isWriting={false} />
    </MessagePrimitive.Root>
  );
}

interface AnswerPartProps {
  part: Part;
  isGrowing: boolean;
  onCite: (citation: Citation) => void;
}

function AnswerPart({ part, isGrowing, onCite }: AnswerPartProps) {
  switch (part.kind) {
    case "text":
      return <AnswerText part={part} isGrowing={isGrowing} onCite={onCite} />;
    case "reasoning":
      return <Reasoning text={part.text} isGrowing={isGrowing} />;
    case "tool":
      return <ToolLine tool={part} />;
  }
}

interface AnswerTextProps {
  part: TextPart;
  isGrowing: boolean;
  onCite: (citation: Citation) => void;
}

function AnswerText({ part, isGrowing, onCite }: AnswerTextProps) {
  const { citations, text } = part;
  const renderMark = useCallback(
    (number: number) => {
      const citation = citations.find((one) => one.number === number);
      return <CitationMark number={number} citation={citation} isDue={isGrowing} onCite={onCite} />;
    },
    [citations, isGrowing, onCite],
  );
  return <Markdown text={text} renderMark={renderMark} />;
}

function Ending({ outcome, onAskAgain }: { outcome: Outcome; onAskAgain: (() => void) | null }) {
  if (outcome.kind === "stopped") return <p className="answer-note">Stopped</p>;
  if (outcome.kind !== "failed") return null;
  return (
    <div className="answer-problem" role="alert">
      <p>{outcome.message}</p>
      {onAskAgain && (
        <button type="button" className="button" onClick={onAskAgain}>
          Ask again
        </button>
      )}
    </div>
  );
}

function CopyButton() {
  return (
    <ActionBarPrimitive.Copy className="icon-button copy" aria-label="Copy the answer">
      <Icon name="copy" />
      <Icon name="check" />
    </ActionBarPrimitive.Copy>
  );
}

function keyOf(part: Part): string {
  return `${part.kind}-${part.kind === "tool" ? part.callId : part.messageId}`;
}
