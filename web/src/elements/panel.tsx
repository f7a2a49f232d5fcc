import { type KeyboardEvent, type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { IconButton } from "./icon-button";
import { NO_ROOM_BESIDE, useMedia } from "./media";

interface PanelProps {
  title: string;
  side: "left" | "right";
  onClose: () => void;
  children: ReactNode;
}

/**
 * A dialog at one side: beside the conversation where there is room, over it where there is none.
 * The browser moves the focus in, keeps it in where it is over everything, and gives it back.
 */
export function Panel({ title, side, onClose, children }: PanelProps) {
  const isOver = useMedia(NO_ROOM_BESIDE);
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  useLayoutEffect(() => {
    const shown = dialog.current;
    if (isOver) shown?.showModal();
    else shown?.show();
    return () => shown?.close();
  }, [isOver]);

  const closeOnEscape = (event: KeyboardEvent) => {
    const isOwn = (event.target as Element).closest("dialog") === dialog.current;
    if (event.key !== "Escape" || event.defaultPrevented || !isOwn) return;
    event.preventDefault();
    onClose();
  };

  return (
    <dialog
      ref={dialog}
      className="panel"
      data-side={side}
      data-over={isOver}
      aria-labelledby={titleId}
      onKeyDown={closeOnEscape}
      onCancel={onClose}
      onClick={(event) => event.target === dialog.current && isOver && onClose()}
    >
      <div className="panel-sheet">
        <header className="panel-header">
          {/* biome-ignore lint/a11y/noAutofocus: a dialog's first focus belongs on its name. */}
          <h2 id={titleId} tabIndex={-1} autoFocus>
            {title}
          </h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </header>
        <div className="panel-body">{children}</div>
      </div>
    </dialog>
  );
}
