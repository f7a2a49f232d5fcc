import type { Transcript } from "../wire/transcript";
import type { Follow, Link, Submission } from "./link";
import { newLink } from "./link";

const KEY = "colloquy.link";

/** What a tab remembers over a reload. */
interface Memory {
  /** With the cursor goes what was folded up to it: the one is worth nothing without the other. */
  transcripts: [conversationId: string, transcript: Transcript][];
  submissions: readonly Submission[];
}

/** Writes what a reloaded page needs to go on, so that it asks only for what it missed. */
export function remember(storage: Storage, link: Link): void {
  const { submissions } = link;
  const transcripts = [...link.follows].flatMap(([id, { transcript }]): Memory["transcripts"] =>
    transcript.cursor ? [[id, transcript]] : [],
  );
  try {
    storage.setItem(KEY, JSON.stringify({ transcripts, submissions } satisfies Memory));
  } catch {
    // The quota is small. Questions must survive; transcripts can be asked for again.
    storage.setItem(KEY, JSON.stringify({ transcripts: [], submissions } satisfies Memory));
  }
}

/** Returns a link that goes on where the tab's last page stopped. */
export function recall(storage: Storage): Link {
  const memory = parse(storage.getItem(KEY));
  if (!memory) return newLink();
  const follows = memory.transcripts.map(([id, transcript]): [string, Follow] => [
    id,
    { stage: "owed", transcript },
  ]);
  return newLink(new Map(follows), memory.submissions);
}

function parse(text: string | null): Memory | null {
  if (text === null) return null;
  try {
    return JSON.parse(text) as Memory;
  } catch {
    return null;
  }
}
