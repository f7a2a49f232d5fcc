import { useEffect, useMemo, useState } from "react";
import { listInterrupts } from "../api/interrupts";
import { useLink } from "../connection/use-link";
import type { Interrupt } from "../wire/events";
import type { Transcript } from "../wire/transcript";
import { standing } from "./standing";

/**
 * Returns what waits for the person in a conversation. The server is asked, and not the events:
 * a page that was reloaded, or another tab, may have seen none of them.
 */
export function useInterrupts(
  conversationId: string,
  isNew: boolean,
  transcript: Transcript,
): readonly Interrupt[] {
  const [listed, setListed] = useState<readonly Interrupt[]>([]);
  const isLive = useLink((link) => link.phase === "live");
  const last = transcript.entries.at(-1);
  const moment = last?.kind === "answer" ? `${last.id} ${last.outcome.kind}` : (last?.id ?? "");
  const isRunning = last?.kind === "answer" && last.outcome.kind === "running";

  // biome-ignore lint/correctness/useExhaustiveDependencies: what waits changes with the last run.
  useEffect(() => {
    if (isNew || isRunning || !isLive) return;
    let isCurrent = true;
    listInterrupts(conversationId)
      .then((found) => isCurrent && setListed(found))
      // A page that can't be answered says so elsewhere; the next event or socket asks again.
      .catch(() => undefined);
    return () => {
      isCurrent = false;
    };
  }, [conversationId, isNew, moment, isRunning, isLive]);

  // A list is as old as the last run; the events know what was answered since.
  return useMemo(() => standing(listed, transcript), [listed, transcript]);
}
