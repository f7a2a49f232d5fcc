import { ActionBarPrimitive, MessagePrimitive } from "@assistant-ui/react";
import { useCallback } from "react";
import { Icon } from "../elements/icon";
import { Markdown } from "../markdown/markdown";
import type { Citation } from "../wire/events";
import {
  type Answer as AnswerEntry,
  citationsIn,
  type Outcome,
  type Part,
  type TextPart,
} from "../wire/transcript";
import { AgentLine } from "./agent-line";
import "./answer.css";
import { CitationMark, Sources } from "./citations";
import { type Calls, Reasoning, ToolLine } from "./work";

interface AnswerProps {
  answer: AnswerEntry;
  onCite: (citation: Citation) => void;
  /** null where the question can't be asked again from here. */
  onAskAgain: (() => void) | null;
  calls: Calls;
}

/** What was answered, with what was thought and done for it and where it comes from. */
export function Answer({ answer, calls, onCite, onAskAgain }: AnswerProps) {
  const { parts, steps, outcome, resumed } = answer;
  const isRunning = outcome.kind === "running";
  // A run that only brought what an earlier answer's tool gave back has nothing of its own to show.
  if (parts.length === 0 && (outcome.kind === "asking" || outcome.kind === "finished")) return null;
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
          isRunning={isRunning}
          isGrowing={isRunning && index === parts.length - 1}
          calls={calls}
          onCite={onCite}
        />
      ))}
      {isRunning && <AgentLine steps={steps} isWriting={parts.at(-1)?.kind === "text"} />}
      <Ending outcome={outcome} onAskAgain={onAskAgain} />
      {!isRunning && <Sources citations={citationsIn(answer)} onCite={onCite} />}
      {!isRunning && parts.some((part) => part.kind === "text") && <CopyButton />}
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
  isRunning: boolean;
  /** Whether it is the part that grows now. */
  isGrowing: boolean;
  calls: Calls;
  onCite: (citation: Citation) => void;
}

function AnswerPart({ part, isRunning, isGrowing, calls, onCite }: AnswerPartProps) {
  switch (part.kind) {
    case "text":
      return <AnswerText part={part} isDue={isRunning} onCite={onCite} />;
    case "reasoning":
      return <Reasoning text={part.text} isGrowing={isGrowing} />;
    case "tool":
      return <ToolLine tool={part} calls={calls} />;
  }
}

interface AnswerTextProps {
  part: TextPart;
  /** Whether its sources are still to come. */
  isDue: boolean;
  onCite: (citation: Citation) => void;
}

function AnswerText({ part, isDue, onCite }: AnswerTextProps) {
  const { citations, text } = part;
  const renderMark = useCallback(
    (number: number) => {
      const citation = citations.find((one) => one.number === number);
      return <CitationMark number={number} citation={citation} isDue={isDue} onCite={onCite} />;
    },
    [citations, isDue, onCite],
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
  switch (part.kind) {
    case "text":
      return `text-${part.messageId}-${part.piece}`;
    case "reasoning":
      return `reasoning-${part.messageId}`;
    case "tool":
      return `tool-${part.callId}`;
  }
}
