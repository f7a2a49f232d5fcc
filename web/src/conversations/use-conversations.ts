import { useCallback, useEffect, useState } from "react";
import {
  type Conversation,
  type ConversationPage,
  deleteConversation,
  listConversations,
  renameConversation,
} from "../api/conversations";
import { sentenceOf } from "../api/request";
import type { Link } from "../connection/link";
import { useLink } from "../connection/use-link";
import { activeAnswer } from "../wire/transcript";

export interface Conversations {
  /** The last used first. */
  all: readonly Conversation[];
  /** Ids of those that are being answered now. */
  busy: ReadonlySet<string>;
  /** Whether there are more than are loaded. */
  hasMore: boolean;
  problem: string | null;
  loadMore: () => void;
  rename: (id: string, title: string) => void;
  remove: (id: string) => void;
}

const NONE: ConversationPage = { conversations: [], next_cursor: null };

/** Returns the list of conversations, which follows what happens in them. */
export function useConversations(): Conversations {
  const [first, setFirst] = useState(NONE);
  const [older, setOlder] = useState<ConversationPage | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const busy = useLink(busyIn);
  const runs = useLink(lastRunsIn);

  const attempt = useCallback(async (work: () => Promise<void>) => {
    try {
      await work();
      setProblem(null);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  }, []);
  const refresh = useCallback(async () => setFirst(await listConversations()), []);

  // A run that begins makes a conversation or moves it up; one that ends may have named it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  useEffect(() => {
    attempt(refresh);
  }, [runs, attempt, refresh]);

  const cursor = (older ?? first).next_cursor;
  return {
    all: joined(first, older),
    busy: new Set(busy.split(" ")),
    hasMore: cursor !== null,
    problem,
    loadMore: () =>
      attempt(async () => {
        const page = await listConversations(cursor);
        const conversations = [...(older?.conversations ?? []), ...page.conversations];
        setOlder({ ...page, conversations });
      }),
    rename: (id, title) =>
      attempt(async () => {
        await renameConversation(id, title);
        await refresh();
      }),
    remove: (id) =>
      attempt(async () => {
        await deleteConversation(id);
        setOlder((page) => page && without(page, id));
        await refresh();
      }),
  };
}

/** The ids of conversations at work, in one string, which compares by value. */
function busyIn(link: Link): string {
  return [...link.follows]
    .flatMap(([id, { transcript }]) => (activeAnswer(transcript) ? [id] : []))
    .join(" ");
}

/** The last run of every conversation and whether it ended: some end before they are painted. */
function lastRunsIn(link: Link): string {
  return [...link.follows.values()]
    .map(({ transcript }) => transcript.entries.at(-1))
    .map((last) => (last?.kind === "answer" ? `${last.id} ${last.outcome.kind}` : ""))
    .join(" ");
}

/** The first page may have grown since the older ones were read, so that some stand in both. */
function joined(first: ConversationPage, older: ConversationPage | null): Conversation[] {
  const known = new Set(first.conversations.map((one) => one.id));
  const rest = older?.conversations.filter((one) => !known.has(one.id)) ?? [];
  return [...first.conversations, ...rest];
}

function without(page: ConversationPage, id: string): ConversationPage {
  return { ...page, conversations: page.conversations.filter((one) => one.id !== id) };
}
