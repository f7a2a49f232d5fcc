import type { ToolPart } from "../wire/transcript";

/** What the model thought before it answered; closed until somebody asks. */
export function Reasoning({ text, isGrowing }: { text: string; isGrowing: boolean }) {
  return (
    <details className="work">
      <summary>{isGrowing ? "Thinking…" : "What it thought"}</summary>
      <p>{text}</p>
    </details>
  );
}

const WORDS = {
  approved: "you approved it",
  edited: "you changed and approved it",
  rejected: "you rejected it",
  repeat: "done again, as you said",
  happened: "it happened, as you said",
  skip: "left, as you said",
} as const;

/** What the calls of a conversation that have no result are about. */
export interface Calls {
  /** The ids of those that the person is asked about. */
  waiting: ReadonlySet<string>;
  /** Whether a run is at work that may make the others. */
  isRunning: boolean;
}

/** One call of a tool, with what went in and what came out. */
export function ToolLine({ tool, calls }: { tool: ToolPart; calls: Calls }) {
  return (
    <details className="work">
      <summary>
        {verbOf(tool, calls)} <code>{tool.name}</code>
        {tool.decision && <span className="work-decision"> · {WORDS[tool.decision.decision]}</span>}
      </summary>
      <pre>{tool.decision?.arguments || tool.arguments}</pre>
      {tool.result !== null && <pre>{tool.result}</pre>}
    </details>
  );
}

function verbOf(tool: ToolPart, calls: Calls): string {
  if (calls.waiting.has(tool.callId)) return "Waiting for you:";
  if (tool.decision?.decision === "rejected") return "Did not use";
  if (tool.result !== null) return "Used";
  return calls.isRunning ? "Using" : "Did not use";
}
