import { useId, useLayoutEffect, useRef } from "react";

interface ConfirmProps {
  question: string;
  /** What happens, in a sentence. */
  consequence: string;
  /** The verb on the button. */
  action: string;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something that can't be undone. */
export function Confirm({ question, consequence, action, onConfirm, onClose }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      className="confirm"
      role="alertdialog"
      aria-labelledby={`${id}-question`}
      aria-describedby={`${id}-consequence`}
      onCancel={onClose}
    >
      <h2 id={`${id}-question`}>{question}</h2>
      <p id={`${id}-consequence`}>{consequence}</p>
      <div className="confirm-actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="button" data-tone="danger" onClick={onConfirm}>
          {action}
        </button>
      </div>
    </dialog>
  );
}
