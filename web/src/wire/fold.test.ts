import { describe, expect, test } from "vitest";
import {
  citation,
  cited,
  eventsFrame,
  runFinished,
  runStarted,
  snapshot,
  text,
  textEnd,
  textStart,
  wholeTurn,
} from "../testing/frames";
import { fold } from "./fold";
import type { EventsFrame } from "./frames";
import { type Answer, answerText, EMPTY, type Transcript } from "./transcript";

/** Folds frames that must all apply. */
function foldAll(frames: EventsFrame[], before: Transcript = EMPTY): Transcript {
  return frames.reduce((transcript, frame) => {
    const folded = fold(transcript, frame);
    if (folded.kind !== "applied") throw new Error(`${folded.kind} at ${frame.sequence}`);
    return folded.transcript;
  }, before);
}

function lastAnswer(transcript: Transcript): Answer {
  const last = transcript.entries.at(-1);
  if (last?.kind !== "answer") throw new Error("the last entry is no answer");
  return last;
}

function lines(transcript: Transcript): string[] {
  return transcript.entries.map((entry) =>
    entry.kind === "question" ? `? ${entry.text}` : `! ${answerText(entry)}`,
  );
}

describe("order", () => {
  test("a turn in one frame and the same turn event by event end the same", () => {
    const events = [...wholeTurn(), runFinished()];
    const single = foldAll(events.map((event, index) => eventsFrame(index + 1, [event])));
    expect(foldAll([eventsFrame(1, events)])).toEqual(single);
    expect(lines(single)).toEqual(["? Dogs?", "! They are welcome."]);
    expect(single.cursor).toEqual({ epoch: "e1", sequence: 6 });
  });

  test("a frame that was seen changes nothing", () => {
    const seen = foldAll([eventsFrame(1, wholeTurn())]);
    expect(fold(seen, eventsFrame(3, [text("They are ")]))).toEqual({ kind: "known" });
  });

  test("of a frame that was half seen only the new half counts", () => {
    const half = foldAll([eventsFrame(1, wholeTurn().slice(0, 3))]);
    const whole = foldAll([eventsFrame(2, wholeTurn().slice(1))], half);
    expect(lines(whole)).toEqual(["? Dogs?", "! They are welcome."]);
    expect(whole.cursor?.sequence).toBe(5);
  });

  test("a missing number is a gap, and nothing after it is applied", () => {
    const seen = foldAll([eventsFrame(1, wholeTurn().slice(0, 2))]);
    expect(fold(seen, eventsFrame(4, [text("welcome.")]))).toEqual({ kind: "gap" });
  });

  test("a log that does not begin at one is a gap to who has nothing", () => {
    expect(fold(EMPTY, eventsFrame(2, [textStart()]))).toEqual({ kind: "gap" });
  });

  test("the next number of another epoch is a gap", () => {
    const seen = foldAll([eventsFrame(1, wholeTurn())]);
    const other = eventsFrame(6, [runFinished()], { epoch: "e2" });
    expect(fold(seen, other)).toEqual({ kind: "gap" });
  });

  test("entries that did not change stay the same objects", () => {
    const before = foldAll([eventsFrame(1, wholeTurn())]);
    const after = foldAll([eventsFrame(6, [text("!")])], before);
    expect(after.entries[0]).toBe(before.entries[0]);
    expect(after.entries[1]).not.toBe(before.entries[1]);
  });
});

