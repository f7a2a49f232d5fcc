import { applyEvent } from "./entries";
import type { AgUiEvent } from "./events";
import type { Cursor, EventsFrame } from "./frames";
import type { Entry, Transcript } from "./transcript";

/** What a frame did: it changed the transcript, said nothing new, or shows that some is missing. */
export type Folded =
  | { kind: "applied"; transcript: Transcript }
  | { kind: "known" }
  | { kind: "gap" };

/** Folds a frame into a transcript: each event once, in order, never over a hole. */
export function fold(transcript: Transcript, frame: EventsFrame): Folded {
  const end = frame.sequence + frame.events.length - 1;
  if (transcript.cursor && isKnown(transcript.cursor, frame.epoch, end)) return { kind: "known" };

  const fresh = freshEvents(transcript.cursor, frame);
  if (fresh === null) return { kind: "gap" };

  // Without a cursor the log is told from its beginning, so nothing that was shown may stay.
  const before: readonly Entry[] = transcript.cursor ? transcript.entries : [];
  const entries = fresh.reduce((all, event) => applyEvent(all, event, frame.run_id), before);
  return {
    kind: "applied",
    transcript: { cursor: { epoch: frame.epoch, sequence: end }, entries },
  };
}

function isKnown(cursor: Cursor, epoch: string, end: number): boolean {
  return cursor.epoch === epoch && end <= cursor.sequence;
}

/** Returns the events after the cursor; null where one before them is missing. */
function freshEvents(cursor: Cursor | null, frame: EventsFrame): AgUiEvent[] | null {
  // A snapshot stands for everything before it, in any epoch.
  if (frame.events[0]?.type === "MESSAGES_SNAPSHOT") return frame.events;
  if (cursor && cursor.epoch !== frame.epoch) return null;
  const next = (cursor?.sequence ?? 0) + 1;
  return frame.sequence > next ? null : frame.events.slice(next - frame.sequence);
}
