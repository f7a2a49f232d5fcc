import { useCallback, useState, useSyncExternalStore } from "react";
import { newId } from "../elements/new-id";

const PREFIX = "#/c/";

/** Where the page is: in a conversation of the address, or in one that does not exist yet. */
export interface Place {
  conversationId: string;
  isNew: boolean;
  /** Goes to a conversation, or to a new one. */
  go: (conversationId: string | null) => void;
  /** Writes a new conversation's id into the address, now that it has a first question. */
  settle: () => void;
}

/** Returns where the page is, as its address says. */
export function usePlace(): Place {
  const hash = useSyncExternalStore(onHashChange, () => location.hash);
  // The id of a conversation is there before its first question, so that the box stays the same.
  const [draftId, setDraftId] = useState(newId);
  const named = hash.startsWith(PREFIX) ? hash.slice(PREFIX.length) : null;

  const go = useCallback((conversationId: string | null) => {
    if (conversationId === null) setDraftId(newId());
    location.hash = conversationId === null ? "#/" : hrefOf(conversationId);
  }, []);
  const settle = useCallback(() => {
    if (named) return;
    history.replaceState(null, "", hrefOf(draftId));
    dispatchEvent(new HashChangeEvent("hashchange"));
  }, [named, draftId]);

  return { conversationId: named ?? draftId, isNew: named === null, go, settle };
}

/** Returns the address of a conversation. */
export function hrefOf(conversationId: string): string {
  return PREFIX + conversationId;
}

function onHashChange(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}
