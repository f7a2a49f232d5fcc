import { useEffect, useRef } from "react";
import { focusBox, isBoxAtRest } from "../chat/composer";
import type { Interrupt } from "../wire/events";
import { ApprovalCard } from "./approval-card";
import type { Verdict } from "./resume";

interface ApprovalsProps {
  interrupts: readonly Interrupt[];
  /** Whether a run is at work, so that none can be answered now. */
  isBusy: boolean;
  onAnswer: (interrupt: Interrupt, verdict: Verdict) => void;
}

/** What waits for the person, each with its own answer. */
export function Approvals({ interrupts, isBusy, onAnswer }: ApprovalsProps) {
  const cards = useRef<HTMLElement>(null);
  const hasAnswered = useRef(false);

  useEffect(() => {
    if (isBusy || !hasAnswered.current) return;
    hasAnswered.current = false;
    // The card that had the focus is gone: who has only a keyboard goes on at the next one, unless
    // they write something by now. (The chat library puts the focus into the box with each run.)
    if (document.activeElement !== document.body && !isBoxAtRest()) return;
    const next = cards.current?.querySelector("h2");
    if (next) next.focus();
    else focusBox();
  }, [isBusy]);

  if (interrupts.length === 0) return null;
  return (
    <section className="approvals" aria-label="Waiting for you" ref={cards}>
      {interrupts.map((interrupt, index) => (
        <ApprovalCard
          key={interrupt.id}
          interrupt={interrupt}
          place={interrupts.length > 1 ? `${index + 1} of ${interrupts.length}` : null}
          isBusy={isBusy}
          onAnswer={(verdict) => {
            hasAnswered.current = true;
            onAnswer(interrupt, verdict);
          }}
        />
      ))}
    </section>
  );
}
