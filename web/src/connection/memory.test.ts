import { expect, test } from "vitest";
import { eventsFrame, runStarted } from "../testing/frames";
import { fold } from "../wire/fold";
import { EMPTY } from "../wire/transcript";
import { newLink, type Submission } from "./link";
import { recall, remember } from "./memory";

/** Keeps text up to a limit, as a browser does. */
class SmallStorage implements Storage {
  private readonly items = new Map<string, string>();

  constructor(private readonly limit = 10_000) {}

  get length(): number {
    return this.items.size;
  }
  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null;
  }
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (value.length > this.limit) throw new DOMException("full", "QuotaExceededError");
    this.items.set(key, value);
  }
  removeItem(key: string): void {
    this.items.delete(key);
  }
  clear(): void {
    this.items.clear();
  }
}

const folded = fold(EMPTY, eventsFrame(1, [runStarted("Dogs? ".repeat(100))]));
const transcript = folded.kind === "applied" ? folded.transcript : EMPTY;
const question: Submission = {
  runId: "r2",
  conversationId: "c1",
  messageId: "q2",
  text: "And cats?",
  collection: "default",
  stage: "sending",
  refusals: 0,
  problem: null,
};
const link = newLink(new Map([["c1", { stage: "live", transcript }]]), [question]);

test("a reloaded page goes on from its cursor with the transcript that belongs to it", () => {
  const storage = new SmallStorage();
  remember(storage, link);
  expect(recall(storage).follows.get("c1")).toEqual({ stage: "owed", transcript });
  expect(recall(storage).submissions).toEqual([question]);
});

test("where there is no room, the questions are kept and the transcripts asked for again", () => {
  const storage = new SmallStorage(400);
  remember(storage, link);
  expect(recall(storage).follows.size).toBe(0);
  expect(recall(storage).submissions).toEqual([question]);
});

test("an empty or broken memory is a new page", () => {
  const storage = new SmallStorage();
  expect(recall(storage)).toEqual(newLink());
  storage.setItem("colloquy.link", "{");
  expect(recall(storage)).toEqual(newLink());
});
