import type { Interrupt, ResumeEntry } from "../wire/events";

/** What an interrupt says about the call that waits. */
export interface AskedCall {
  tool: string;
  arguments: Record<string, unknown>;
  argumentsHash: string;
  effect: string;
}

/** What a person can say to an interrupt. */
export type Verdict =
  | { kind: "approve" }
  | { kind: "edit"; arguments: Record<string, unknown> }
  | { kind: "reject" }
  | { kind: "outcome"; decision: "repeat" | "happened" | "skip" };

/** Whether the question is if a call has happened, and not if it may be made. */
export function asksForOutcome(interrupt: Interrupt): boolean {
  return interrupt.reason === "tool_outcome_unknown";
}

export function callOf(interrupt: Interrupt): AskedCall {
  return interrupt.metadata as unknown as AskedCall;
}

/** Returns the answer to one interrupt, bound to the arguments that were shown. */
export function resumeEntry(interrupt: Interrupt, verdict: Verdict): ResumeEntry {
  return { interruptId: interrupt.id, status: "resolved", payload: payloadOf(interrupt, verdict) };
}

function payloadOf(interrupt: Interrupt, verdict: Verdict): Record<string, unknown> {
  const { argumentsHash } = callOf(interrupt);
  switch (verdict.kind) {
    case "approve":
      return { approved: true, argumentsHash };
    case "edit":
      return { approved: true, editedArgs: verdict.arguments, argumentsHash };
    case "reject":
      return { approved: false, argumentsHash };
    case "outcome":
      return { decision: verdict.decision };
  }
}

/** Reads what a person typed as arguments; null where it is not a JSON object. */
export function readArguments(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
