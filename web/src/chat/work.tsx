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

/** One call of a tool, with what went in and what came out. */
export function ToolLine({ tool }: { tool: ToolPart }) {
  return (
    <details className="work">
      <summary>
        {tool.result === null ? "Using" : "Used"} <code>{tool.name}</code>
      </summary>
      <pre>{tool.arguments}</pre>
      {tool.result !== null && <pre>{tool.result}</pre>}
    </details>
  );
}
