import { describe, expect, test } from "vitest";
import { eventsFrame, runStarted } from "../testing/frames";
import type { AgUiEvent, Interrupt } from "../wire/events";
import { fold } from "../wire/fold";
import { EMPTY, type Transcript } from "../wire/transcript";
import { standing } from "./standing";

const FIRST: Interrupt = { id: "i1", reason: "tool_call", toolCallId: "k1" };
const SECOND: Interrupt = { id: "i2", reason: "tool_call", toolCallId: "k2" };
const ASKING: AgUiEvent[] = [
  runStarted("Send both."),
  { type: "TOOL_CALL_START", toolCallId: "k1", toolCallName: "send" },
  { type: "TOOL_CALL_START", toolCallId: "k2", toolCallName: "send" },
];
const CONTINUED = runStarted("Send both.", "q1", "r2");

function decided({ id, toolCallId }: Interrupt): AgUiEvent {
  const value = { interruptId: id, toolCallId, decision: "approved", arguments: "{}" };
  return { type: "CUSTOM", name: "ask.decided", value };
}

function after(...events: AgUiEvent[]): Transcript {
  const folded = fold(EMPTY, eventsFrame(1, [...ASKING, ...events]));
  if (folded.kind !== "applied") throw new Error(folded.kind);
  return folded.transcript;
}

function left(...events: AgUiEvent[]): string[] {
  return standing([FIRST, SECOND], after(...events)).map(({ id }) => id);
}

describe("an interrupt stands", () => {
  test("while its call has no result, also when another one is answered", () => {
    expect(left()).toEqual(["i1", "i2"]);
    expect(left(CONTINUED, decided(FIRST))).toEqual(["i2"]);
  });

  test("until its call has a result", () => {
    const result = { toolCallId: "k1", messageId: "m1", content: "Sent." };
    expect(left(CONTINUED, { type: "TOOL_CALL_RESULT", ...result })).toEqual(["i2"]);
  });

  test("until another question is asked", () => {
    expect(left(runStarted("Never mind.", "q2", "r2"))).toEqual([]);
  });

  test("where its call was approved before and nobody knows what came of it", () => {
    const unknown: Interrupt = { id: "i3", reason: "tool_outcome_unknown", toolCallId: "k1" };
    expect(standing([unknown], after(CONTINUED, decided(FIRST)))).toEqual([unknown]);
  });

  test("nowhere where nothing was said yet", () => {
    expect(standing([FIRST], EMPTY)).toEqual([]);
  });
});
