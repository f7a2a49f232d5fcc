import { useId, useState } from "react";
import type { Interrupt } from "../wire/events";
import "./approvals.css";
import { asksForOutcome, callOf, readArguments, type Verdict } from "./resume";

interface ApprovalCardProps {
  interrupt: Interrupt;
  /** Which one of several it is; null where it is the only one. */
  place: string | null;
  /** Whether it can be answered only later. */
  isBusy: boolean;
  onAnswer: (verdict: Verdict) => void;
}

const EFFECTS: Record<string, string> = {
  read: "It only reads.",
  idempotent_write: "It changes something; doing it twice changes nothing more.",
  write: "It changes something, and can't be taken back.",
};

/** Asks the person about one call of a tool: exactly what would be sent, and what it does. */
export function ApprovalCard({ interrupt, place, isBusy, onAnswer }: ApprovalCardProps) {
  const titleId = useId();
  const call = callOf(interrupt);
  const shown = JSON.stringify(call.arguments, null, 2);
  const [draft, setDraft] = useState<string | null>(null);
  const isOutcome = asksForOutcome(interrupt);
  return (
    <section className="approval" aria-labelledby={titleId} aria-busy={isBusy}>
      <header className="approval-head">
        {/* It takes the focus when the card before it is answered, to be read out. */}
        <h2 id={titleId} tabIndex={-1}>
          {isOutcome ? "Did it happen: " : "May I use "}
          <code>{call.tool}</code>?
        </h2>
        {place && <p className="hint">{place}</p>}
      </header>
      <p className="approval-effect">{isOutcome ? interrupt.message : EFFECTS[call.effect]}</p>
      {draft === null ? (
        <pre className="approval-arguments">{shown}</pre>
      ) : (
        <textarea
          className="approval-arguments"
          aria-label="Arguments, as JSON"
          spellCheck={false}
          rows={Math.min(12, draft.split("\n").length + 1)}
          value={draft}
          ref={takeFocus}
          onChange={(event) => setDraft(event.target.value)}
        />
      )}
      <fieldset className="approval-actions" aria-labelledby={titleId} disabled={isBusy}>
        {isOutcome ? (
          <OutcomeButtons onAnswer={onAnswer} />
        ) : (
          <ApprovalButtons shown={shown} draft={draft} setDraft={setDraft} onAnswer={onAnswer} />
        )}
        <Expiry interrupt={interrupt} />
      </fieldset>
    </section>
  );
}

interface ApprovalButtonsProps {
  shown: string;
  draft: string | null;
  setDraft: (draft: string | null) => void;
  onAnswer: (verdict: Verdict) => void;
}

function ApprovalButtons({ shown, draft, setDraft, onAnswer }: ApprovalButtonsProps) {
  if (draft === null) {
    return (
      <>
        <button
          type="button"
          className="button"
          data-tone="accent"
          onClick={() => onAnswer({ kind: "approve" })}
        >
          Approve
        </button>
        <button type="button" className="button" onClick={() => setDraft(shown)}>
          Edit
        </button>
        <button type="button" className="quiet-button" onClick={() => onAnswer({ kind: "reject" })}>
          Reject
        </button>
      </>
    );
  }
  const edited = readArguments(draft);
  return (
    <>
      <button
        type="button"
        className="button"
        data-tone="accent"
        disabled={edited === null}
        onClick={() => edited && onAnswer({ kind: "edit", arguments: edited })}
      >
        Approve these
      </button>
      <button type="button" className="quiet-button" onClick={() => setDraft(null)}>
        Back
      </button>
      {edited === null && (
        <span className="approval-fault" role="alert">
          This is not a JSON object.
        </span>
      )}
    </>
  );
}

function OutcomeButtons({ onAnswer }: { onAnswer: (verdict: Verdict) => void }) {
  return (
    <>
      <button
        type="button"
        className="button"
        onClick={() => onAnswer({ kind: "outcome", decision: "happened" })}
      >
        It happened
      </button>
      <button
        type="button"
        className="button"
        onClick={() => onAnswer({ kind: "outcome", decision: "repeat" })}
      >
        Do it again
      </button>
      <button
        type="button"
        className="quiet-button"
        onClick={() => onAnswer({ kind: "outcome", decision: "skip" })}
      >
        Leave it
      </button>
    </>
  );
}

function Expiry({ interrupt: { expiresAt } }: { interrupt: Interrupt }) {
  if (!expiresAt) return null;
  const until = new Date(expiresAt).toLocaleString(undefined, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  return (
    <p className="hint">
      Until <time dateTime={expiresAt}>{until}</time>
    </p>
  );
}

/** What was opened by a button is where one goes on. */
function takeFocus(element: HTMLElement | null): void {
  element?.focus();
}
