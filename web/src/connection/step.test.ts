import { describe, expect, test } from "vitest";
import { CONVERSATION, eventsFrame, runStarted, text, textStart } from "../testing/frames";
import type { ClientCommand, ServerFrame } from "../wire/frames";
import { answerText } from "../wire/transcript";
import { type Effect, type Input, type Link, newLink, type Submission } from "./link";
import { step } from "./step";

/** Drives a link and remembers what it asked of the shell. */
class Drive {
  effects: Effect[] = [];

  constructor(public link: Link = newLink()) {}

  put(...inputs: Input[]): this {
    this.effects = [];
    for (const input of inputs) {
      const next = step(this.link, input, 0.5);
      this.link = next.link;
      this.effects.push(...next.effects);
    }
    return this;
  }

  hear(...frames: ServerFrame[]): this {
    return this.put(...frames.map((frame): Input => ({ kind: "frame", frame })));
  }

  connect(): this {
    this.put({ kind: "woke" }, { kind: "opened" });
    const welcome = { node: "n1", connection_id: "s1", principal: "local", limits: {} };
    const id = String(this.link.lastId);
    return this.hear({ type: "welcome", id, beat_seconds: 2, ...welcome });
  }

  get sent(): ClientCommand[] {
    return this.effects.flatMap((effect) => (effect.kind === "send" ? [effect.command] : []));
  }

  get said(): string[] {
    return this.sent.map((command) => command.type);
  }

  wait(timer: string): number | undefined {
    for (const effect of this.effects) {
      if (effect.kind === "schedule" && effect.timer === timer) return effect.seconds;
    }
    return undefined;
  }

  /** The number of the last command, which its answer quotes. */
  get lastId(): string {
    return String(this.link.lastId);
  }
}

function following(): Drive {
  const drive = new Drive().put({ kind: "follow", conversationId: CONVERSATION }).connect();
  const quoted = { id: drive.lastId, conversation_id: CONVERSATION, epoch: "e1", sequence: 0 };
  return drive.hear({ type: "subscribed", recovered: true, ...quoted });
}

function submission(facts: Partial<Submission> = {}): Submission {
  return {
    runId: "r1",
    conversationId: CONVERSATION,
    messageId: "q1",
    text: "Dogs?",
    collection: "default",
    stage: "sending",
    refusals: 0,
    problem: null,
    ...facts,
  };
}

function accepted(id: string): ServerFrame {
  return { type: "accepted", id, run_id: "r1", conversation_id: CONVERSATION, duplicate: false };
}