describe("snapshots", () => {
  const stored = snapshot([
    { id: "q0", role: "user", content: "Cats?" },
    { id: "a0", role: "assistant", content: "Also. [1]", metadata: { citations: [citation(1)] } },
  ]);

  test("a snapshot of a new epoch replaces everything and sets the cursor", () => {
    const seen = foldAll([eventsFrame(1, wholeTurn())]);
    const frame = eventsFrame(2, [stored], { epoch: "e2", run_id: null });
    const after = foldAll([frame], seen);
    expect(lines(after)).toEqual(["? Cats?", "! Also. [1]"]);
    expect(after.cursor).toEqual({ epoch: "e2", sequence: 2 });
  });

  test("a stored message brings its citations", () => {
    const after = foldAll([eventsFrame(9, [stored], { run_id: null })]);
    expect(lastAnswer(after).parts).toEqual([
      { kind: "text", messageId: "a0", piece: 0, text: "Also. [1]", citations: [citation(1)] },
    ]);
  });

  test("a tool that was called stands before the text again", () => {
    const after = foldAll([
      eventsFrame(1, [
        snapshot([
          {
            id: "a1",
            role: "assistant",
            content: "Six.",
            toolCalls: [
              { id: "k1", type: "function", function: { name: "calculate", arguments: "{}" } },
            ],
          },
          { id: "k1-result", role: "tool", toolCallId: "k1", content: "6" },
        ]),
      ]),
    ]);
    expect(after.entries).toHaveLength(1);
    expect(lastAnswer(after).parts).toMatchObject([
      { kind: "tool", callId: "k1", name: "calculate", result: "6" },
      { kind: "text", text: "Six." },
    ]);
  });

  test("a tool that was called in the middle of a text stands there again", () => {
    const call = (id: string) =>
      ({ id, type: "function", function: { name: "look", arguments: "{}" } }) as const;
    const after = foldAll([
      eventsFrame(1, [
        snapshot([
          {
            id: "a1",
            role: "assistant",
            content: "Let me see 🐕.\n\nHere it is.",
            toolCalls: [call("k1"), call("k2")],
            metadata: { saidBeforeCalls: { k1: 13, k2: 13 } },
          },
        ]),
      ]),
    ]);
    expect(lastAnswer(after).parts).toMatchObject([
      { kind: "text", piece: 0, text: "Let me see 🐕." },
      { kind: "tool", callId: "k1", result: null },
      { kind: "tool", callId: "k2", result: null },
      { kind: "text", piece: 1, text: "Here it is." },
    ]);
  });

  test("events after a snapshot go on behind it", () => {
    const after = foldAll([
      eventsFrame(9, [stored], { run_id: null }),
      eventsFrame(10, [...wholeTurn(), runFinished()]),
    ]);
    expect(lines(after)).toEqual(["? Cats?", "! Also. [1]", "? Dogs?", "! They are welcome."]);
  });

  test("a snapshot that was seen changes nothing", () => {
    const frame = eventsFrame(9, [stored], { run_id: null });
    expect(fold(foldAll([frame]), frame)).toEqual({ kind: "known" });
  });

  test("without a cursor the log's beginning replaces what is still shown", () => {
    const stale: Transcript = { ...foldAll([eventsFrame(1, wholeTurn())]), cursor: null };
    const after = foldAll([eventsFrame(1, wholeTurn(), { epoch: "e2" })], stale);
    expect(lines(after)).toEqual(["? Dogs?", "! They are welcome."]);
  });
});

describe("takeover", () => {
  const resumed = {
    type: "CUSTOM",
    name: "run.resumed",
    value: { attempt: 2, after_seconds: 4.2 },
  } as const;
  const question = { id: "q1", role: "user", content: "Dogs?" } as const;
  const takeover = [
    resumed,
    textEnd(),
    { type: "STEP_FINISHED", stepName: "writer" } as const,
    snapshot([question]),
    textStart("a2"),
    text("They may ", "a2"),
  ];

  test("what the dead attempt said is replaced and never mixed in", () => {
    const half = [
      runStarted("Dogs?"),
      { type: "STEP_STARTED", stepName: "writer" } as const,
      textStart(),
      text("They are wel"),
    ];
    const tail = [text("come in.", "a2"), textEnd("a2"), runFinished()];
    const after = foldAll([eventsFrame(1, half), eventsFrame(5, takeover), eventsFrame(11, tail)]);
    expect(lines(after)).toEqual(["? Dogs?", "! They may come in."]);
    expect(lastAnswer(after)).toMatchObject({ resumed: true, outcome: { kind: "finished" } });
  });

  test("who comes back between the end and the snapshot sees the same", () => {
    const half = foldAll([eventsFrame(1, wholeTurn().slice(0, 3))]);
    const pieces = takeover.map((event, index) => eventsFrame(4 + index, [event]));
    expect(foldAll(pieces, half)).toEqual(foldAll([eventsFrame(4, takeover)], half));
  });

  test("the run stays at work behind its snapshot", () => {
    const half = foldAll([eventsFrame(1, wholeTurn().slice(0, 3))]);
    const after = foldAll([eventsFrame(4, takeover.slice(0, 4))], half);
    expect(lastAnswer(after)).toMatchObject({
      runId: "r1",
      parts: [],
      outcome: { kind: "running" },
    });
  });
});

