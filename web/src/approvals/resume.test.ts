import { describe, expect, test } from "vitest";
import type { Interrupt } from "../wire/events";
import { readArguments, resumeEntry } from "./resume";

const INTERRUPT: Interrupt = {
  id: "i1",
  reason: "tool_call",
  toolCallId: "k1",
  metadata: { tool: "send", arguments: { to: "Bob" }, argumentsHash: "abc", effect: "write" },
};

describe("an answer to an interrupt", () => {
  test("quotes the hash of the arguments that were shown", () => {
    expect(resumeEntry(INTERRUPT, { kind: "approve" })).toEqual({
      interruptId: "i1",
      status: "resolved",
      payload: { approved: true, argumentsHash: "abc" },
    });
  });

  test("carries what the person changed", () => {
    const edited = { to: "Eve" };
    expect(resumeEntry(INTERRUPT, { kind: "edit", arguments: edited }).payload).toEqual({
      approved: true,
      editedArgs: edited,
      argumentsHash: "abc",
    });
  });

  test("says no, or what is to be done about an unknown outcome", () => {
    expect(resumeEntry(INTERRUPT, { kind: "reject" }).payload).toMatchObject({ approved: false });
    const skipped = resumeEntry(INTERRUPT, { kind: "outcome", decision: "skip" });
    expect(skipped.payload).toEqual({ decision: "skip" });
  });
});

test.each([
  ['{"a":1}', { a: 1 }],
  ["[1]", null],
  ["null", null],
  ["{", null],
])("only a JSON object can be arguments: %s", (text, expected) => {
  expect(readArguments(text)).toEqual(expected);
});