describe("the socket", () => {
  test("the page greets, is welcome, and asks for what it follows", () => {
    const drive = new Drive().put({ kind: "follow", conversationId: CONVERSATION });
    drive.put({ kind: "woke" });
    expect(drive.effects[0]).toEqual({ kind: "connect" });
    drive.put({ kind: "opened" });
    expect(drive.said).toEqual(["hello"]);
    expect(drive.link.phase).toBe("greeting");
    const facts = { node: "n1", connection_id: "s1", principal: "local", limits: {} };
    drive.hear({ type: "welcome", id: drive.lastId, beat_seconds: 2, ...facts });
    expect(drive.link.phase).toBe("live");
    expect(drive.sent).toMatchObject([{ type: "subscribe", conversation_id: CONVERSATION }]);
  });

  test("waits grow with every failure and stay between 0.2 and 5 seconds", () => {
    const drive = new Drive();
    const waits = Array.from({ length: 8 }, () => {
      drive.put({ kind: "woke" }, { kind: "closed", code: 1006 });
      return drive.wait("reconnect") ?? Number.NaN;
    });
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits[0]).toBeGreaterThanOrEqual(0.2);
    expect(waits.at(-1)).toBeLessThanOrEqual(5);
  });

  test("only a beat, not a welcome, makes the next loss a first one", () => {
    const drive = following().put({ kind: "closed", code: 1006 }).connect();
    expect(drive.link.attempt).toBe(1);
    expect(drive.hear({ type: "beat" }).link.attempt).toBe(0);
  });

  test("a server that falls silent is left for another socket", () => {
    const drive = following();
    expect(drive.hear({ type: "beat" }).wait("silence")).toBe(5);
    drive.put({ kind: "elapsed", timer: "silence" });
    expect(drive.effects[0]).toEqual({ kind: "drop" });
    expect(drive.wait("reconnect")).toBeGreaterThan(0);
    expect(drive.put({ kind: "elapsed", timer: "reconnect" }).effects[0]?.kind).toBe("connect");
  });

  test("a server that beats slowly may be silent for longer", () => {
    const drive = new Drive().put({ kind: "woke" }, { kind: "opened" });
    const facts = { node: "n1", connection_id: "s1", principal: "local", limits: {} };
    drive.hear({ type: "welcome", id: "1", beat_seconds: 10, ...facts });
    expect(drive.hear({ type: "beat" }).wait("silence")).toBe(25);
  });

  test("silence while waiting means nothing", () => {
    const drive = following().put({ kind: "closed", code: 1006 });
    expect(drive.put({ kind: "elapsed", timer: "silence" }).effects).toEqual([]);
  });

  test("codes from 4000 end it with a sentence", () => {
    const drive = following().put({ kind: "closed", code: 4000 });
    expect(drive.link.phase).toBe("refused");
    expect(drive.link.refusal).toMatch(/Reload/);
    expect(drive.put({ kind: "woke" }).effects).toEqual([]);
  });

  test("codes from 4100 wait longer than a plain loss", () => {
    const slow = following().put({ kind: "closed", code: 4108 }).wait("reconnect");
    const plain = following().put({ kind: "closed", code: 1006 }).wait("reconnect");
    expect(slow).toBeGreaterThan(plain ?? 0);
  });

  test("codes from 4200 come back at once, but not in a circle", () => {
    const drive = following().put({ kind: "closed", code: 4200 });
    expect(drive.wait("reconnect")).toBe(0);
    drive.connect().put({ kind: "closed", code: 4200 });
    expect(drive.wait("reconnect")).toBeGreaterThan(0);
  });

  test("a server that goes away says when to come back", () => {
    const drive = following().hear({ type: "going_away", retry_after_seconds: 3 });
    expect(drive.put({ kind: "closed", code: 4200 }).wait("reconnect")).toBe(3);
  });

  test("a machine that wakes does not wait", () => {
    const drive = following().put({ kind: "closed", code: 1006 }, { kind: "woke" });
    expect(drive.effects.at(-2)).toEqual({ kind: "connect" });
  });
});

describe("conversations", () => {
  test("a returning page asks from its cursor", () => {
    const drive = following().hear(eventsFrame(1, [runStarted("Dogs?"), textStart()]));
    drive.put({ kind: "closed", code: 1006 }).connect();
    expect(drive.sent[0]).toMatchObject({
      type: "subscribe",
      after: { epoch: "e1", sequence: 2 },
    });
  });

  test("a missing number asks once, from the cursor, and heals", () => {
    const drive = following().hear(eventsFrame(1, [runStarted("Dogs?")]));
    drive.hear(eventsFrame(3, [text("wel")]), eventsFrame(4, [text("come")]));
    expect(drive.sent).toEqual([
      {
        type: "subscribe",
        id: drive.lastId,
        conversation_id: CONVERSATION,
        after: { epoch: "e1", sequence: 1 },
      },
    ]);
    drive.hear(eventsFrame(2, [textStart(), text("wel"), text("come")]));
    const answer = drive.link.follows.get(CONVERSATION)?.transcript.entries.at(-1);
    expect(answer?.kind === "answer" && answerText(answer)).toBe("welcome");
  });

  test("what can't be recovered stays in sight, but its cursor is gone", () => {
    const drive = following().hear(eventsFrame(1, [runStarted("Dogs?")]));
    drive.put({ kind: "closed", code: 1006 }).connect();
    const quoted = { id: drive.lastId, conversation_id: CONVERSATION, epoch: "e2", sequence: 9 };
    drive.hear({ type: "subscribed", recovered: false, ...quoted });
    const transcript = drive.link.follows.get(CONVERSATION)?.transcript;
    expect(transcript).toMatchObject({ cursor: null, entries: [{ text: "Dogs?" }, {}] });
  });

  test("a conversation that the server does not know is missing", () => {
    const drive = new Drive().put({ kind: "follow", conversationId: CONVERSATION }).connect();
    const error = { code: "not_found", message: "There is none.", retryable: false };
    drive.hear({ type: "error", id: drive.lastId, ...error });
    expect(drive.link.follows.get(CONVERSATION)?.stage).toBe("missing");
  });

  test("events of a conversation that was let go are not kept", () => {
    const drive = following().put({ kind: "forget", conversationId: CONVERSATION });
    expect(drive.said).toEqual(["unsubscribe"]);
    drive.hear(eventsFrame(1, [runStarted("Dogs?")]));
    expect(drive.link.follows.size).toBe(0);
  });

  test("a page keeps a bounded number of conversations", () => {
    const drive = new Drive().connect();
    for (let n = 0; n < 20; n += 1) drive.put({ kind: "follow", conversationId: `c${n}` });
    expect(drive.link.follows.size).toBe(16);
    expect(drive.link.follows.has("c19")).toBe(true);
    expect(drive.said).toContain("unsubscribe");
  });
});