describe("what a run says", () => {
  function answerAfter(...events: EventsFrame["events"]): Answer {
    return lastAnswer(foldAll([eventsFrame(1, [runStarted("Dogs?"), ...events])]));
  }

  test("citations are attached to their message", () => {
    const answer = answerAfter(textStart(), text("Yes. [1]"), cited([citation(1)]));
    expect(answer.parts[0]).toMatchObject({ citations: [citation(1)] });
  });

  test("the agents at work are those that started and did not finish", () => {
    const answer = answerAfter(
      { type: "STEP_STARTED", stepName: "coordinator" },
      { type: "STEP_FINISHED", stepName: "coordinator" },
      { type: "STEP_STARTED", stepName: "retrieval" },
      { type: "STEP_STARTED", stepName: "calculator" },
    );
    expect(answer.steps).toEqual(["retrieval", "calculator"]);
  });

  test("reasoning, a tool and text stand in the order they came", () => {
    const answer = answerAfter(
      { type: "REASONING_START", messageId: "t1" },
      { type: "REASONING_MESSAGE_START", messageId: "t1", role: "reasoning" },
      { type: "REASONING_MESSAGE_CONTENT", messageId: "t1", delta: "Hm." },
      { type: "TOOL_CALL_START", toolCallId: "k1", toolCallName: "calculate" },
      { type: "TOOL_CALL_ARGS", toolCallId: "k1", delta: '{"x":' },
      { type: "TOOL_CALL_ARGS", toolCallId: "k1", delta: "1}" },
      { type: "TOOL_CALL_RESULT", toolCallId: "k1", messageId: "m1", content: "2" },
      textStart(),
      text("Two."),
    );
    expect(answer.parts).toEqual([
      { kind: "reasoning", messageId: "t1", text: "Hm." },
      {
        kind: "tool",
        callId: "k1",
        name: "calculate",
        arguments: '{"x":1}',
        result: "2",
        decision: null,
      },
      { kind: "text", messageId: "a1", piece: 0, text: "Two.", citations: [] },
    ]);
  });

  test("a message stands around the tool that was called in the middle of it", () => {
    const answer = answerAfter(
      textStart(),
      text("Let me "),
      text("look."),
      { type: "TOOL_CALL_START", toolCallId: "k1", toolCallName: "look" },
      text("\n\nFound [1]."),
      { type: "TOOL_CALL_RESULT", toolCallId: "k1", messageId: "m1", content: "2" },
      text(" Done."),
      cited([citation(1)]),
    );
    expect(answer.parts).toMatchObject([
      { kind: "text", piece: 0, text: "Let me look." },
      { kind: "tool", result: "2" },
      { kind: "text", piece: 1, text: "Found [1]. Done.", citations: [citation(1)] },
    ]);
    expect(answerText(answer)).toBe("Let me look.\n\nFound [1]. Done.");
  });

  test("a question that is known is not asked twice", () => {
    const first = foldAll([eventsFrame(1, [runStarted("Dogs?"), runFinished("cancelled")])]);
    const again = foldAll([eventsFrame(3, [runStarted("Dogs?", "q1", "r2")])], first);
    expect(lines(again).filter((line) => line.startsWith("?"))).toEqual(["? Dogs?"]);
  });

  test("a cancelled run is stopped and keeps what it said", () => {
    const answer = answerAfter(textStart(), text("They"), textEnd(), runFinished("cancelled"));
    expect(answer.outcome).toEqual({ kind: "stopped" });
    expect(answerText(answer)).toBe("They");
  });

  test("a run that asks the person something waits, and a later run brings what was called", () => {
    const interrupts = [{ id: "i1", reason: "tool_call", toolCallId: "k1" }];
    const asking = foldAll([
      eventsFrame(1, [
        runStarted("Send it."),
        { type: "TOOL_CALL_START", toolCallId: "k1", toolCallName: "send" },
        { type: "TOOL_CALL_END", toolCallId: "k1" },
        {
          type: "RUN_FINISHED",
          threadId: "c1",
          runId: "r1",
          outcome: { type: "interrupt", interrupts },
        },
      ]),
    ]);
    expect(lastAnswer(asking).outcome).toEqual({ kind: "asking" });

    const decision = {
      interruptId: "i1",
      toolCallId: "k1",
      decision: "approved" as const,
      arguments: "{}",
    };
    const after = foldAll(
      [
        eventsFrame(
          5,
          [
            runStarted("Send it.", "q1", "r2"),
            { type: "CUSTOM", name: "ask.decided", value: decision },
            { type: "TOOL_CALL_RESULT", toolCallId: "k1", messageId: "m1", content: "Sent." },
            textStart("a2"),
            text("Done.", "a2"),
          ],
          { run_id: "r2" },
        ),
      ],
      asking,
    );
    expect(lines(after)).toEqual(["? Send it.", "! ", "! Done."]);
    const first = after.entries[1] as Answer;
    expect(first.parts).toMatchObject([{ callId: "k1", result: "Sent.", decision }]);
  });

  test("an error ends the run with its sentence", () => {
    const event = { type: "RUN_ERROR", message: "The model is busy.", code: "busy" } as const;
    expect(answerAfter(event).outcome).toEqual({
      kind: "failed",
      message: "The model is busy.",
      code: "busy",
    });
  });

  test("a run whose start is in the snapshot is answered all the same", () => {
    const after = foldAll([
      eventsFrame(4, [snapshot([{ id: "q1", role: "user", content: "Dogs?" }])], { run_id: null }),
      eventsFrame(5, [textStart(), text("Yes.")]),
    ]);
    expect(lines(after)).toEqual(["? Dogs?", "! Yes."]);
  });
});
