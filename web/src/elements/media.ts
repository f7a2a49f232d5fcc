import { useSyncExternalStore } from "react";

/** Returns whether a media query matches, and keeps to it. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}

/** Where the list of conversations has no room of its own. */
export const NARROW = "(max-width: 52rem)";

/** Where a panel stands over the conversation, not beside it. */
export const NO_ROOM_BESIDE = "(max-width: 78rem)";