describe("questions", () => {
  test("a new conversation is followed as soon as its first run is accepted", () => {
    const drive = new Drive().connect().put({ kind: "submit", submission: submission() });
    expect(drive.said).toEqual(["run"]);
    expect(drive.hear(accepted(drive.lastId)).said).toEqual(["subscribe"]);
  });

  test("an unacknowledged run is sent again with the same id, an acknowledged one is not", () => {
    const drive = following().put({ kind: "submit", submission: submission() });
    drive.put({ kind: "closed", code: 1006 }).connect();
    expect(drive.sent.filter((command) => command.type === "run")).toMatchObject([
      { run_id: "r1", input: { messages: [{ id: "q1", content: "Dogs?" }] } },
    ]);
    drive.hear(accepted(drive.lastId)).put({ kind: "closed", code: 1006 }).connect();
    expect(drive.said).toEqual(["subscribe"]);
  });

  test("a question asked while there is no socket goes out with the next one", () => {
    const drive = following().put({ kind: "closed", code: 1006 });
    expect(drive.put({ kind: "submit", submission: submission() }).sent).toEqual([]);
    expect(drive.connect().said).toEqual(["subscribe", "run"]);
  });

  test("a question leaves the list when the conversation shows it", () => {
    const drive = following().put({ kind: "submit", submission: submission() });
    drive.hear(accepted(drive.lastId));
    expect(drive.link.submissions).toHaveLength(1);
    expect(drive.hear(eventsFrame(1, [runStarted("Dogs?")])).link.submissions).toEqual([]);
  });

  test("a busy server is asked again after the time it names", () => {
    const drive = following().put({ kind: "submit", submission: submission() });
    const error = { code: "busy", message: "Later.", retryable: true, retry_after_seconds: 2 };
    drive.hear({ type: "error", id: drive.lastId, ...error });
    expect(drive.wait("resend")).toBe(2);
    expect(drive.put({ kind: "elapsed", timer: "resend" }).said).toEqual(["run"]);
  });

  test("a server that stays busy is believed in the end", () => {
    const drive = following().put({ kind: "submit", submission: submission() });
    for (let n = 0; n < 6; n += 1) {
      const error = { code: "busy", message: "Later.", retryable: true };
      drive.hear({ type: "error", id: drive.lastId, ...error });
      drive.put({ kind: "elapsed", timer: "resend" });
    }
    expect(drive.link.submissions[0]).toMatchObject({ stage: "failed", problem: "Later." });
    expect(drive.sent).toEqual([]);
  });

  test("a refused question can be sent again, or withdrawn", () => {
    const drive = following().put({ kind: "submit", submission: submission() });
    const error = { code: "too_large", message: "Too long.", retryable: false };
    drive.hear({ type: "error", id: drive.lastId, ...error });
    expect(drive.link.submissions[0]).toMatchObject({ stage: "failed", problem: "Too long." });
    expect(drive.put({ kind: "submit", submission: submission() }).said).toEqual(["run"]);
    expect(drive.put({ kind: "withdraw", runId: "r1" }).link.submissions).toEqual([]);
  });

  test("a stop outlives the socket until the server heard it", () => {
    const drive = following().put({ kind: "cancel", runId: "r1" });
    expect(drive.said).toEqual(["cancel"]);
    drive.put({ kind: "closed", code: 1006 }).connect();
    expect(drive.said).toContain("cancel");
    drive.hear({ type: "ok", id: drive.lastId }).put({ kind: "closed", code: 1006 }).connect();
    expect(drive.said).not.toContain("cancel");
  });
});
