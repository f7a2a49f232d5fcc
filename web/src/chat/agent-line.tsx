/** What each agent does, in words; one that is not here goes by its name. */
const WORK: Record<string, string> = {
  coordinator: "Deciding who answers",
  retrieval: "Searching your documents",
  tools: "Using tools",
  writer: "Writing",
};

interface AgentLineProps {
  /** The agents at work now. */
  steps: readonly string[];
  /** Whether text is arriving, which says enough by itself. */
  isWriting: boolean;
}

/** Says quietly which agents are at work. */
export function AgentLine({ steps, isWriting }: AgentLineProps) {
  const words = steps.map((step) => WORK[step] ?? `${step} is at work`);
  return (
    <p className="agent-line">
      <span className="working-dot" />
      {isWriting ? null : words.join(" · ") || "On its way"}
    </p>
  );
}
